//! Infidelity (Yeh et al. 2019): the input is changed at random, and the square is averaged of the difference between what
//! the map says the change does to the score and what it does. With an optimal scale, the map is first multiplied by the
//! one number that makes this least, as Captum's `normalize` does.
//!
//! The paper's map is a gradient: it says how much the score falls for every unit that is taken away. Most maps here say
//! instead what each value contributes, all of it, so that a change is taken as the part it is of the way from the input
//! to the infill; this is Captum's `infidelity_perturb_func_decorator` with `multipliers`. Where only a map of pixels is
//! known, its channels share each pixel evenly.

use vitrine_explain::{
    Context, Cost, ExplainError, Infill, LocalBoxFuture, RegionsSpec,
    toolkit::{Masked, Purpose, Random, UNMASKED, integer, number},
};
use vitrine_graph::Value;
use vitrine_protocol::{Better, MetricGroup, MetricInfo, ParameterKind, Reference};

use crate::{
    EvaluateError, Metric, Question,
    altered::{Alteration, Fill, Filling, Scale, Units, on_scale, pixel},
    metric::Found,
    statistics::{mean, wide},
    subsets::some_of,
};

vitrine_explain::choices! {
    /// How the input is changed.
    pub enum Perturbation {
        /// A random set of parts is replaced by the infill.
        Removal = "removal",
        /// Normal noise is taken away from every value.
        Noise = "noise",
    }
}

vitrine_explain::options! {
    /// Options of infidelity.
    pub struct InfidelityOptions {
        /// Changes that are tried; each costs a forward pass.
        samples: usize [integer(2, 100_000)] = 100,
        /// How the input is changed.
        perturbation: Perturbation [Perturbation::kind()] = Perturbation::Removal,
        /// How large a part of all parts is removed at once.
        size: f64 [number(0.0001, 1.0)] = 0.2,
        /// Standard deviation of the noise, in the units of what the model sees.
        noise: f64 [number(0.0, 100.0)] = 0.1,
        /// Parts that are removed as a whole: elements for single pixels, grid:HxW, slic:N, felzenszwalb:SCALE, quickshift,
        /// watershed:N, or a .npy file of whole numbers. auto takes 8 x 8 cells.
        regions: RegionsSpec [ParameterKind::Regions] = RegionsSpec::Auto,
        /// What removed parts are replaced by: black, white, grey, mean, blur or noise in pixel space; inpaint, interpolate
        /// or tile, which continue what is kept, where the map says how fast the score changes; zero or value:V in tensor
        /// space; or a file.
        infill: Infill [ParameterKind::Infill] = Infill::Black,
        /// Which scalar is followed.
        scale: Scale [Scale::kind()] = Scale::Target,
        /// Whether the map says what each value contributes (true), or how fast the score changes with it (false).
        contributions: bool [ParameterKind::Boolean] = true,
        /// Whether the map may first be multiplied by the number that makes the result least.
        optimal_scale: bool [ParameterKind::Boolean] = false,
    }
}

/// Infidelity.
pub struct Infidelity;

impl Metric for Infidelity {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "infidelity".to_owned(),
            name: "Infidelity".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Lower,
            range: [Some(0.0), None],
            meaning: "How far off the map is, in the mean square, when it foretells what random changes do to the \
                      answer."
                .to_owned(),
            caveat: "Unless the scale is optimal, maps in other units than the score's, such as that of Grad-CAM, score badly \
                     for this alone."
                .to_owned(),
            reference: Reference {
                authors: "Yeh, Hsieh, Suggala, Inouye, Ravikumar".to_owned(),
                year: 2019,
                title: "On the (In)fidelity and Sensitivity of Explanations".to_owned(),
                venue: "NeurIPS".to_owned(),
            },
            needs: Vec::new(),
            parameters: InfidelityOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        let options = InfidelityOptions::parse(question.context.parameters)?;
        Units::expected(question, &options.regions)?;
        Ok(Cost { forward_passes: (options.samples + UNMASKED) as u64, backward_passes: 0 })
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(infidelity(question))
    }
}

async fn infidelity(question: &Question<'_>) -> Result<Found, EvaluateError> {
    let options = InfidelityOptions::parse(question.context.parameters)?;
    let probability = on_scale(question.context.target, options.scale);
    let context = Context { target: probability.as_ref().unwrap_or(question.context.target), ..question.context };
    let fill = Fill::Infill(options.infill.clone());
    let filling = Filling::new(&context, &fill).await?;
    let alteration =
        Alteration { regions: options.regions.clone(), fill, scale: options.scale, absolute: false, pictures: 0 };
    let (units, note) = Units::of(question, &alteration).await?;
    if options.contributions && filling.fill.is_none() {
        return Err(ExplainError::NothingKept { infill: options.infill.to_string() }.into());
    }
    let attribution = attribution(question, &filling, options.contributions);
    let mut masked = Masked::start(&context, filling.filler.clone(), options.samples).await?;
    let whole = f64::from(masked.prediction);
    // What the map foretells of each change, and what comes of it.
    let (mut foretold, mut falls) = (Vec::new(), Vec::new());
    let size = context.batch_for(options.samples);
    for start in (0..options.samples).step_by(size) {
        let end = (start + size).min(options.samples);
        let mut inputs = Vec::with_capacity((end - start) * filling.input.len());
        for number in start..end {
            let changed = match options.perturbation {
                Perturbation::Removal => {
                    let size = (options.size * units.count as f64).round() as usize;
                    let set = some_of(units.count, size, context.seed, number);
                    filling.altered(&context, &units.removed(&set), number).await?
                }
                Perturbation::Noise => {
                    let mut random = Random::new(context.seed, Purpose::Metrics, number as u32);
                    let deviation = options.noise as f32;
                    filling.input.iter().map(|value| value - deviation * random.normal()).collect()
                }
            };
            let change = filling.input.iter().zip(&changed).map(|(input, changed)| f64::from(input - changed));
            foretold.push(change.zip(&attribution).map(|(change, share)| change * share).sum::<f64>());
            inputs.extend(changed);
        }
        let inputs = Value::from_f32(&inputs, &context.repeated(end - start), &context.input.device());
        let (_, scores) = masked.score_inputs(inputs).await?;
        falls.extend(scores.into_iter().map(|score| whole - f64::from(score)));
    }
    let mut notes = filling.notes;
    notes.extend(note);
    let passes = masked.passes();
    let value = Some(mean_square(&foretold, &falls, options.optimal_scale));
    Ok(Found { value, notes, parameters: options.values(), forward_passes: passes, ..Found::default() })
}

/// The attribution by unit of change of every value of the input.
fn attribution(question: &Question<'_>, filling: &Filling<'_>, contributions: bool) -> Vec<f64> {
    let (area, length) = (question.map.values.len().max(1), filling.input.len());
    let shares = match question.attribution {
        Some(values) => wide(values),
        None => (0..length)
            .map(|index| {
                f64::from(question.map.values[pixel(&question.context, index, area)]) * area as f64 / length as f64
            })
            .collect(),
    };
    let Some(fill) = filling.fill.as_ref().filter(|_| contributions) else { return shares };
    let ways = filling.input.iter().zip(fill).map(|(input, fill)| f64::from(input - fill));
    shares.into_iter().zip(ways).map(|(share, way)| if way == 0.0 { 0.0 } else { share / way }).collect()
}

/// The mean square of the differences, where asked for after the best scaling of what was foretold.
fn mean_square(foretold: &[f64], falls: &[f64], optimal_scale: bool) -> f64 {
    let products: f64 = foretold.iter().zip(falls).map(|(a, b)| a * b).sum();
    let squares: f64 = foretold.iter().map(|value| value * value).sum();
    let scale = match optimal_scale {
        true if squares > 0.0 => products / squares,
        _ => 1.0,
    };
    mean(&foretold.iter().zip(falls).map(|(a, b)| (scale * a - b).powi(2)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Products sum to 15, squares of what is foretold to 14.
    #[test]
    fn the_optimal_scale_is_that_of_least_squares() {
        let (foretold, falls) = ([1.0, 2.0, 3.0], [0.0, 3.0, 3.0]);
        assert!((mean_square(&foretold, &falls, false) - 2.0 / 3.0).abs() < 1e-12);
        let scale: f64 = 15.0 / 14.0;
        let expected = (scale.powi(2) + (2.0 * scale - 3.0).powi(2) + (3.0 * scale - 3.0).powi(2)) / 3.0;
        assert!((mean_square(&foretold, &falls, true) - expected).abs() < 1e-12);
        assert_eq!(mean_square(&[0.0; 2], &[1.0, -1.0], true), 1.0);
    }
}
