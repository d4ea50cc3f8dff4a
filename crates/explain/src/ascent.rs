//! Gradient ascent on an input: what feature visualisation stands on.
//!
//! In every step the input is drawn from numbers, looked at, whole or in random crops, and the numbers are moved along
//! the gradient of a scalar. The numbers, the moves and the random crops are the host's; drawing, crops and gradients
//! the device's. Gradients of crops are added in their order, so that batches of any size give the same.

use vitrine_graph::Value;

use crate::{
    Attribution, Context, Cost, ExplainError, HeatMap, Visualisation,
    attribution::check_finite,
    frame::frame,
    integrator::{ENDS, Scalar, at, look},
    observer::Progress,
    optimiser::Optimiser,
    views::Views,
    waves::{Drawn, Waves},
};

/// Frames that a run shows, about.
const FRAMES: usize = 50;

/// What the numbers are that are moved.
pub(crate) enum Parametrisation {
    /// The input itself, from zero on.
    Values,
    /// Waves that make it up, from random ones on.
    Waves(Box<Waves>),
}

/// How an input is made.
pub(crate) struct Ascent<'a> {
    /// What is to grow.
    pub(crate) scalar: Scalar<'a>,
    pub(crate) parametrisation: Parametrisation,
    pub(crate) optimiser: Optimiser,
    pub(crate) steps: usize,
    /// Nothing for the whole picture, once in every step.
    pub(crate) views: Option<Views>,
    /// Whether pixels that never mattered become transparent.
    pub(crate) transparent: bool,
    /// Passes that came before and are counted in the progress.
    pub(crate) before: Cost,
}

/// What an ascent of so many steps runs.
pub(crate) fn cost(steps: usize, views: usize, before: Cost) -> Cost {
    let passes = (steps * views) as u64;
    Cost {
        forward_passes: passes + ENDS as u64 + before.forward_passes,
        backward_passes: passes + before.backward_passes,
    }
}

/// Climbs. The attribution holds the gradient's magnitude at each input value, averaged over the steps, and the picture;
/// its predictions are the scalar at the finished picture and at the first.
pub(crate) async fn climb(context: &Context<'_>, ascent: Ascent<'_>) -> Result<Attribution, ExplainError> {
    let Ascent { scalar, parametrisation, mut optimiser, steps, before, .. } = ascent;
    let views = ascent.views.as_ref();
    let count = views.map_or(1, |views| views.count);
    let total = cost(steps, count, before);
    let mut progress = Progress::start(context.observer, total.forward_passes);
    if before.forward_passes > 0 {
        progress.advance(before.forward_passes as usize).await?;
    }
    let shape = context.input.shape();
    let mut numbers = match &parametrisation {
        Parametrisation::Values => vec![0.0; context.input.len()],
        Parametrisation::Waves(waves) => waves.start(context.seed),
    };
    let mut drawn = parametrisation.draw(context, &numbers)?;
    let (_, first) = at(context, scalar, context.input_name, &drawn.input).await?;
    check_finite(&[first], "The target at the first picture", "check the model card")?;
    progress.advance(1).await?;

    let mut looking = Looking { context, scalar, views, span: parametrisation.span(), progress, backward_passes: 0 };
    let mut sum = Value::full(0.0, shape, &context.input.device());
    let mut depends = true;
    for step in 0..steps {
        let part = step as f64 / steps.saturating_sub(1).max(1) as f64;
        let Some(gradient) = looking.gradient(&drawn.input, (step, part), count).await? else {
            depends = false;
            break;
        };
        sum = sum.add(&gradient.map(|gradient| gradient.abs().div_scalar(steps as f32))?)?;
        let gradient = parametrisation.pull_back(&numbers, &drawn, &gradient).await?;
        check_finite(&gradient, "A gradient of the target", "lower the learning rate, or try another target")?;
        optimiser.climb(&mut numbers, &gradient);
        drawn = parametrisation.draw(context, &numbers)?;
        if (step + 1) % steps.div_ceil(FRAMES) == 0 && step + 1 < steps {
            let (values, seen) = (drawn.input.to_vec().await?, sum.to_vec().await?);
            context.observer.frame(&frame(context, &values, ascent.transparent.then_some(&seen)));
        }
    }

    let (_, last) = at(context, scalar, context.input_name, &drawn.input).await?;
    check_finite(&[last], "The target at the finished picture", "lower the learning rate")?;
    looking.progress.advance(1).await?;
    let (values, seen) = (drawn.input.to_vec().await?, sum.to_vec().await?);
    let mut notes = Vec::new();
    if !depends || seen.iter().all(|&value| value == 0.0) {
        notes.push("What was to grow does not depend on the input: the picture is the one that it began with.".into());
    } else if last <= first {
        notes.push("What was to grow did not: lower the learning rate, or take more steps.".to_owned());
    }
    let picture = frame(context, &values, ascent.transparent.then_some(&seen));
    Ok(Attribution {
        map: HeatMap::of_input(&seen, context.shape(), context.layout()),
        values: seen,
        shape: context.shape().to_vec(),
        visualisation: Some(Visualisation { values, picture }),
        prediction: last,
        baseline_prediction: Some(first),
        forward_passes: looking.progress.done(),
        backward_passes: looking.backward_passes + before.backward_passes,
        notes,
        ..Attribution::default()
    })
}

impl Parametrisation {
    fn span(&self) -> Option<&Value> {
        if let Parametrisation::Waves(waves) = self { waves.span() } else { None }
    }

    fn draw(&self, context: &Context<'_>, numbers: &[f32]) -> Result<Drawn, ExplainError> {
        match self {
            Parametrisation::Values => {
                Ok(Drawn::plain(Value::from_f32(numbers, context.input.shape(), &context.input.device())))
            }
            Parametrisation::Waves(waves) => waves.draw(numbers),
        }
    }

    async fn pull_back(&self, numbers: &[f32], drawn: &Drawn, gradient: &Value) -> Result<Vec<f32>, ExplainError> {
        match self {
            Parametrisation::Values => Ok(gradient.to_vec().await?),
            Parametrisation::Waves(waves) => waves.pull_back(numbers, drawn, gradient).await,
        }
    }
}

/// Looks at inputs.
struct Looking<'a> {
    context: &'a Context<'a>,
    scalar: Scalar<'a>,
    views: Option<&'a Views>,
    /// What noise is a part of.
    span: Option<&'a Value>,
    progress: Progress<'a>,
    backward_passes: u64,
}

impl Looking<'_> {
    /// The scalar's gradient at the input, averaged over the views of a step; nothing where it does not depend on it.
    async fn gradient(
        &mut self,
        input: &Value,
        step: (usize, f64),
        count: usize,
    ) -> Result<Option<Value>, ExplainError> {
        let (context, name) = (self.context, self.context.input_name);
        let size = context.batch_for(count);
        let mut sum: Option<Value> = None;
        for start in (0..count).step_by(size) {
            let range = start..(start + size).min(count);
            let batch = range.len();
            let crops = self.views.map(|views| views.crops(context, step, range, self.span)).transpose()?;
            let points = crops.as_ref().map_or(Ok(input.clone()), |crops| crops.of(input))?;
            let seen = look(context, self.scalar, [name, name], points)?;
            // Waiting for a number of this batch keeps the device's queue, the progress and the cancelling in step.
            let advice = "lower the learning rate, or try another target";
            check_finite(&seen.scalar.to_vec().await?, "The target at a picture on the way", advice)?;
            self.backward_passes += batch as u64;
            self.progress.advance(batch).await?;
            let Some(gradient) = seen.gradient else { return Ok(None) };
            let gradient = crops.map_or(Ok(gradient.clone()), |crops| crops.pull_back(&gradient))?;
            for number in 0..batch {
                let one = gradient.narrow(0, number, 1)?;
                sum = Some(sum.map_or(Ok(one.clone()), |sum| sum.add(&one))?);
            }
        }
        Ok(sum.map(|sum| sum.map(|sum| sum.div_scalar(count as f32))).transpose()?)
    }
}
