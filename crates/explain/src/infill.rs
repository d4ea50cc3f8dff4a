//! What "removed" looks like: the tensor in place of the input, or of the parts of it that are taken away.

use std::{collections::BTreeMap, fmt};

use vitrine_graph::Value;
use vitrine_image::{Planes, from_planes, infill, to_planes};
use vitrine_protocol::{Parameter, ParameterKind, ParameterValue};

use crate::{
    Context, ExplainError, Explainer, RegionsSpec, find,
    options::OptionValue,
    random::{Purpose, Random},
    wrapper::{METHOD, split},
};

/// What the input is replaced by.
///
/// `zero` and `value:V` are meant in tensor space: what the model sees after preprocessing. There zero is rarely
/// black; for a model with a subtracted mean it is the average colour of its training pictures. All other words are
/// meant in pixel space and go through the same preprocessing as the picture itself.
///
/// Where the input is not an image, `black`, the default of every method, stands for zero, and the other words of
/// pixel space are refused.
///
/// `inpaint`, `interpolate` and `tile` continue what is kept, so they are for methods that remove parts, not for baselines.
#[derive(Clone, Debug, PartialEq)]
pub enum Infill {
    /// Zero in tensor space.
    Zero,
    /// A number in tensor space.
    Value(f32),
    /// Black pixels.
    Black,
    /// White pixels.
    White,
    /// Half-bright pixels.
    Grey,
    /// The input's mean colour.
    Mean,
    /// The input out of focus, by a standard deviation of a sixteenth of its shorter side.
    Blur,
    /// Seeded noise, uniform in every channel of every pixel.
    Noise,
    /// The smooth surface that goes on from around a removed part.
    Inpaint,
    /// The mean of what is around a removed part, and a little noise, as in ROAD.
    Interpolate,
    /// What lies beside a removed part.
    Tile,
    /// A ready-made tensor from a file.
    File(String),
}

impl Infill {
    /// Reads an infill as typed. What is no known word is a path; nothing for `value:` without a finite number.
    pub fn parse(text: &str) -> Option<Infill> {
        Some(match text {
            "zero" => Infill::Zero,
            "black" => Infill::Black,
            "white" => Infill::White,
            "grey" => Infill::Grey,
            "mean" => Infill::Mean,
            "blur" => Infill::Blur,
            "noise" => Infill::Noise,
            "inpaint" => Infill::Inpaint,
            "interpolate" => Infill::Interpolate,
            "tile" => Infill::Tile,
            _ => match text.strip_prefix("value:") {
                Some(value) => Infill::Value(value.parse().ok().filter(|value: &f32| value.is_finite())?),
                None => Infill::File(text.to_owned()),
            },
        })
    }

    /// Whether it depends on which parts are removed.
    pub(crate) fn continues_what_is_kept(&self) -> bool {
        matches!(self, Infill::Inpaint | Infill::Interpolate | Infill::Tile)
    }

    /// The infill of the context's input as a whole: a value of the same shape.
    ///
    /// # Errors
    /// [`ExplainError::NoPixels`] for words of pixel space where the input is no image, [`ExplainError::NoInfillFile`] and
    /// [`ExplainError::InfillSize`] for files, [`ExplainError::NothingKept`] for what continues kept parts.
    pub async fn tensor(&self, context: &Context<'_>) -> Result<Value, ExplainError> {
        let (shape, device) = (context.input.shape(), context.input.device());
        let upload = |values: &[f32]| Value::from_f32(values, shape, &device);
        let Some(pixels) = context.pixels else {
            return match self {
                Infill::Zero | Infill::Black => Ok(Value::full(0.0, shape, &device)),
                Infill::Value(value) => Ok(Value::full(*value, shape, &device)),
                Infill::File(path) => Ok(upload(from_file(context, path)?)),
                _ => Err(ExplainError::NoPixels { infill: self.to_string() }),
            };
        };
        let planes = || async { Ok::<Planes, ExplainError>(to_planes(&context.input.to_vec().await?, pixels)?) };
        let filled = match self {
            Infill::Zero => return Ok(Value::full(0.0, shape, &device)),
            Infill::Value(value) => return Ok(Value::full(*value, shape, &device)),
            Infill::File(path) => return Ok(upload(from_file(context, path)?)),
            Infill::Black => infill::black(&planes().await?),
            Infill::White => infill::white(&planes().await?),
            Infill::Grey => infill::grey(&planes().await?),
            Infill::Mean => infill::mean(&planes().await?),
            Infill::Blur => infill::blur(&planes().await?),
            Infill::Noise => {
                let mut random = Random::new(context.seed, Purpose::Infill, 0);
                infill::noise(&planes().await?, || random.uniform())
            }
            Infill::Inpaint | Infill::Interpolate | Infill::Tile => {
                return Err(ExplainError::NothingKept { infill: self.to_string() });
            }
        };
        Ok(upload(&from_planes(&filled, pixels)?))
    }

    /// What to tell the reader about this infill on this input.
    pub fn note(&self, context: &Context<'_>) -> Option<String> {
        let stands_for_zero = *self == Infill::Black && context.pixels.is_none();
        stands_for_zero.then(|| "It is not known how pixels become this input, so black stands for zero.".to_owned())
    }
}

fn from_file<'a>(context: &Context<'a>, path: &str) -> Result<&'a [f32], ExplainError> {
    let file = context.infill_files.get(path).ok_or_else(|| ExplainError::NoInfillFile { path: path.to_owned() })?;
    if file.len() != context.input.len() {
        let (found, expected) = (file.len(), context.input.len());
        return Err(ExplainError::InfillSize { path: path.to_owned(), found, expected });
    }
    Ok(file)
}

impl fmt::Display for Infill {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Infill::Zero => formatter.write_str("zero"),
            Infill::Value(value) => write!(formatter, "value:{value}"),
            Infill::Black => formatter.write_str("black"),
            Infill::White => formatter.write_str("white"),
            Infill::Grey => formatter.write_str("grey"),
            Infill::Mean => formatter.write_str("mean"),
            Infill::Blur => formatter.write_str("blur"),
            Infill::Noise => formatter.write_str("noise"),
            Infill::Inpaint => formatter.write_str("inpaint"),
            Infill::Interpolate => formatter.write_str("interpolate"),
            Infill::Tile => formatter.write_str("tile"),
            Infill::File(path) => formatter.write_str(path),
        }
    }
}

impl OptionValue for Infill {
    fn from_parameter(value: &ParameterValue) -> Option<Self> {
        Infill::parse(&value.to_string())
    }

    fn to_parameter(&self) -> ParameterValue {
        ParameterValue::Text(self.to_string())
    }
}

/// The paths among a method's given parameters, and those of a method within it: the files that [`Context::infill_files`] must hold.
pub fn infill_paths(explainer: &dyn Explainer, given: &BTreeMap<String, String>) -> Vec<String> {
    let mut paths = paths_in(explainer.info().parameters, given);
    let (_, inner) = split(given);
    if !inner.is_empty()
        && let Some(method) = given.get(METHOD).and_then(|id| find(id).ok())
    {
        paths.extend(infill_paths(method, &inner));
    }
    paths
}

/// The paths that these parameters name where they mean an infill or regions.
pub fn paths_in(parameters: Vec<Parameter>, given: &BTreeMap<String, String>) -> Vec<String> {
    let named = |parameter: Parameter| {
        let text = given.get(&parameter.id)?;
        match parameter.kind {
            ParameterKind::Infill => match Infill::parse(text) {
                Some(Infill::File(path)) => Some(path),
                _ => None,
            },
            ParameterKind::Regions => match RegionsSpec::parse(text) {
                Some(RegionsSpec::File(path)) => Some(path),
                _ => None,
            },
            _ => None,
        }
    };
    parameters.into_iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use vitrine_protocol::{Channels, ImageInput, Layout};

    use super::*;
    use crate::testing::{Question, linear};

    /// The tensor of an infill for a grey picture of one row, whose pixels become (pixel - 0.5) / 0.25.
    fn filled(infill: &str, seed: u64) -> Result<Vec<f32>, ExplainError> {
        let input =
            ImageInput { mean: vec![0.5], std: vec![0.25], ..ImageInput::plain(Layout::Nchw, Channels::Grey, 1, 4) };
        let question = Question::new(linear(&[1, 1, 4]), &[-2.0, -2.0, 0.0, 2.0]).pixels(input).seed(seed);
        let file = ("there.npy".to_owned(), vec![1.0, 2.0, 3.0, 4.0]);
        let short = ("short.npy".to_owned(), vec![1.0]);
        let question = question.infill_files([file, short]);
        let infill = Infill::parse(infill).unwrap();
        pollster::block_on(async { Ok(infill.tensor(&question.context()).await?.to_vec().await?) })
    }

    #[test]
    fn words_of_pixel_space_go_through_the_preprocessing() {
        assert_eq!(filled("black", 0).unwrap(), [-2.0; 4]);
        assert_eq!(filled("white", 0).unwrap(), [2.0; 4]);
        assert_eq!(filled("grey", 0).unwrap(), [0.0; 4]);
        // The pixels are 0, 0, 0.5 and 1: their mean is 0.375.
        assert_eq!(filled("mean", 0).unwrap(), [-0.5; 4]);
    }

    #[test]
    fn zero_and_values_are_of_tensor_space() {
        assert_eq!(filled("zero", 0).unwrap(), [0.0; 4]);
        assert_eq!(filled("value:-1.5", 0).unwrap(), [-1.5; 4]);
    }

    #[test]
    fn noise_has_pixels_that_the_seed_decides() {
        let noise = filled("noise", 1).unwrap();
        assert!(noise.iter().all(|value| (-2.0..2.0).contains(value)), "{noise:?}");
        assert_eq!(filled("noise", 1).unwrap(), noise);
        assert_ne!(filled("noise", 2).unwrap(), noise);
    }

    #[test]
    fn a_file_must_have_been_read_and_fit() {
        assert_eq!(filled("there.npy", 0).unwrap(), [1.0, 2.0, 3.0, 4.0]);
        let error = filled("blakc", 0).unwrap_err().to_string();
        assert!(error.contains("no file \"blakc\"") && error.contains("black"), "{error}");
        let error = filled("short.npy", 0).unwrap_err().to_string();
        assert_eq!(error, "The infill \"short.npy\" has 1 values, and the model's input has 4.");
    }

    #[test]
    fn without_pixels_black_is_zero_and_other_colours_are_refused() {
        let question = Question::new(linear(&[3]), &[1.0, 2.0, 3.0]);
        let context = question.context();
        let black = pollster::block_on(Infill::Black.tensor(&context)).unwrap();
        assert_eq!(pollster::block_on(black.to_vec()).unwrap(), [0.0; 3]);
        assert!(Infill::Black.note(&context).is_some());
        let error = pollster::block_on(Infill::White.tensor(&context)).unwrap_err();
        assert!(matches!(error, ExplainError::NoPixels { .. }), "{error}");
    }

    #[test]
    fn an_infill_reads_back_as_written() {
        let colours = ["zero", "value:0.25", "black", "white", "grey", "mean"];
        for text in colours.into_iter().chain(["blur", "noise", "inpaint", "interpolate", "tile", "some/file.npy"]) {
            assert_eq!(Infill::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Infill::parse("value:red"), None);
        assert_eq!(Infill::parse("value:inf"), None);
    }
}
