//! What a method says of itself: the source of command-line help, page controls, documentation and shared tests.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Everything the outside needs to know of a method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodInfo {
    /// Kebab-case identifier, unique and stable: `integrated-gradients`.
    pub id: String,
    /// The name as the literature writes it: `Integrated Gradients`.
    pub name: String,
    /// Which engine it stands on, and how menus group it.
    pub family: Family,
    /// Two plain sentences for somebody who meets the method for the first time: what it does, and what to watch.
    pub summary: String,
    /// The paper.
    pub reference: Reference,
    /// What a model must offer.
    pub needs: Vec<Need>,
    /// Its options, in the order a form shows them.
    pub parameters: Vec<Parameter>,
    /// What tests may hold it to.
    pub promises: Vec<Promise>,
}

/// How methods are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Derivatives of the target at the input.
    Gradient,
    /// Gradients collected along a path from a baseline to the input.
    Path,
    /// Class activation maps: weighted sums of a layer's channels.
    Cam,
    /// Something sent backwards through the network by rules of its own.
    Propagation,
    /// Many masked copies of the input, scored by forward passes alone.
    Sampling,
    /// A mask improved step by step, by gradients, until what it marks decides the answer.
    Optimisation,
    /// A picture made by climbing, instead of a map of one that is given.
    Visualisation,
}

impl fmt::Display for Family {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Family::Gradient => "gradient",
            Family::Path => "path",
            Family::Cam => "cam",
            Family::Propagation => "propagation",
            Family::Sampling => "sampling",
            Family::Optimisation => "optimisation",
            Family::Visualisation => "visualisation",
        })
    }
}

/// A paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Authors, as cited.
    pub authors: String,
    /// Year of publication.
    pub year: u16,
    /// Full title.
    pub title: String,
    /// Conference or journal.
    pub venue: String,
}

/// What a method needs of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Forward passes.
    Forward,
    /// A gradient path from the target back to the input or layer.
    Gradient,
    /// A layer whose values have channels and two spatial axes.
    SpatialLayer,
    /// An input with channels and two spatial axes.
    ImageInput,
}

/// A property that the shared tests check for every method that promises it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// The attributions sum to the difference between the target at the input and at the baseline.
    Completeness,
    /// A model that ignores its input gets an all-zero map.
    ZeroForConstantModel,
    /// The attribution of the difference of two scores is the difference of their attributions.
    Linearity,
    /// Two pixels that the model treats alike, and that are alike, get the same attribution.
    Symmetry,
    /// A pixel that the model does not look at gets zero.
    DummyFeature,
    /// Two models that compute the same function by other nodes get the same attribution.
    ImplementationInvariance,
    /// The result depends on the seed and is the same for the same seed.
    Seeded,
    /// Reports partial maps while it runs.
    Partial,
    /// Makes a picture, and shows it while it runs.
    Picture,
}

/// One option of a method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Kebab-case key, as in `--param steps=50`.
    pub id: String,
    /// What it does, its unit and its effect.
    pub help: String,
    /// Type and range.
    pub kind: ParameterKind,
    /// The value when none is given, written as [`ParameterKind::parse`] reads it.
    pub default: ParameterValue,
}

/// Type and range of a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ParameterKind {
    /// A whole number, both ends included.
    Integer {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// A real number, both ends included.
    Number {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// `true` or `false`.
    Boolean,
    /// One of a list.
    Choice {
        /// What may be chosen.
        choices: Vec<Choice>,
    },
    /// A method that this one goes around. The parameters of that method come after, each with this parameter's id
    /// and a dot before its own: `method.steps`.
    Method {
        /// Ids of the methods that may be chosen.
        methods: Vec<String>,
    },
    /// What "removed" looks like: `zero`, `value:V`, `black`, `white`, `grey`, `mean`, `blur`, `noise`, `inpaint`,
    /// `interpolate`, `tile`, or a path.
    Infill,
    /// Parts that are kept or removed as a whole: `grid:HxW`, `slic:N`, `felzenszwalb:SCALE`, `quickshift`, `watershed:N`,
    /// `elements`, or the path of a `.npy` label map.
    Regions,
    /// Lengths along axes: `HxW`, one number, or one for each axis; `auto` for what suits the input.
    Extent,
}

/// One entry of a [`ParameterKind::Choice`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The value to give.
    pub id: String,
    /// What it means.
    pub help: String,
}

/// A parameter's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParameterValue {
    /// Of [`ParameterKind::Boolean`].
    Boolean(bool),
    /// Of [`ParameterKind::Integer`].
    Integer(i64),
    /// Of [`ParameterKind::Number`].
    Number(f64),
    /// Of the other kinds.
    Text(String),
}

impl fmt::Display for ParameterValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParameterValue::Boolean(value) => value.fmt(formatter),
            ParameterValue::Integer(value) => value.fmt(formatter),
            ParameterValue::Number(value) => value.fmt(formatter),
            ParameterValue::Text(value) => value.fmt(formatter),
        }
    }
}

/// Why a parameter was refused; the text says what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// Not of the right type, outside the range or not in the list.
    #[error("{found:?} is not {expected}")]
    Value {
        /// What was given.
        found: String,
        /// What is accepted.
        expected: String,
    },
}

impl ParameterKind {
    /// Reads a value as typed on the command line, in a link or in a form.
    ///
    /// # Errors
    /// [`ParameterError::Value`] when the text is of another type, out of range or not among the choices.
    pub fn parse(&self, text: &str) -> Result<ParameterValue, ParameterError> {
        let refused = || ParameterError::Value { found: text.to_owned(), expected: self.expectation() };
        match self {
            ParameterKind::Integer { min, max } => match text.parse::<i64>() {
                Ok(value) if (*min..=*max).contains(&value) => Ok(ParameterValue::Integer(value)),
                _ => Err(refused()),
            },
            ParameterKind::Number { min, max } => match text.parse::<f64>() {
                Ok(value) if (*min..=*max).contains(&value) => Ok(ParameterValue::Number(value)),
                _ => Err(refused()),
            },
            ParameterKind::Boolean => match text {
                "true" => Ok(ParameterValue::Boolean(true)),
                "false" => Ok(ParameterValue::Boolean(false)),
                _ => Err(refused()),
            },
            ParameterKind::Choice { choices } => {
                if choices.iter().any(|choice| choice.id == text) {
                    Ok(ParameterValue::Text(text.to_owned()))
                } else {
                    Err(refused())
                }
            }
            ParameterKind::Method { methods } if methods.iter().any(|id| id == text) => {
                Ok(ParameterValue::Text(text.to_owned()))
            }
            ParameterKind::Method { .. } => Err(refused()),
            // Whether a readable file is named is known only where files can be read.
            ParameterKind::Infill | ParameterKind::Regions if !text.is_empty() => {
                Ok(ParameterValue::Text(text.to_owned()))
            }
            ParameterKind::Infill | ParameterKind::Regions => Err(refused()),
            ParameterKind::Extent if is_extent(text) => Ok(ParameterValue::Text(text.to_owned())),
            ParameterKind::Extent => Err(refused()),
        }
    }

    /// What the parameter accepts, to go after "is not" or "must be".
    pub fn expectation(&self) -> String {
        match self {
            ParameterKind::Integer { min, max } => format!("a whole number from {min} to {max}"),
            ParameterKind::Number { min, max } => format!("a number from {min} to {max}"),
            ParameterKind::Boolean => "true or false".to_owned(),
            ParameterKind::Choice { choices } => {
                let ids: Vec<&str> = choices.iter().map(|choice| choice.id.as_str()).collect();
                format!("one of {}", ids.join(", "))
            }
            ParameterKind::Method { methods } => format!("one of the methods {}", methods.join(", ")),
            ParameterKind::Infill => {
                "zero, value:V, black, white, grey, mean, blur, noise, inpaint, interpolate, tile or a path to an image or .npy file"
                    .to_owned()
            }
            ParameterKind::Extent => "auto, or whole numbers from 1 with x between, such as 8x8".to_owned(),
            ParameterKind::Regions => {
                "auto, grid:HxW, slic:N, felzenszwalb:SCALE, quickshift, watershed:N, elements, parts (of a built-in picture) or a path to a .npy file"
                    .to_owned()
            }
        }
    }
}

fn is_extent(text: &str) -> bool {
    text == "auto" || text.split('x').all(|size| size.parse::<u32>().is_ok_and(|size| size > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_outside_its_range_is_refused_with_the_range() {
        let keep = ParameterKind::Number { min: 0.01, max: 0.99 };
        let error = keep.parse("1.5").unwrap_err().to_string();
        assert_eq!(error, "\"1.5\" is not a number from 0.01 to 0.99");
        assert!(keep.parse("NaN").is_err(), "not a number is outside every range");
    }

    #[test]
    fn a_choice_lists_what_it_accepts() {
        let choice = |id: &str| Choice { id: id.to_owned(), help: String::new() };
        let rule = ParameterKind::Choice { choices: vec![choice("left"), choice("right")] };
        assert_eq!(rule.parse("left"), Ok(ParameterValue::Text("left".to_owned())));
        assert_eq!(rule.parse("up").unwrap_err().to_string(), "\"up\" is not one of left, right");
    }
}
