//! What `vitrine evaluate` has measured, as files: every score for programs, and the curves. Means are in the leaderboard.

use std::path::Path;

use serde::Serialize;
use vitrine_evaluate::ground_truth::Measured;
use vitrine_protocol::{Better, MetricInfo, ProtocolInfo, Report, Score};

use crate::{failure::Failure, files};

/// One metric of one map.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) model: String,
    pub(crate) picture: String,
    /// The method, or the file that the map came from.
    pub(crate) method: String,
    pub(crate) metric: String,
    pub(crate) score: Score,
}

/// One protocol with one method.
#[derive(Serialize)]
pub(crate) struct ProtocolRow {
    pub(crate) model: String,
    pub(crate) method: String,
    pub(crate) protocol: String,
    pub(crate) measured: Vec<Measured>,
}

/// What could not be measured.
#[derive(Clone, PartialEq, Serialize)]
pub(crate) struct Refusal {
    pub(crate) model: String,
    /// The method, and where it is known the metric or protocol.
    pub(crate) what: String,
    pub(crate) reason: String,
}

/// Everything measured.
#[derive(Serialize)]
pub(crate) struct Results {
    pub(crate) schema: &'static str,
    pub(crate) metrics: Vec<MetricInfo>,
    pub(crate) protocols: Vec<ProtocolInfo>,
    pub(crate) scores: Vec<Row>,
    pub(crate) measured: Vec<ProtocolRow>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) reports: Vec<Report>,
}

/// Value of [`Results::schema`]; raised when a field changes its meaning.
pub(crate) const SCHEMA: &str = "vitrine-scores-2";

impl Results {
    /// What is known of a metric.
    pub(crate) fn metric(&self, id: &str) -> Option<&MetricInfo> {
        self.metrics.iter().find(|metric| metric.id == id)
    }

    /// Writes `scores.json`, `scores.csv`, and where there are such `curves.csv`.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Failure> {
        files::write(&folder.join("scores.json"), serde_json::to_string_pretty(self)?.as_bytes())?;
        files::write(&folder.join("scores.csv"), self.csv().as_bytes())?;
        if self.scores.iter().any(|row| !row.score.curves.is_empty()) {
            files::write(&folder.join("curves.csv"), self.curves().as_bytes())?;
        }
        Ok(())
    }

    fn csv(&self) -> String {
        let mut text =
            "model,picture,method,measure,name,group,better,value,forward_passes,backward_passes,seconds,seed\n"
                .to_owned();
        for Row { model, picture, method, metric, score } in &self.scores {
            let Some(info) = self.metric(metric) else { continue };
            let value = score.value.map(|value| value.to_string()).unwrap_or_default();
            let Score { forward_passes, backward_passes, seconds, seed, .. } = score;
            let (name, group, better) = (field(&info.name), info.group, direction(info.better));
            let [model, picture, method] = [model, picture, method].map(|text| field(text));
            text += &format!(
                "{model},{picture},{method},{metric},{name},{group},{better},{value},{forward_passes},\
                 {backward_passes},{seconds:.3},{seed}\n"
            );
        }
        for ProtocolRow { model, method, protocol, measured } in &self.measured {
            for Measured { name, better, values, .. } in measured {
                let [model, method, name] = [model, method, name].map(|text| field(text));
                let better = direction(*better);
                for value in values {
                    text += &format!("{model},,{method},{protocol},{name},ground-truth,{better},{value},,,,\n");
                }
            }
        }
        text
    }

    fn curves(&self) -> String {
        let mut text = "model,picture,method,metric,curve,x_label,y_label,x,y\n".to_owned();
        for Row { model, picture, method, metric, score } in &self.scores {
            let [model, picture, method] = [model, picture, method].map(|text| field(text));
            for curve in &score.curves {
                let [name, x_label, y_label] = [&curve.name, &curve.x_label, &curve.y_label].map(|text| field(text));
                for (x, y) in curve.xs.iter().zip(&curve.ys) {
                    text += &format!("{model},{picture},{method},{metric},{name},{x_label},{y_label},{x},{y}\n");
                }
            }
        }
        text
    }
}

/// A field of a table that a comma or a quotation mark cannot break.
pub(crate) fn field(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// What is better, in one word.
pub(crate) fn direction(better: Better) -> &'static str {
    match better {
        Better::Higher => "higher",
        Better::Lower => "lower",
        Better::Neither => "neither",
    }
}
