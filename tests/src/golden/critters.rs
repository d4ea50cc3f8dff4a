//! The built-in model on its sample images, through the session that page and command line use, against PyTorch, ONNX
//! Runtime and Captum.

use serde::Deserialize;
use vitrine_engine::{ExplainOptions, Place, Session, Silent};
use vitrine_explain::{Attribution, Head};
use vitrine_graph::{Probe, Run, Value};
use vitrine_image::{decode, to_tensor};
use vitrine_protocol::ExplainRequest;
use vitrine_zoo::samples;

use super::explanations::{GradCam, IntegratedGradients};
use super::{Read, TOLERANCE, array, compare, words};
use crate::critters;

/// The index, as far as the built-in model is concerned.
#[derive(Debug, Deserialize)]
pub struct Index {
    /// The built-in model's reference values.
    pub critters: Case,
}

/// Reference values of the built-in model.
#[derive(Debug, Deserialize)]
pub struct Case {
    sha256: String,
    samples: Vec<String>,
    logits: String,
    probabilities: String,
    explained: Vec<Explained>,
}

#[derive(Debug, Deserialize)]
struct Explained {
    sample: usize,
    target: usize,
    input_gradient: String,
    integrated_gradients: IntegratedGradients,
    grad_cam: GradCam,
}

/// Compares logits and probabilities of every sample, and gradients and explanations of some.
///
/// # Errors
/// Names what differs, where and by how much.
pub async fn built_in_model(case: &Case, place: Place, read: Read<'_>) -> Result<(), String> {
    let model = critters::builtin().ok_or("there is no built-in model")?;
    if model.sha256 != case.sha256 {
        return Err("the reference values are those of another model; make them again".to_owned());
    }
    let files: Vec<String> = samples()
        .iter()
        .filter(|sample| sample.parts.is_some())
        .map(|sample| format!("crates/zoo/samples/{}", sample.file))
        .collect();
    let of = |path: &str| files.iter().position(|file| file == path).ok_or(format!("{path} is no sample"));
    let mut session = critters::session(place).await.map_err(words)?;
    let (logits, probabilities) = (array(read, &case.logits)?, array(read, &case.probabilities)?);
    let classes = session.model().map_err(words)?.labels().len();
    for (row, path) in case.samples.iter().enumerate() {
        let sample = of(path)?;
        session.load_sample(sample).await.map_err(words)?;
        let mut found = session.predictions().map_err(words)?;
        found.sort_by_key(|prediction| prediction.class);
        let found: Vec<f32> = found.iter().map(|prediction| prediction.score).collect();
        let expected = &probabilities.values[row * classes..][..classes];
        compare(&format!("{path}: the probabilities"), &found, expected, TOLERANCE)?;
        let (found, _) = logits_and_gradient(&session, sample, 0).await?;
        compare(&format!("{path}: the logits"), &found, &logits.values[row * classes..][..classes], TOLERANCE)?;
    }
    for explained in &case.explained {
        let path = &case.samples[explained.sample];
        check(&mut session, of(path)?, explained, read).await.map_err(|error| format!("{path}: {error}"))?;
    }
    if case.explained.is_empty() { Err("no sample is explained".to_owned()) } else { Ok(()) }
}

/// The gradient and both explanations of one sample.
async fn check(session: &mut Session, sample: usize, case: &Explained, read: Read<'_>) -> Result<(), String> {
    let (_, gradient) = logits_and_gradient(session, sample, case.target).await?;
    compare("the input gradient", &gradient, &array(read, &case.input_gradient)?.values, TOLERANCE)?;
    session.load_sample(sample).await.map_err(words)?;
    let steps = case.integrated_gradients.steps.to_string();
    let parameters = [("rule", case.integrated_gradients.rule.as_str()), ("steps", &steps), ("baseline", "black")];
    let found = explain(session, "integrated-gradients", &parameters, case, None).await?;
    case.integrated_gradients.check(&found, read)?;
    let layer = Some(case.grad_cam.layer.clone());
    let signed = explain(session, "grad-cam", &[("relu", "false")], case, layer.clone()).await?;
    // The card names the layer.
    let positive = explain(session, "grad-cam", &[], case, None).await?;
    if positive.layer != layer {
        return Err(format!("the default layer is {:?}", positive.layer));
    }
    case.grad_cam.check(&signed, &positive, read)
}

async fn explain(
    session: &Session,
    method: &str,
    parameters: &[(&str, &str)],
    case: &Explained,
    layer: Option<String>,
) -> Result<Attribution, String> {
    let request = ExplainRequest {
        method: method.to_owned(),
        target: case.target.to_string(),
        layer,
        parameters: super::explanations::owned(parameters),
        ..ExplainRequest::default()
    };
    let explained = session.explain(&request, &ExplainOptions::default(), &Silent).await;
    Ok(explained.map_err(words)?.attribution)
}

/// The logits of a sample, and the gradient of one of them at the preprocessed image.
async fn logits_and_gradient(session: &Session, sample: usize, class: usize) -> Result<(Vec<f32>, Vec<f32>), String> {
    let model = session.model().map_err(words)?;
    let (name, shape) = model.input();
    let pixels = decode(samples()[sample].png).map_err(words)?;
    let image = to_tensor(&pixels, model.pixels().map_err(words)?).map_err(words)?;
    let head = Head::of(&model.graph).map_err(words)?;
    let run = Run::of([head.logits()])
        .feed(&name, Value::from_f32(&image, &shape, model.graph.device()))
        .probe(&name, Probe::Gradient);
    let trace = model.graph.run(&run).map_err(words)?;
    let logits = trace.value(head.logits()).map_err(words)?;
    let gradients = trace.gradients(&logits.narrow(1, class, 1).map_err(words)?).map_err(words)?;
    Ok((logits.to_vec().await.map_err(words)?, gradients[&name].to_vec().await.map_err(words)?))
}
