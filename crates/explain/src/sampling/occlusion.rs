//! Occlusion: a window slides over the input; where it covers something that matters, the target drops.
//!
//! Matthew D. Zeiler, Rob Fergus: Visualizing and Understanding Convolutional Networks. ECCV 2014.
//!
//! Departures: the map is the drop, as in Captum, where the paper shows the target itself. Overlapping windows are averaged, as
//! in Captum, or summed, as in PAIR saliency and Xplique. The last window of a row sticks out of the input and is cut there, so
//! every place is covered at any stride not larger than the window. What is covered is black in pixel space or any other
//! infill.

use std::fmt;

use vitrine_graph::Value;
use vitrine_protocol::{Family, Layout, MethodInfo, Need, ParameterKind, ParameterValue, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, Infill, LocalBoxFuture,
    game::passes,
    options::{OptionValue, choices, options},
    sampler::Masked,
};

choices! {
    /// What a place gets that several windows cover.
    pub enum Overlap {
        /// The mean of the windows' drops.
        Average = "average",
        /// Their sum.
        Sum = "sum",
    }
}

/// Lengths along the input's axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What suits the input.
    Auto,
    /// One number for every axis: of a picture height and width, or channels too; a single one serves all.
    Sizes(Vec<usize>),
}

impl fmt::Display for Extent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Extent::Auto => formatter.write_str("auto"),
            Extent::Sizes(sizes) => {
                formatter.write_str(&sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join("x"))
            }
        }
    }
}

impl OptionValue for Extent {
    fn from_parameter(value: &ParameterValue) -> Option<Self> {
        let text = value.to_string();
        if text == "auto" {
            return Some(Extent::Auto);
        }
        let sizes: Vec<usize> = text.split('x').map(|size| size.parse().ok()).collect::<Option<_>>()?;
        sizes.iter().all(|size| *size > 0).then_some(Extent::Sizes(sizes))
    }

    fn to_parameter(&self) -> ParameterValue {
        ParameterValue::Text(self.to_string())
    }
}

options! {
    /// Options of [`Occlusion`].
    pub struct OcclusionOptions {
        /// Size of the window: HxW in pixels, one number for a square, or one for each axis of the input. auto takes an eighth
        /// of each side.
        window: Extent [ParameterKind::Extent] = Extent::Auto,
        /// How far the window moves at a time, given like its size. auto takes half a window. Halving it runs four times as many
        /// passes.
        stride: Extent [ParameterKind::Extent] = Extent::Auto,
        /// What a place gets that several windows cover.
        overlap: Overlap [Overlap::kind()] = Overlap::Average,
        /// What the window shows: black, white, grey, mean, blur or noise in pixel space; inpaint, interpolate or tile,
        /// which continue what is kept and take longer; zero and value:V in tensor space; or a file.
        infill: Infill [ParameterKind::Infill] = Infill::Black,
    }
}

/// Occlusion (Zeiler, Fergus 2014).
///
/// `Attribution::values` has the input's shape. A window over a picture covers all channels, and each of them gets its drop.
pub struct Occlusion;

impl Explainer for Occlusion {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "occlusion".to_owned(),
            name: "Occlusion".to_owned(),
            family: Family::Sampling,
            summary: "Slides a patch over the image and notes how much the answer drops under it. Simple and honest, but the size \
                      of the patch decides what can be seen."
                .to_owned(),
            reference: Reference {
                authors: "Matthew D. Zeiler, Rob Fergus".to_owned(),
                year: 2014,
                title: "Visualizing and Understanding Convolutional Networks".to_owned(),
                venue: "ECCV".to_owned(),
            },
            needs: vec![Need::Forward],
            parameters: OcclusionOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = OcclusionOptions::parse(context.parameters)?;
        Ok(passes(Windows::new(context, &options)?.count()))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = OcclusionOptions::parse(context.parameters)?;
            let windows = Windows::new(context, &options)?;
            let filler = options.infill.filler(context).await?;
            let (count, device) = (windows.count(), context.input.device());
            let mut masked = Masked::start(context, filler, count).await?;
            let size = context.batch_for(count);
            let show_every = count.div_ceil(size).div_ceil(10);
            let mut drops = Drops::new(windows.length());
            for (number, start) in (0..count).step_by(size).enumerate() {
                let range = start..(start + size).min(count);
                let (_, scores) = masked.score(&windows.kept(range.clone(), &device)?).await?;
                for (index, score) in range.clone().zip(scores) {
                    let drop = f64::from(masked.prediction) - f64::from(score);
                    windows.for_each(index, |place| drops.add(place, drop));
                }
                if (number + 1).is_multiple_of(show_every) && range.end < count {
                    context.observer.partial(&windows.map(&drops.values(options.overlap), context));
                }
            }
            let values = drops.values(options.overlap);
            Ok(Attribution {
                values: windows.over_input(&values),
                shape: context.shape().to_vec(),
                map: windows.map(&values, context),
                prediction: masked.prediction,
                forward_passes: masked.passes(),
                parameters: options.values(),
                notes: options.infill.note(context).into_iter().chain(windows.note()).collect(),
                ..Attribution::default()
            })
        })
    }
}

/// What windows took from every place.
struct Drops {
    sums: Vec<f64>,
    counts: Vec<u32>,
}

impl Drops {
    fn new(length: usize) -> Drops {
        Drops { sums: vec![0.0; length], counts: vec![0; length] }
    }

    fn add(&mut self, place: usize, drop: f64) {
        self.sums[place] += drop;
        self.counts[place] += 1;
    }

    fn values(&self, overlap: Overlap) -> Vec<f32> {
        let value = |(sum, count): (&f64, &u32)| match overlap {
            Overlap::Average => (sum / f64::from((*count).max(1))) as f32,
            Overlap::Sum => *sum as f32,
        };
        self.sums.iter().zip(&self.counts).map(value).collect()
    }
}

/// Every place of the window.
struct Windows {
    /// The input's shape.
    input: Vec<usize>,
    /// The same, with the window's size, its steps and the number of its places along each axis. An axis that it covers whole
    /// has one place.
    axes: Vec<Axis>,
}

struct Axis {
    length: usize,
    window: usize,
    stride: usize,
    places: usize,
}

impl Windows {
    fn new(context: &Context<'_>, options: &OcclusionOptions) -> Result<Windows, ExplainError> {
        let input = context.shape().to_vec();
        let channels = match (input.len(), context.layout()) {
            (3, Layout::Nchw) => Some(0),
            (3, Layout::Nhwc) => Some(2),
            _ => None,
        };
        let refused = |problem| ExplainError::Window { problem };
        // What is given for the two axes of a picture, or for all axes; channels that nothing is said of take `rest`.
        let sizes = |extent: &Extent, auto: &dyn Fn(usize) -> usize, rest: &dyn Fn(usize) -> usize| {
            let Extent::Sizes(sizes) = extent else { return Ok((0..input.len()).map(auto).collect::<Vec<_>>()) };
            let spatial: Vec<usize> = (0..input.len()).filter(|axis| Some(*axis) != channels).collect();
            let chosen = |axis: usize| match &sizes[..] {
                [one] => Some(if Some(axis) == channels { rest(axis) } else { *one }),
                all if all.len() == input.len() => Some(all[axis]),
                some if some.len() == spatial.len() => {
                    Some(spatial.iter().position(|other| *other == axis).map_or(rest(axis), |place| some[place]))
                }
                _ => None,
            };
            let chosen: Option<Vec<usize>> = (0..input.len()).map(chosen).collect();
            chosen.ok_or_else(|| {
                refused(format!("{extent} has {} numbers, and the input has {} axes", sizes.len(), input.len()))
            })
        };
        let whole = |axis: usize| input[axis];
        let eighth = |axis: usize| if Some(axis) == channels { input[axis] } else { input[axis].div_ceil(8) };
        let window = sizes(&options.window, &eighth, &whole)?;
        let half = |axis: usize| if Some(axis) == channels { window[axis] } else { window[axis].div_ceil(2) };
        let stride = sizes(&options.stride, &half, &|axis| window[axis])?;
        let axes: Vec<Axis> = (0..input.len())
            .map(|axis| {
                let (length, window, stride) = (input[axis], window[axis], stride[axis]);
                Axis { length, window, stride, places: length.saturating_sub(window).div_ceil(stride) + 1 }
            })
            .collect();
        if let Some(axis) = axes.iter().find(|axis| axis.window > axis.length) {
            let Axis { window, length, .. } = axis;
            return Err(refused(format!("a length of {window} does not fit into the input's {length}")));
        }
        Ok(Windows { input, axes })
    }

    fn count(&self) -> usize {
        self.axes.iter().map(|axis| axis.places).product()
    }

    /// Numbers in a map of all places; axes that the window covers whole count once.
    fn length(&self) -> usize {
        self.axes.iter().map(Axis::resolution).product()
    }

    /// From where to where window number `index` goes along each axis.
    fn spans(&self, mut index: usize) -> Vec<(usize, usize)> {
        let mut spans = vec![(0, 0); self.axes.len()];
        for (axis, span) in self.axes.iter().zip(&mut spans).rev() {
            let start = index % axis.places * axis.stride;
            index /= axis.places;
            *span = (start, (start + axis.window).min(axis.length));
        }
        spans
    }

    fn for_each(&self, index: usize, mut take: impl FnMut(usize)) {
        let mut places = vec![0];
        for (axis, (start, end)) in self.axes.iter().zip(self.spans(index)) {
            let resolution = axis.resolution();
            let inside = if resolution == 1 { 0..1 } else { start..end };
            places = places.iter().flat_map(|place| inside.clone().map(move |at| place * resolution + at)).collect();
        }
        places.into_iter().for_each(&mut take);
    }

    /// 0 in the window and 1 around it, `[windows, ..]` beside the input: one minus the product of an interval per axis.
    fn kept(&self, range: std::ops::Range<usize>, device: &burn::tensor::Device) -> Result<Value, ExplainError> {
        let spans: Vec<Vec<(usize, usize)>> = range.map(|index| self.spans(index)).collect();
        let mut inside = Value::full(1.0, &vec![1; self.axes.len() + 1], device);
        for (number, axis) in self.axes.iter().enumerate().filter(|(_, axis)| axis.resolution() > 1) {
            let row = |span: &Vec<(usize, usize)>| {
                let (start, end) = span[number];
                (0..axis.length).map(move |at| if (start..end).contains(&at) { 1.0 } else { 0.0 })
            };
            let mut shape = vec![1; self.axes.len() + 1];
            (shape[0], shape[number + 1]) = (spans.len(), axis.length);
            inside = inside.mul(&Value::from_f32(&spans.iter().flat_map(row).collect::<Vec<_>>(), &shape, device))?;
        }
        let shape = [&[spans.len()], &inside.shape()[1..]].concat();
        Ok(inside.map(|inside| inside.neg().add_scalar(1.0))?.expand(&shape)?)
    }

    /// A map of all places over the input.
    fn over_input(&self, values: &[f32]) -> Vec<f32> {
        let length: usize = self.input.iter().product();
        let place = |mut index: usize| {
            let (mut place, mut step) = (0, 1);
            for axis in self.axes.iter().rev() {
                let at = index % axis.length;
                index /= axis.length;
                if axis.resolution() > 1 {
                    place += at * step;
                    step *= axis.length;
                }
            }
            place
        };
        (0..length).map(|index| values[place(index)]).collect()
    }

    fn map(&self, values: &[f32], context: &Context<'_>) -> HeatMap {
        let shape: Vec<usize> = self.axes.iter().map(Axis::resolution).collect();
        HeatMap::of_input(values, &shape, context.layout())
    }

    fn note(&self) -> Option<String> {
        let leaves_gaps = self.axes.iter().any(|axis| axis.places > 1 && axis.stride > axis.window);
        leaves_gaps.then(|| "The stride is larger than the window, so places between are 0: never covered.".to_owned())
    }
}

impl Axis {
    /// Numbers in a map along it.
    fn resolution(&self) -> usize {
        if self.window == self.length { 1 } else { self.length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight};

    fn question(shape: &[usize]) -> (Question, Vec<f32>) {
        let length = shape.iter().product();
        let input: Vec<f32> = (0..length).map(|index| 1.0 + (index as f32 * 0.9).cos()).collect();
        (Question::new(linear(shape), &input).target("0").with("infill", "value:0.5"), input)
    }

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(Occlusion.explain(&question.context())).unwrap()
    }

    /// A window of two pixels moving by one over a row of four: three windows, the inner pixels lie under two of them.
    #[test]
    fn overlapping_windows_are_averaged_or_summed() {
        let (question, input) = question(&[1, 1, 4]);
        let loss = |place: usize| linear_weight(place, 0) * (input[place] - 0.5);
        let pair = |first: usize| loss(first) + loss(first + 1);
        let of =
            |overlap| explained(&question.clone().with("window", "1x2").with("stride", "1").with("overlap", overlap));
        let middle = [pair(0) + pair(1), pair(1) + pair(2)];
        assert_close(&of("sum").values, &[pair(0), middle[0], middle[1], pair(2)], 1e-5);
        let found = of("average");
        assert_close(&found.values, &[pair(0), middle[0] / 2.0, middle[1] / 2.0, pair(2)], 1e-5);
        assert_eq!(found.forward_passes, 4);
    }

    /// A window of 2 moving by 2 over 3 columns sticks out at the end and is cut there; both channels get what both lose.
    #[test]
    fn the_last_window_is_cut_and_channels_are_covered_together() {
        let (question, input) = question(&[2, 1, 3]);
        let loss = |place: usize| linear_weight(place, 0) * (input[place] - 0.5);
        let column = |column: usize| loss(column) + loss(3 + column);
        let found = explained(&question.clone().with("window", "1x2").with("stride", "2"));
        let row = [column(0) + column(1), column(0) + column(1), column(2)];
        assert_close(&found.values, &[row, row].concat(), 1e-5);
        assert_close(&found.map.values, &row, 1e-5);
        // One number per axis covers single channels.
        let found = explained(&question.with("window", "1x1x1").with("stride", "1"));
        assert_close(&found.values, &(0..6).map(loss).collect::<Vec<_>>(), 1e-5);
    }

    #[test]
    fn a_window_larger_than_the_input_is_refused() {
        let (question, _) = question(&[1, 2, 4]);
        let refused = pollster::block_on(Occlusion.explain(&question.clone().with("window", "3x3").context()));
        let error = refused.unwrap_err().to_string();
        assert_eq!(error, "The window does not fit: a length of 3 does not fit into the input's 2.");
        let refused = pollster::block_on(Occlusion.explain(&question.with("window", "1x1x1x1").context()));
        assert!(refused.unwrap_err().to_string().contains("1x1x1x1 has 4 numbers, and the input has 3 axes"));
    }
}
