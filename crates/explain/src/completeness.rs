//! The completeness gap of a path: what the attributions lack of the difference they should sum to, and finer steps
//! while it is too large.

use std::collections::BTreeMap;

use vitrine_graph::Value;
use vitrine_image::upsample_bilinear;
use vitrine_protocol::{Layout, ParameterValue};

use crate::{
    Attribution, Context, ExplainError, HeatMap, Rule, SpatialLayer,
    attribution::{check_finite, picture_size},
    integrator::{ENDS, Ends, Scalar, Seen, add_up, integrate},
    observer::Progress,
};

/// A completeness gap above this part of the difference is worth a note; the paper of integrated gradients accepts 5 %.
const ACCEPTED_GAP: f32 = 0.05;

/// How often the steps are doubled at most.
const DOUBLINGS: usize = 5;

/// Rounds of ever more steps, until the gap is small enough.
pub(crate) struct Steps<'a> {
    /// Steps of this round.
    pub(crate) count: usize,
    pub(crate) progress: Progress<'a>,
    /// Passes of one step.
    passes: usize,
    max_gap: f64,
    doublings: usize,
}

impl<'a> Steps<'a> {
    /// The first round; `beside` counts passes that come once. A `max_gap` of zero means one round only.
    pub(crate) fn start(context: &Context<'a>, count: usize, passes: usize, beside: usize, max_gap: f64) -> Steps<'a> {
        let progress = Progress::start(context.observer, (count * passes + beside) as u64);
        Steps { count, progress, passes, max_gap, doublings: 0 }
    }

    /// Makes attributions in rounds of ever more steps until they sum closely enough to a difference; gives the gap too.
    pub(crate) async fn refined(
        &mut self,
        difference: f32,
        mut attribute: impl AsyncFnMut(usize, &mut Progress<'a>) -> Result<Vec<f32>, ExplainError>,
    ) -> Result<(Vec<f32>, f32), ExplainError> {
        loop {
            let values = attribute(self.count, &mut self.progress).await?;
            let advice = "the model's numbers overflow on the way; try another baseline";
            check_finite(&values, "A gradient of the target", advice)?;
            let gap = gap(&values, difference);
            if !self.refine(gap, difference) {
                return Ok((values, gap));
            }
        }
    }

    /// Whether the gap calls for another round, which is then prepared.
    pub(crate) fn refine(&mut self, gap: f32, difference: f32) -> bool {
        let enough = self.max_gap == 0.0 || f64::from(gap.abs()) <= self.max_gap * f64::from(difference.abs());
        if enough || self.doublings == DOUBLINGS {
            return false;
        }
        self.doublings += 1;
        self.count *= 2;
        self.progress.extend(self.count * self.passes);
        true
    }

    /// What the reader should know of the gap that is left.
    pub(crate) fn note(&self, gap: f32, difference: f32) -> Option<String> {
        let accepted = if self.max_gap > 0.0 { self.max_gap as f32 } else { ACCEPTED_GAP };
        (gap.abs() > accepted * difference.abs() && gap.abs() > 1e-4).then(|| {
            let sum = difference + gap;
            let steps = self.count;
            format!(
                "The attributions sum to {sum:.3} although the target differs by {difference:.3}, with {steps} steps; \
                 more steps bring them closer."
            )
        })
    }
}

/// Sum of the attributions minus the difference.
pub(crate) fn gap(values: &[f32], difference: f32) -> f32 {
    (values.iter().copied().map(f64::from).sum::<f64>() - f64::from(difference)) as f32
}

/// A straight way at the input or a layer.
pub(crate) struct Straight<'a> {
    pub(crate) scalar: Scalar<'a>,
    /// The layer whose values make the way; nothing for the input.
    pub(crate) layer: Option<&'a SpatialLayer>,
    pub(crate) baseline: &'a Value,
    pub(crate) rule: Rule,
    pub(crate) steps: usize,
    pub(crate) max_gap: f64,
    /// Passes that came before and are counted in the progress.
    pub(crate) before: usize,
}

/// What was found on a way from a baseline to the input.
pub(crate) struct Along<'a> {
    /// Of the input's shape, or of a layer's as `[channels, height, width]`.
    pub(crate) values: Vec<f32>,
    /// Nothing where the values are not meant to sum to the difference.
    pub(crate) gap: Option<f32>,
    pub(crate) ends: Ends,
    pub(crate) steps: Steps<'a>,
}

/// Collects attributions on a way from a baseline to the context's input, by a function of the number of steps, each of
/// so many passes; again with twice the steps while the gap is too large.
pub(crate) async fn along<'a>(
    context: &Context<'a>,
    baseline: &Value,
    [steps, passes]: [usize; 2],
    max_gap: f64,
    attribute: impl AsyncFnMut(usize, &mut Progress<'a>) -> Result<Vec<f32>, ExplainError>,
) -> Result<Along<'a>, ExplainError> {
    let mut steps = Steps::start(context, steps, passes, ENDS, max_gap);
    let ends = Ends::of(context, Scalar::Target, context.input_name, baseline, &mut steps.progress).await?;
    let (values, gap) = steps.refined(ends.difference(), attribute).await?;
    Ok(Along { values, gap: Some(gap), ends, steps })
}

/// Integrates over a straight way, again with twice the steps while the gap is too large. The values are the averaged
/// gradient times the difference of the ends; the gradient is given, too, where the scalar depends on the place at all.
pub(crate) async fn straight<'a>(
    context: &Context<'a>,
    way: &Straight<'_>,
) -> Result<(Along<'a>, Option<Value>), ExplainError> {
    let mut steps = Steps::start(context, way.steps, 1, ENDS + way.before, way.max_gap);
    if way.before > 0 {
        steps.progress.advance(way.before).await?;
    }
    let place = way.layer.map_or(context.input_name, |layer| &layer.name);
    let ends = Ends::of(context, way.scalar, place, way.baseline, &mut steps.progress).await?;
    let mut gradient = None;
    let attribute = async |count: usize, progress: &mut Progress<'a>| {
        gradient = integrate(context, way.scalar, place, &ends, &way.rule.points(count), progress).await?;
        let Some(gradient) = &gradient else { return Ok(vec![0.0; ends.end.len()]) };
        let product = gradient.mul(&ends.end.sub(&ends.start)?)?;
        Ok(way.layer.map_or(Ok(product.clone()), |layer| layer.planes(&product))?.to_vec().await?)
    };
    let (values, gap) = steps.refined(ends.difference(), attribute).await?;
    Ok((Along { values, gap: Some(gap), ends, steps }, gradient))
}

impl Along<'_> {
    /// The attribution of the input's values, or of a layer's, with a note on the gap after these.
    pub(crate) fn attribution(
        self,
        context: &Context<'_>,
        layer: Option<&SpatialLayer>,
        parameters: BTreeMap<String, ParameterValue>,
        mut notes: Vec<String>,
    ) -> Attribution {
        notes.extend(self.gap.and_then(|gap| self.steps.note(gap, self.ends.difference())));
        let found = Found {
            layer,
            values: self.values,
            ends: [self.ends.at_end, self.ends.at_start],
            gap: self.gap,
            backward_passes: self.steps.progress.done() - ENDS as u64,
            parameters,
            notes,
        };
        found.attribution(context, &self.steps.progress)
    }
}

/// An explanation by a path, before it becomes an [`Attribution`].
pub(crate) struct Found<'a> {
    /// The layer whose values are explained; nothing for the input's.
    pub(crate) layer: Option<&'a SpatialLayer>,
    /// Of a layer `[channels, height, width]`.
    pub(crate) values: Vec<f32>,
    /// The scalar at the input and at the baseline.
    pub(crate) ends: [f32; 2],
    pub(crate) gap: Option<f32>,
    pub(crate) backward_passes: u64,
    pub(crate) parameters: BTreeMap<String, ParameterValue>,
    pub(crate) notes: Vec<String>,
}

impl Found<'_> {
    /// The attribution, of the input's or the layer's shape, with its channels summed for the heat map.
    pub(crate) fn attribution(mut self, context: &Context<'_>, progress: &Progress<'_>) -> Attribution {
        if self.notes.is_empty() && self.values.iter().all(|&value| value == 0.0) {
            let place = self.layer.map_or("the input".to_owned(), |layer| format!("layer {:?}", layer.name));
            self.notes.push(format!("The map is zero everywhere: {place} does not move the {} here.", context.target));
        }
        let shape = match self.layer {
            Some(layer) => [&[layer.channels()], &layer.size()[..]].concat(),
            None => context.shape().to_vec(),
        };
        let map = match self.layer {
            Some(_) => layer_map(context, &self.values, &shape),
            None => HeatMap::of_input(&self.values, &shape, context.layout()),
        };
        let [prediction, baseline_prediction] = self.ends;
        Attribution {
            values: self.values,
            shape,
            map,
            prediction,
            baseline_prediction: Some(baseline_prediction),
            completeness_gap: self.gap,
            forward_passes: progress.done(),
            backward_passes: self.backward_passes,
            parameters: self.parameters,
            layer: self.layer.map(|layer| layer.name.clone()),
            notes: self.notes,
            ..Attribution::default()
        }
    }
}

/// A layer's values `[channels, height, width]`, summed over the channels and enlarged to the picture's size.
pub(crate) fn layer_map(context: &Context<'_>, values: &[f32], shape: &[usize]) -> HeatMap {
    let mut map = HeatMap::of_input(values, shape, Layout::Nchw);
    if let Some(size) = picture_size(context.shape(), context.layout()) {
        map.values = upsample_bilinear(&map.values, [map.height, map.width], size);
        [map.height, map.width] = size;
    }
    map
}

/// What to say where the target does not depend on the input.
pub(crate) fn ignored(context: &Context<'_>) -> String {
    format!("The {} does not depend on the input, so the map is zero.", context.target)
}

/// The refusal of a layer on which the target does not depend.
pub(crate) fn no_influence(context: &Context<'_>, layer: &str) -> ExplainError {
    ExplainError::NoInfluence { layer: layer.to_owned(), target: context.target.to_string() }
}

/// Adds to the map of a layer, `[1, 1, height, width]`, the products of its values and their gradients that are above
/// zero, summed over the channels and a batch of points, each counting `share`.
pub(crate) fn positive_products(
    sum: &mut Option<Value>,
    layer: &SpatialLayer,
    seen: &Seen,
    share: f32,
) -> Result<(), ExplainError> {
    let Some(gradient) = &seen.gradient else { return Ok(()) };
    let products = seen.at.mul(gradient)?.map(|products| products.clamp_min(0.0).mul_scalar(share))?;
    add_up(sum, &layer.planes(&products)?.sum_axes(&[1])?)
}
