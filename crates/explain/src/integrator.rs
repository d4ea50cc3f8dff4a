//! Gradients collected along ways to the input: what path methods stand on.
//!
//! A way leads through inputs of the model or through values of a layer; the gradient is taken there or at another
//! layer. Points run in batches, of which only running sums are kept.

use std::ops::Range;

use burn::tensor::Device;
use vitrine_graph::{GraphError, Probe, Run, Trace, Value};

use crate::{Context, ExplainError, attribution::check_finite, observer::Progress, quadrature::Point};

/// The scalar whose gradients are collected.
#[derive(Clone, Copy)]
pub(crate) enum Scalar<'a> {
    /// The context's target.
    Target,
    /// The sum of a layer's values times weights that broadcast to them.
    Layer(&'a str, &'a Value),
}

impl Scalar<'_> {
    /// Name of the value from which the scalar is computed.
    fn source<'b>(&'b self, context: &'b Context<'_>) -> &'b str {
        match self {
            Scalar::Target => context.target.head().logits(),
            Scalar::Layer(layer, _) => layer,
        }
    }

    /// One number per sample, `[batch]`.
    fn of(&self, context: &Context<'_>, trace: &Trace) -> Result<Value, ExplainError> {
        let source = trace.value(self.source(context))?;
        match self {
            Scalar::Target => context.target.objective(source),
            Scalar::Layer(_, weights) => {
                let weights =
                    if source.is_tracked() { weights.map(|weights| weights.autodiff())? } else { (*weights).clone() };
                Ok(source.mul(&weights)?.sum_per_sample()?)
            }
        }
    }
}

/// What a batch of points shows.
pub(crate) struct Seen {
    /// The scalar at each point, `[batch]`.
    pub(crate) scalar: Value,
    /// The values at the place where gradients are taken.
    pub(crate) at: Value,
    /// The scalar's gradients there; nothing where it does not depend on them.
    pub(crate) gradient: Option<Value>,
}

/// One forward and one backward pass: feeds `points` to a value, an input or a layer, and takes the gradient at a place.
pub(crate) fn look(
    context: &Context<'_>,
    scalar: Scalar<'_>,
    [fed, place]: [&str; 2],
    points: Value,
) -> Result<Seen, ExplainError> {
    let mut run = Run::of([scalar.source(context)]).probe(place, Probe::Record).probe(place, Probe::Gradient);
    if fed != context.input_name {
        // What goes around the layer comes from the input as it is.
        let batch = points.shape().first().copied().unwrap_or(1);
        run = run.feed(context.input_name, context.input.expand(&[&[batch], context.shape()].concat())?);
    }
    let trace = context.graph.run(&run.feed(fed, points))?;
    let scalar = scalar.of(context, &trace)?;
    let gradient = match trace.gradients(&scalar) {
        Ok(mut gradients) => gradients.remove(place),
        Err(GraphError::NoGradient(_)) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Seen { scalar: scalar.detached(), at: trace.value(place)?.detached(), gradient })
}

/// Looks at `count` points, batch by batch in rising order; `points` makes those of a range.
pub(crate) async fn walk(
    context: &Context<'_>,
    scalar: Scalar<'_>,
    between: [&str; 2],
    count: usize,
    points: &dyn Fn(Range<usize>) -> Result<Value, ExplainError>,
    visit: &mut dyn FnMut(Range<usize>, Seen) -> Result<(), ExplainError>,
    progress: &mut Progress<'_>,
) -> Result<(), ExplainError> {
    let size = context.batch_for(count);
    for start in (0..count).step_by(size) {
        let range = start..(start + size).min(count);
        let seen = look(context, scalar, between, points(range.clone())?)?;
        let scalars = seen.scalar.clone();
        visit(range.clone(), seen)?;
        // Waiting for a number of this batch keeps the device's queue, the progress and the cancelling in step.
        check_on_the_way(&scalars).await?;
        progress.advance(range.len()).await?;
    }
    Ok(())
}

/// Reads the scalars of a batch and refuses what overflowed.
pub(crate) async fn check_on_the_way(scalars: &Value) -> Result<Vec<f32>, ExplainError> {
    let scalars = scalars.to_vec().await?;
    check_finite(&scalars, "The target on the way from the baseline to the input", "try another baseline")?;
    Ok(scalars)
}

/// Forward passes that [`Ends::of`] needs.
pub(crate) const ENDS: usize = 2;

/// Both ends of a way: the baseline and the input, or what a layer holds at them.
pub(crate) struct Ends {
    /// The place's values at the baseline.
    pub(crate) start: Value,
    /// The place's values at the input.
    pub(crate) end: Value,
    /// The scalar at the baseline.
    pub(crate) at_start: f32,
    /// The scalar at the input.
    pub(crate) at_end: f32,
}

impl Ends {
    pub(crate) async fn of(
        context: &Context<'_>,
        scalar: Scalar<'_>,
        place: &str,
        baseline: &Value,
        progress: &mut Progress<'_>,
    ) -> Result<Ends, ExplainError> {
        let (end, at_end) = at(context, scalar, place, context.input).await?;
        check_finite(&[at_end], "The target at the input", "check the input's values and the model card")?;
        let (start, at_start) = at(context, scalar, place, baseline).await?;
        check_finite(&[at_start], "The target at the baseline", "try another baseline")?;
        progress.advance(ENDS).await?;
        Ok(Ends { start, end, at_start, at_end })
    }

    /// What the scalar gains on the way.
    pub(crate) fn difference(&self) -> f32 {
        self.at_end - self.at_start
    }
}

/// A place's values and the scalar at an input of one sample.
pub(crate) async fn at(
    context: &Context<'_>,
    scalar: Scalar<'_>,
    place: &str,
    input: &Value,
) -> Result<(Value, f32), ExplainError> {
    let run = Run::of([scalar.source(context)]).probe(place, Probe::Record).feed(context.input_name, input.clone());
    let trace = context.graph.run(&run)?;
    let found = scalar.of(context, &trace)?.to_vec().await?.first().copied().unwrap_or(f32::NAN);
    Ok((trace.value(place)?.clone(), found))
}

/// Averages the scalar's gradient over the straight way between two ends; nothing where it does not depend on the place.
pub(crate) async fn integrate(
    context: &Context<'_>,
    scalar: Scalar<'_>,
    place: &str,
    ends: &Ends,
    points: &[Point],
    progress: &mut Progress<'_>,
) -> Result<Option<Value>, ExplainError> {
    let mut sum = None;
    let along = |range: Range<usize>| between(&ends.start, &ends.end, &positions(&points[range]));
    let mut visit = |range: Range<usize>, seen: Seen| match &seen.gradient {
        Some(gradient) => add_weighted(&mut sum, gradient, &weights(&points[range])),
        None => Ok(()),
    };
    walk(context, scalar, [place, place], points.len(), &along, &mut visit, progress).await?;
    Ok(sum)
}

/// The points' positions.
pub(crate) fn positions(points: &[Point]) -> Vec<f32> {
    points.iter().map(|point| point.position as f32).collect()
}

/// The points' weights.
pub(crate) fn weights(points: &[Point]) -> Vec<f32> {
    points.iter().map(|point| point.weight as f32).collect()
}

/// Numbers that go one to each sample: `[count, 1, 1 ...]`.
pub(crate) fn column(numbers: &[f32], rank: usize, device: &Device) -> Value {
    let mut shape = vec![1; rank.max(1)];
    shape[0] = numbers.len();
    Value::from_f32(numbers, &shape, device)
}

/// Points on the straight way from `start` (position 0) to `end` (position 1), each `[1 or batch, ...]`.
pub(crate) fn between(start: &Value, end: &Value, positions: &[f32]) -> Result<Value, ExplainError> {
    let column = column(positions, end.shape().len(), &end.device());
    Ok(end.sub(start)?.mul(&column)?.add(start)?)
}

/// Adds the samples of a batch to a running sum `[1, ...]`.
pub(crate) fn add_up(sum: &mut Option<Value>, values: &Value) -> Result<(), ExplainError> {
    let total = values.sum_axes(&[0])?;
    *sum = Some(match sum.take() {
        Some(sum) => sum.add(&total)?,
        None => total,
    });
    Ok(())
}

/// [`add_up`] with a weight for each sample.
pub(crate) fn add_weighted(sum: &mut Option<Value>, values: &Value, weights: &[f32]) -> Result<(), ExplainError> {
    add_up(sum, &values.mul(&column(weights, values.shape().len(), &values.device()))?)
}

/// Goes on from the last sample of the batch before: it is put in front of this one, and this one's last is kept.
pub(crate) fn follow(last: &mut Option<Value>, batch: &Value) -> Result<Value, ExplainError> {
    let count = batch.shape().first().copied().unwrap_or(1);
    let before = last.replace(batch.narrow(0, count - 1, 1)?);
    Ok(match before {
        Some(before) => Value::concat(&[before, batch.clone()], 0)?,
        None => batch.clone(),
    })
}

/// The target and its gradient at points given on the host, each of the input's length; zeros where the target does not
/// depend on the input.
pub(crate) async fn gradients_at(
    context: &Context<'_>,
    points: &[&[f32]],
    progress: &mut Progress<'_>,
) -> Result<Vec<Vec<f32>>, ExplainError> {
    let length = context.input.len().max(1);
    let mut found = Vec::new();
    for batch in points.chunks(context.batch_for(points.len())) {
        let shape = [&[batch.len()], context.shape()].concat();
        let inputs = Value::from_f32(&batch.concat(), &shape, &context.input.device());
        let (scalar, gradient) = context.gradient(inputs)?;
        check_on_the_way(&scalar).await?;
        let gradients = match gradient {
            Some(gradient) => gradient.to_vec().await?,
            None => vec![0.0; batch.len() * length],
        };
        let advice = "the model's numbers overflow on the way; try another baseline";
        check_finite(&gradients, "A gradient of the target", advice)?;
        found.extend(gradients.chunks(length).map(<[f32]>::to_vec));
        progress.advance(batch.len()).await?;
    }
    Ok(found)
}
