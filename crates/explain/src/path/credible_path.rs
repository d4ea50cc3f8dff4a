//! Credible path attribution: integrated gradients from several references at once, chosen because the model says least
//! about them. One arbitrary baseline is no "absence" for a deep model; what most references agree on is credible, and
//! where they disagree the map says so.
//!
//! Naveed Akhtar, Mohammad A. A. K. Jalwana: Towards Credible Visual Model Interpretation with Path Attribution.
//! ICML 2023.
//!
//! Departures: the paper's analysis is followed, its algorithm is not reproduced. References are the colours, the input's
//! mean and its blur, ordered by the entropy of the model's answer to them, highest first; the maps are averaged. The
//! disagreement is the standard error of their mean.

use vitrine_graph::{Run, Value};
use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, Infill, LocalBoxFuture, Rule,
    attribution::check_finite,
    completeness::{Found, Steps, ignored},
    integrator::{Ends, Scalar, integrate},
    observer::Progress,
    options::{integer, number, options},
};

options! {
    /// Options of [`CrediblePath`].
    pub struct CrediblePathOptions {
        /// How many references are used: of black, white, grey, the input's mean colour and its blur those about which
        /// the model says least. What is not known as an image is compared with zero.
        references: usize [integer(1, 5)] = 3,
        /// Points on each way, each one forward and one backward pass.
        steps: usize [integer(1, 1000)] = 30,
        /// Where the points lie and how much each counts.
        rule: Rule [Rule::kind()] = Rule::GaussLegendre,
        /// Largest completeness gap accepted, as a part of the target's difference between input and references: while
        /// it is larger, everything is run again with twice the steps, up to 32 times as many. 0 accepts any.
        max_gap: f64 [number(0.0, 1.0)] = 0.0,
    }
}

/// Credible path attribution (Akhtar, Jalwana 2023).
pub struct CrediblePath;

/// The references to choose from.
fn candidates(context: &Context<'_>) -> Vec<Infill> {
    match context.pixels {
        Some(_) => vec![Infill::Black, Infill::White, Infill::Grey, Infill::Mean, Infill::Blur],
        None => vec![Infill::Zero],
    }
}

impl Explainer for CrediblePath {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "credible-path".to_owned(),
            name: "Credible Path Attribution".to_owned(),
            family: Family::Path,
            summary: "Fades the picture in from the empty pictures that tell the model least, and shows what the \
                      maps have in common. Use it when you do not know what should count as empty; it costs one \
                      whole fade for each of them."
                .to_owned(),
            reference: Reference {
                authors: "Naveed Akhtar, Mohammad A. A. K. Jalwana".to_owned(),
                year: 2023,
                title: "Towards Credible Visual Model Interpretation with Path Attribution".to_owned(),
                venue: "ICML".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: CrediblePathOptions::parameters(),
            promises: vec![Promise::Completeness, Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = CrediblePathOptions::parse(context.parameters)?;
        let candidates = candidates(context).len();
        let passes = options.steps * options.references.min(candidates);
        Ok(Cost { forward_passes: (passes + candidates + 1) as u64, backward_passes: passes as u64 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = CrediblePathOptions::parse(context.parameters)?;
    let candidates = candidates(context);
    let count = options.references.min(candidates.len());
    let beside = candidates.len() + 1;
    let mut steps = Steps::start(context, options.steps, count, beside, options.max_gap);
    let (at_input, _) = answer(context, context.input.clone()).await?;
    check_finite(&[at_input], "The target at the input", "check the input's values and the model card")?;
    steps.progress.advance(1).await?;
    let mut references = Vec::new();
    for infill in candidates {
        let start = infill.tensor(context).await?;
        let (at_start, entropy) = answer(context, start.clone()).await?;
        check_finite(&[at_start], "The target at a reference", "check the model card")?;
        steps.progress.advance(1).await?;
        references.push((infill, entropy, Ends { start, end: context.input.clone(), at_start, at_end: at_input }));
    }
    references.sort_by(|a, b| b.1.total_cmp(&a.1));
    references.truncate(count);
    let at_references = references.iter().map(|(_, _, ends)| ends.at_start).sum::<f32>() / count as f32;
    let mut maps = Vec::new();
    let attribute = async |steps: usize, progress: &mut Progress<'_>| {
        let mut values = vec![0.0; context.input.len()];
        maps.clear();
        for (_, _, ends) in &references {
            let points = options.rule.points(steps);
            let gradient = integrate(context, Scalar::Target, context.input_name, ends, &points, progress).await?;
            let Some(gradient) = gradient else { continue };
            let found = gradient.mul(&ends.end.sub(&ends.start)?)?.to_vec().await?;
            values.iter_mut().zip(&found).for_each(|(sum, value)| *sum += value / count as f32);
            maps.push(HeatMap::of_input(&found, context.shape(), context.layout()));
        }
        Ok(values)
    };
    let (values, gap) = steps.refined(at_input - at_references, attribute).await?;
    let listed: Vec<String> =
        references.iter().map(|(infill, entropy, _)| format!("{infill} ({:.0} %)", 100.0 * entropy)).collect();
    let mut notes = vec![format!(
        "References, with how undecided the model is about them: {}. The prediction at the baseline is their mean.",
        listed.join(", ")
    )];
    notes.extend(steps.note(gap, at_input - at_references));
    if maps.is_empty() {
        notes.push(ignored(context));
    }
    let backward_passes = steps.progress.done() - beside as u64;
    let (parameters, ends) = (options.values(), [at_input, at_references]);
    let found = Found { layer: None, values, ends, gap: Some(gap), backward_passes, parameters, notes };
    let attribution = found.attribution(context, &steps.progress);
    Ok(Attribution { standard_error: disagreement(&maps, &attribution.map), ..attribution })
}

/// The target at an input of one sample, and how undecided the model is about it: the entropy of its answer as a part of
/// the largest there can be.
async fn answer(context: &Context<'_>, input: Value) -> Result<(f32, f32), ExplainError> {
    let head = context.target.head();
    let trace = context.graph.run(&Run::of([head.logits()]).feed(context.input_name, input))?;
    let logits = trace.value(head.logits())?;
    let target = context.target.objective(logits)?.to_vec().await?.first().copied().unwrap_or(f32::NAN);
    // Of a detector's or segmenter's answer there is no such number: the references stay in their order.
    let undecided = if head.is_per_class() { undecided(&logits.to_vec().await?, head.is_exclusive()) } else { 0.0 };
    Ok((target, undecided))
}

/// The entropy of the classes' probabilities, over that of equal ones.
fn undecided(logits: &[f32], exclusive: bool) -> f32 {
    let entropy = |probability: f64| if probability > 0.0 { -probability * probability.ln() } else { 0.0 };
    let logits = logits.iter().map(|&logit| f64::from(logit));
    let (found, largest) = if exclusive {
        let top = logits.clone().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logits.clone().map(|logit| (logit - top).exp()).sum();
        let entropies = logits.clone().map(|logit| entropy((logit - top).exp() / sum));
        (entropies.sum::<f64>(), (logits.len().max(2) as f64).ln())
    } else {
        let probability = |logit: f64| 1.0 / (1.0 + (-logit).exp());
        let entropies = logits.clone().map(|logit| entropy(probability(logit)) + entropy(probability(-logit)));
        (entropies.sum::<f64>(), logits.len().max(1) as f64 * 2.0_f64.ln())
    };
    (found / largest) as f32
}

/// The standard error of the maps' mean; nothing for a single map.
fn disagreement(maps: &[HeatMap], mean: &HeatMap) -> Option<HeatMap> {
    let count = maps.len() as f32;
    let error = |pixel: usize| {
        let squares: f32 = maps.iter().map(|map| (map.values[pixel] - mean.values[pixel]).powi(2)).sum();
        (squares / (count * (count - 1.0))).sqrt()
    };
    let values = (0..mean.values.len()).map(error);
    (maps.len() > 1).then(|| HeatMap { values: values.collect(), ..*mean })
}

#[cfg(test)]
mod tests {
    use vitrine_protocol::{Channels, ImageInput, Layout};

    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight};

    /// Pixels 0, 0.5, 1 and 0.25 become themselves; a linear model gives weight times the distance from the mean of the
    /// references, and their spread times the weight is the disagreement.
    #[test]
    fn the_maps_of_all_references_are_averaged() {
        let (input, pixels) = ([0.0, 0.5, 1.0, 0.25], ImageInput::plain(Layout::Nchw, Channels::Grey, 1, 4));
        let question = Question::new(linear(&[1, 1, 4]), &input).pixels(pixels).with("references", "5");
        let found = pollster::block_on(CrediblePath.explain(&question.context())).unwrap();
        let blur = pollster::block_on(Infill::Blur.tensor(&question.context())).unwrap();
        let blur = crate::testing::read(&blur);
        let references = |pixel: usize| [0.0, 1.0, 0.5, 0.4375, blur[pixel]];
        let mean = |pixel: usize| references(pixel).iter().sum::<f32>() / 5.0;
        let expected: Vec<f32> = (0..4).map(|i| linear_weight(i, 1) * (input[i] - mean(i))).collect();
        assert_close(&found.values, &expected, 1e-5);
        let spread = |i: usize| references(i).iter().map(|value| (value - mean(i)).powi(2)).sum::<f32>();
        let error: Vec<f32> = (0..4).map(|i| linear_weight(i, 1).abs() * (spread(i) / 20.0).sqrt()).collect();
        assert_close(&found.standard_error.unwrap().values, &error, 1e-4);
        assert_eq!((found.forward_passes, found.backward_passes), (156, 150));
        assert!(found.completeness_gap.unwrap().abs() < 1e-5, "{:?}", found.completeness_gap);
    }

    #[test]
    fn equal_scores_are_undecided_and_one_large_score_is_not() {
        assert!((undecided(&[2.0; 4], true) - 1.0).abs() < 1e-6);
        assert!(undecided(&[50.0, 0.0, 0.0], true) < 1e-6);
        assert!((undecided(&[0.0; 3], false) - 1.0).abs() < 1e-6);
        // Probabilities 1/4 and 3/4: (ln 4) / 4 + 3 (ln 4/3) / 4 over ln 2 is 0.8113.
        assert!((undecided(&[0.0, 3.0_f32.ln()], true) - 0.8113).abs() < 1e-4);
    }
}
