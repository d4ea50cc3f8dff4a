//! Scores as files: a table for people, one for programs, everything as JSON, and the curves.

use std::path::Path;

use serde::Serialize;
use vitrine_image::encode_png;
use vitrine_protocol::{Better, MetricInfo, Report, Score};

use crate::{failure::Failure, files};

/// One metric of one map.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) method: String,
    pub(crate) metric: MetricInfo,
    pub(crate) score: Score,
}

#[derive(Serialize)]
struct Everything<'a> {
    schema: &'static str,
    scores: &'a [Row],
    reports: &'a [&'a Report],
}

impl Row {
    pub(crate) fn print(&self) {
        let (metric, score) = (&self.metric, &self.score);
        println!("{}  {}  {} ({})", self.method, metric.id, self.value(), metric.better);
        score.notes.iter().for_each(|note| println!("  note  {note}"));
    }

    fn value(&self) -> String {
        self.score.value.map_or_else(|| "none".to_owned(), |value| format!("{value:.6}"))
    }
}

/// Writes `scores.csv`, `scores.md`, `scores.json`, and where there are such `curves.csv` and altered pictures.
pub(crate) fn write(folder: &Path, rows: &[Row], reports: &[&Report]) -> Result<(), Failure> {
    let everything = Everything { schema: "vitrine-scores-1", scores: rows, reports };
    files::write(&folder.join("scores.json"), serde_json::to_string_pretty(&everything)?.as_bytes())?;
    files::write(&folder.join("scores.csv"), csv(rows).as_bytes())?;
    files::write(&folder.join("scores.md"), markdown(rows).as_bytes())?;
    if rows.iter().any(|row| !row.score.curves.is_empty()) {
        files::write(&folder.join("curves.csv"), curves(rows).as_bytes())?;
    }
    for row in rows {
        for (number, altered) in row.score.pictures.iter().enumerate() {
            let name = format!("{}-{}-{number:03}.png", row.method, row.metric.id);
            files::write(&folder.join(name), &encode_png(&altered.picture)?)?;
        }
    }
    Ok(())
}

/// A field that a comma or a quotation mark cannot break.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn csv(rows: &[Row]) -> String {
    let mut text = "method,metric,group,better,value,forward_passes,backward_passes,seconds,seed\n".to_owned();
    for Row { method, metric, score } in rows {
        let better = match metric.better {
            Better::Higher => "higher",
            Better::Lower => "lower",
            Better::Neither => "neither",
        };
        let value = score.value.map(|value| value.to_string()).unwrap_or_default();
        let Score { forward_passes, backward_passes, seconds, seed, .. } = score;
        text += &format!(
            "{},{},{},{better},{value},{forward_passes},{backward_passes},{seconds:.3},{seed}\n",
            field(method),
            metric.id,
            metric.group
        );
    }
    text
}

fn curves(rows: &[Row]) -> String {
    let mut text = "method,metric,curve,x_label,y_label,x,y\n".to_owned();
    for Row { method, metric, score } in rows {
        for curve in &score.curves {
            for (x, y) in curve.xs.iter().zip(&curve.ys) {
                let (name, x_label, y_label) = (field(&curve.name), field(&curve.x_label), field(&curve.y_label));
                text += &format!("{},{},{name},{x_label},{y_label},{x},{y}\n", field(method), metric.id);
            }
        }
    }
    text
}

/// One row for each map, one column for each metric, the direction beside its name.
fn markdown(rows: &[Row]) -> String {
    let (mut methods, mut metrics): (Vec<&str>, Vec<&MetricInfo>) = (Vec::new(), Vec::new());
    for row in rows {
        if !methods.contains(&row.method.as_str()) {
            methods.push(&row.method);
        }
        if metrics.iter().all(|metric| metric.id != row.metric.id) {
            metrics.push(&row.metric);
        }
    }
    let heads = metrics.iter().map(|metric| format!(" {} ({}) |", metric.name, metric.better));
    let mut text = format!("| method |{}\n|---|{}\n", heads.collect::<String>(), "---|".repeat(metrics.len()));
    for method in methods {
        let value = |metric: &&MetricInfo| {
            let row = rows.iter().find(|row| row.method == method && row.metric.id == metric.id);
            format!(" {} |", row.map(Row::value).unwrap_or_default())
        };
        text += &format!("| {} |{}\n", method.replace('|', "\\|"), metrics.iter().map(value).collect::<String>());
    }
    text += "\n";
    for metric in metrics {
        text += &format!("- **{}** ({}): {} {}\n", metric.name, metric.better, metric.meaning, metric.caveat);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_direction_stands_beside_every_number() {
        let metric = vitrine_evaluate::find("deletion").unwrap().info();
        let score = Score { value: Some(0.25), ..Score::default() };
        let row = |method: &str| Row { method: method.to_owned(), metric: metric.clone(), score: score.clone() };
        let rows = [row("a,b"), row("rise")];
        let table = markdown(&rows);
        assert!(
            table.starts_with("| method | Deletion (lower is better) |\n|---|---|\n| a,b | 0.250000 |\n"),
            "{table}"
        );
        let lines = csv(&rows);
        assert_eq!(lines.lines().nth(1), Some("\"a,b\",deletion,faithfulness,lower,0.25,0,0,0.000,0"), "{lines}");
    }
}
