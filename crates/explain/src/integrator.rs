//! Gradients averaged along the straight way from a baseline to the input: what path methods stand on.

use vitrine_graph::Value;

use crate::{
    Context, ExplainError,
    attribution::check_finite,
    observer::Progress,
    quadrature::{Point, Rule},
};

/// What lies along a path.
pub(crate) struct PathIntegral {
    /// The target's gradient averaged over the path; the input's shape. Nothing where the target does not depend on the
    /// input at all.
    pub(crate) gradient: Option<Value>,
    /// The target at the input.
    pub(crate) at_input: f32,
    /// The target at the baseline.
    pub(crate) at_baseline: f32,
}

/// Forward passes that [`integrate`] needs beside one for each step: the two ends.
pub(crate) const ENDS: usize = 2;

/// Averages the target's gradient over the straight path, batch by batch; only the running sum is kept.
pub(crate) async fn integrate(
    context: &Context<'_>,
    baseline: &Value,
    rule: Rule,
    steps: usize,
) -> Result<PathIntegral, ExplainError> {
    let points = rule.points(steps);
    let mut progress = Progress::start(context.observer, (points.len() + ENDS) as u64);
    let [at_input, at_baseline] = ends(context, baseline).await?;
    progress.advance(ENDS).await?;

    let difference = context.input.sub(baseline)?;
    let mut sum: Option<Value> = None;
    for batch in points.chunks(context.batch_for(points.len())) {
        let per_sample = |number: fn(&Point) -> f64| {
            let numbers: Vec<f32> = batch.iter().map(|point| number(point) as f32).collect();
            Value::from_f32(&numbers, &context.per_sample(batch.len()), &context.input.device())
        };
        let inputs = difference.mul(&per_sample(|point| point.position))?.add(baseline)?;
        let (objective, gradient) = context.gradient(inputs)?;
        if let Some(gradient) = gradient {
            let weighted = gradient.mul(&per_sample(|point| point.weight))?.sum_axes(&[0])?;
            sum = Some(match sum {
                Some(sum) => sum.add(&weighted)?,
                None => weighted,
            });
        }
        // Waiting for a number of this batch keeps the device's queue, the progress and the cancelling in step.
        let advice = "try another baseline";
        check_finite(&objective.to_vec().await?, "The target on the way from the baseline to the input", advice)?;
        progress.advance(batch.len()).await?;
    }
    Ok(PathIntegral { gradient: sum, at_input, at_baseline })
}

/// The target at the input and at the baseline.
async fn ends(context: &Context<'_>, baseline: &Value) -> Result<[f32; 2], ExplainError> {
    let mut values = Vec::new();
    for end in [context.input, baseline] {
        values.extend(context.predict(end.clone())?.to_vec().await?);
    }
    let found = [values.first(), values.get(1)].map(|value| value.copied().unwrap_or(f32::NAN));
    check_finite(&found[..1], "The target at the input", "check the input's values and the model card")?;
    check_finite(&found[1..], "The target at the baseline", "try another baseline")?;
    Ok(found)
}
