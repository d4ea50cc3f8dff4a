//! What a metric of explanations says of itself, and what it found.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{Map, Parameter, ParameterValue, Picture, Reference};

/// Everything the outside needs to know of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricInfo {
    /// Kebab-case identifier, unique and stable: `deletion`.
    pub id: String,
    /// The name as the literature writes it: `Deletion`.
    pub name: String,
    /// What it asks of a map, and how menus group it.
    pub group: MetricGroup,
    /// What a good value is.
    pub better: Better,
    /// The smallest and the largest value there can be, where there are such.
    pub range: [Option<f64>; 2],
    /// What the number says, in one plain sentence.
    pub meaning: String,
    /// What it does not say, in one plain sentence.
    pub caveat: String,
    /// The paper.
    pub reference: Reference,
    /// What it needs beside a model, an input and a map.
    pub needs: Vec<MetricNeed>,
    /// Its options, in the order a form shows them.
    pub parameters: Vec<Parameter>,
}

/// How metrics are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetricGroup {
    /// Does the map say what the model looks at?
    Faithfulness,
    /// Does the map stay the same where nothing that matters changes?
    Robustness,
    /// Does the map change where the model or the question changes?
    Randomisation,
    /// How much is there to look at?
    Complexity,
    /// Do other methods say the same?
    Agreement,
    /// Does the map lie on a place that is known?
    Localisation,
}

impl MetricGroup {
    /// Every group, in menu order.
    pub const ALL: &[MetricGroup] = &[
        MetricGroup::Faithfulness,
        MetricGroup::Robustness,
        MetricGroup::Randomisation,
        MetricGroup::Complexity,
        MetricGroup::Agreement,
        MetricGroup::Localisation,
    ];
}

impl fmt::Display for MetricGroup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            MetricGroup::Faithfulness => "faithfulness",
            MetricGroup::Robustness => "robustness",
            MetricGroup::Randomisation => "randomisation",
            MetricGroup::Complexity => "complexity",
            MetricGroup::Agreement => "agreement",
            MetricGroup::Localisation => "localisation",
        })
    }
}

/// What a good value of a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// The larger, the better.
    Higher,
    /// The smaller, the better.
    Lower,
    /// It describes the map and does not judge it.
    Neither,
}

impl fmt::Display for Better {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Better::Higher => "higher is better",
            Better::Lower => "lower is better",
            Better::Neither => "neither is better",
        })
    }
}

/// What a metric needs beside a model, an input and a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetricNeed {
    /// The method that made the map, which is run again.
    Method,
    /// The place where the map should lie.
    Mask,
    /// Maps of other methods.
    OtherMaps,
    /// An input that is an image.
    Image,
}

/// What a metric found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Metric id.
    pub metric: String,
    /// The number; nothing where there is none, which a note then explains.
    pub value: Option<f64>,
    /// What lies behind the number, for metrics that follow something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<Curve>,
    /// Altered inputs on the way, where the parameters ask for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<Altered>,
    /// Maps that were made again on the way, where the parameters ask for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maps: Vec<MadeAgain>,
    /// What the reader should know, one sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Every parameter with the value used, defaults included.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// The seed of all randomness.
    pub seed: u64,
    /// Single-image forward passes.
    pub forward_passes: u64,
    /// Single-image backward passes.
    pub backward_passes: u64,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// Points that belong together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// What it is called where there are several.
    pub name: String,
    /// What runs along the horizontal axis.
    pub x_label: String,
    /// What runs along the vertical axis.
    pub y_label: String,
    /// Positions, rising.
    pub xs: Vec<f64>,
    /// As many values.
    pub ys: Vec<f64>,
}

/// A map that was made again after something had changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MadeAgain {
    /// Its position along the curve.
    pub x: f64,
    /// One number per pixel of the input.
    pub map: Map,
}

/// An input as a metric has altered it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Altered {
    /// Name of its curve.
    pub curve: String,
    /// Its position along the curve.
    pub x: f64,
    /// The target's value.
    pub y: f64,
    /// What it looks like.
    pub picture: Picture,
}
