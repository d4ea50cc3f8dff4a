//! Means over pictures with their confidence intervals, for people and for programs.

use std::path::Path;

use serde::Serialize;
use vitrine_evaluate::Summary;
use vitrine_protocol::Better;

use crate::{
    failure::Failure,
    files,
    output::say,
    scores::{ProtocolRow, Results, Row, direction, field},
};

/// One number of one method on one model.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Entry {
    pub(crate) model: String,
    pub(crate) method: String,
    /// Id of the metric or protocol.
    pub(crate) measure: String,
    /// The number's name.
    pub(crate) name: String,
    pub(crate) better: Better,
    /// Over the pictures that have a value; nothing where none has.
    pub(crate) summary: Option<Summary>,
    /// What was said of single scores.
    pub(crate) notes: Vec<String>,
}

/// The columns of a table: a title, and of each its id, name, direction and meaning.
struct Table {
    title: String,
    columns: Vec<(String, String, Better)>,
}

/// All means, in the order of what was measured.
pub(crate) fn entries(results: &Results) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for row in &results.scores {
        let known =
            |entry: &Entry| (&entry.model, &entry.method, &entry.measure) == (&row.model, &row.method, &row.metric);
        let (Some(info), false) = (results.metric(&row.metric), entries.iter().any(known)) else { continue };
        let cells: Vec<&Row> = results
            .scores
            .iter()
            .filter(|cell| (&cell.model, &cell.method, &cell.metric) == (&row.model, &row.method, &row.metric))
            .collect();
        let values: Vec<f64> = cells.iter().filter_map(|cell| cell.score.value).collect();
        let mut notes: Vec<String> = Vec::new();
        for note in cells.iter().flat_map(|cell| &cell.score.notes) {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        entries.push(Entry {
            model: row.model.clone(),
            method: row.method.clone(),
            measure: row.metric.clone(),
            name: info.name.clone(),
            better: info.better,
            summary: Summary::of(&values).map(|summary| summary.within(info.range)),
            notes,
        });
    }
    for ProtocolRow { model, method, protocol, measured } in &results.measured {
        entries.extend(measured.iter().map(|measured| Entry {
            model: model.clone(),
            method: method.clone(),
            measure: protocol.clone(),
            name: measured.name.clone(),
            better: measured.better,
            summary: measured.summary(),
            notes: Vec::new(),
        }));
    }
    entries
}

/// Writes `leaderboard.md`, `leaderboard.csv` and `leaderboard.json`.
pub(crate) fn write(folder: &Path, results: &Results, entries: &[Entry]) -> Result<(), Failure> {
    files::write(&folder.join("leaderboard.md"), markdown(results, entries).as_bytes())?;
    files::write(&folder.join("leaderboard.csv"), csv(entries).as_bytes())?;
    files::write(&folder.join("leaderboard.json"), serde_json::to_string_pretty(entries)?.as_bytes())
}

impl Entry {
    pub(crate) fn print(&self) {
        let Entry { model, method, measure, name, better, .. } = self;
        say!("{model}  {method}  {measure}  {name}: {} ({better})", self.value());
        self.notes.iter().for_each(|note| say!("  note  {note}"));
    }

    /// `0.5120 [0.4310, 0.5930] n=4`.
    fn value(&self) -> String {
        let Some(Summary { count, mean, interval }) = self.summary else { return "none".to_owned() };
        let interval = interval.map(|[low, high]| format!(" [{}, {}]", rounded(low), rounded(high)));
        format!("{}{} n={count}", rounded(mean), interval.unwrap_or_default())
    }
}

/// A number to four significant places, or four after the point where it is small.
fn rounded(value: f64) -> String {
    let places = (3.0 - value.abs().max(1e-9).log10().floor()).clamp(0.0, 4.0);
    format!("{value:.*}", places as usize)
}

fn csv(entries: &[Entry]) -> String {
    let mut text = "model,method,measure,name,better,mean,low,high,pictures\n".to_owned();
    for Entry { model, method, measure, name, better, summary, .. } in entries {
        let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let interval = summary.and_then(|summary| summary.interval);
        let [low, high] = [interval.map(|ends| ends[0]), interval.map(|ends| ends[1])].map(number);
        let (mean, count) = (number(summary.map(|summary| summary.mean)), summary.map_or(0, |summary| summary.count));
        let [model, method, name] = [model, method, name].map(|text| field(text));
        let better = direction(*better);
        text += &format!("{model},{method},{measure},{name},{better},{mean},{low},{high},{count}\n");
    }
    text
}

/// For each model a table of metrics and one of each protocol: a row for each method, the direction beside every number.
fn markdown(results: &Results, entries: &[Entry]) -> String {
    let mut text = "# Leaderboard\n\nMeans with their 95 % confidence intervals (Student's, pictures being independent, cut off where \
                    a metric cannot be), n being the number of pictures. ↑: higher is better, ↓: lower is better, ·: neither is.\n"
        .to_owned();
    for model in distinct(entries.iter().map(|entry| entry.model.as_str())) {
        text += &format!("\n## {model}\n");
        let own: Vec<&Entry> = entries.iter().filter(|entry| entry.model == model).collect();
        for Table { title, columns } in tables(results, &own) {
            let heads = columns.iter().map(|(_, name, better)| format!(" {name} ({better}) |"));
            text += &format!(
                "\n### {title}\n\n| method |{}\n|---|{}\n",
                heads.collect::<String>(),
                "---|".repeat(columns.len())
            );
            let in_table =
                |entry: &&&Entry| columns.iter().any(|(id, name, _)| (id, name) == (&entry.measure, &entry.name));
            for method in distinct(own.iter().filter(in_table).map(|entry| entry.method.as_str())) {
                let cell = |(id, name, better): &(String, String, Better)| {
                    let entry =
                        own.iter().find(|entry| entry.method == method && (id, name) == (&entry.measure, &entry.name));
                    entry.map_or_else(|| " – |".to_owned(), |entry| format!(" {} {} |", entry.value(), arrow(*better)))
                };
                text +=
                    &format!("| {} |{}\n", method.replace('|', "\\|"), columns.iter().map(cell).collect::<String>());
            }
        }
    }
    if !results.refusals.is_empty() {
        text += "\n## What could not be measured\n\n";
        let line =
            |refusal: &crate::scores::Refusal| format!("- {}, {}: {}\n", refusal.model, refusal.what, refusal.reason);
        text.extend(results.refusals.iter().map(line));
    }
    text += "\n## What the numbers say\n\n";
    for metric in &results.metrics {
        text += &format!("- **{}** ({}): {} {}\n", metric.name, metric.better, metric.meaning, metric.caveat);
    }
    for protocol in &results.protocols {
        text += &format!("- **{}**: {} {}\n", protocol.name, protocol.meaning, protocol.caveat);
    }
    text
}

/// The tables of one model.
fn tables(results: &Results, entries: &[&Entry]) -> Vec<Table> {
    let columns = |wanted: &dyn Fn(&str) -> bool| {
        let mut columns: Vec<(String, String, Better)> = Vec::new();
        for entry in entries.iter().filter(|entry| wanted(&entry.measure)) {
            let column = (entry.measure.clone(), entry.name.clone(), entry.better);
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        columns
    };
    let metrics = Table { title: "Metrics".to_owned(), columns: columns(&|id| results.metric(id).is_some()) };
    let protocols = results
        .protocols
        .iter()
        .map(|protocol| Table { title: protocol.name.clone(), columns: columns(&|id| id == protocol.id) });
    [metrics].into_iter().chain(protocols).filter(|table| !table.columns.is_empty()).collect()
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

fn arrow(better: Better) -> &'static str {
    match better {
        Better::Higher => "↑",
        Better::Lower => "↓",
        Better::Neither => "·",
    }
}

#[cfg(test)]
mod tests {
    use vitrine_evaluate::ground_truth::Measured;
    use vitrine_protocol::Score;

    use super::*;
    use crate::scores::SCHEMA;

    /// Two methods by deletion on two pictures, of which the second method has one alone, and a protocol.
    fn results() -> Results {
        let row = |picture: &str, method: &str, value: Option<f64>| Row {
            model: "critters".to_owned(),
            picture: picture.to_owned(),
            method: method.to_owned(),
            metric: "deletion".to_owned(),
            score: Score { value, ..Score::default() },
        };
        let measured = Measured {
            name: "null block".to_owned(),
            better: Better::Lower,
            meaning: "A share.".to_owned(),
            range: [Some(0.0), Some(1.0)],
            values: vec![0.5, 0.7],
        };
        Results {
            schema: SCHEMA,
            metrics: vec![vitrine_evaluate::find("deletion").unwrap().info()],
            protocols: vec![vitrine_evaluate::ground_truth::find("null-block").unwrap().info()],
            scores: vec![
                row("one", "a,b", Some(0.2)),
                row("one", "rise", Some(0.5)),
                row("two", "a,b", Some(0.8)),
                row("two", "rise", None),
            ],
            measured: vec![ProtocolRow {
                model: "digits".to_owned(),
                method: "rise".to_owned(),
                protocol: "null-block".to_owned(),
                measured: vec![measured],
            }],
            refusals: Vec::new(),
            reports: Vec::new(),
        }
    }

    /// Half of 0.6 times Student's 12.706 is 3.8118; of 0.2 it is 1.2706, and a share ends at 0 and 1.
    #[test]
    fn means_stand_with_interval_pictures_and_direction() {
        let results = results();
        let text = markdown(&results, &entries(&results));
        for line in [
            "| method | Deletion (lower is better) |\n",
            "| a,b | 0.5000 [-3.312, 4.312] n=2 ↓ |\n",
            "| rise | 0.5000 n=1 ↓ |\n",
            "| rise | 0.6000 [0.0000, 1.000] n=2 ↓ |\n",
        ] {
            assert!(text.contains(line), "{line:?} is not in\n{text}");
        }
    }

    #[test]
    fn programs_read_the_same_numbers() {
        let lines = csv(&entries(&results()));
        assert!(lines.starts_with("model,method,measure,name,better,mean,low,high,pictures\n"), "{lines}");
        assert!(lines.contains("\ncritters,\"a,b\",deletion,Deletion,lower,0.5,"), "{lines}");
        assert!(lines.contains("\ncritters,rise,deletion,Deletion,lower,0.5,,,1\n"), "{lines}");
    }

    #[test]
    fn numbers_are_rounded_to_what_matters() {
        assert_eq!([0.0, 0.123_456, -12.3456, 98765.4].map(rounded), ["0.0000", "0.1235", "-12.35", "98765"]);
    }
}
