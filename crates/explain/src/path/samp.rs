//! SAMP: a way between a baseline and the input that changes in each step the pixels that count most there, so that few
//! pixels get most of the credit. The ways in both directions, putting the pixels in and taking them out, are averaged.
//!
//! Borui Zhang, Wenzhao Zheng, Jie Zhou, Jiwen Lu: Path Choice Matters for Clear Attribution in Path Methods. ICLR 2024.
//!
//! Departures: what counts most is the largest absolute product of a pixel's gradient and its distance to go, summed
//! over the channels first. The number of steps is given, and with it the pixels of a step, where the paper gives those.
//! SAMP++ bounds the length of a step ("infinitesimal constraint") and smooths the gradient that chooses
//! ("momentum"): with `even-steps` all steps have the same length in the sum of absolute differences, and the last pixel
//! of a step is moved in part; `momentum` is the part of the old gradient that is kept. The paper averages over a black
//! and a white baseline; here there is one.

use vitrine_protocol::{Family, Layout, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, Infill, LocalBoxFuture,
    attribution::picture_size,
    completeness::along,
    integrator::{ENDS, gradients_at},
    options::{choices, integer, number, options},
};

choices! {
    /// Which way pixels go.
    pub enum Direction {
        /// Both ways, averaged.
        Both = "both",
        /// From the baseline to the input.
        Insertion = "insertion",
        /// From the input to the baseline.
        Deletion = "deletion",
    }
}

impl Direction {
    fn ways(self) -> usize {
        if self == Direction::Both { 2 } else { 1 }
    }
}

options! {
    /// Options of [`Samp`].
    pub struct SampOptions {
        /// Steps of each way, one after the other, each one forward and one backward pass.
        steps: usize [integer(1, 2000)] = 50,
        /// Which way pixels go.
        direction: Direction [Direction::kind()] = Direction::Both,
        /// Whether all steps have the same length, as in SAMP++, instead of the same number of pixels.
        even_steps: bool [ParameterKind::Boolean] = false,
        /// Part of the earlier gradient kept when pixels are chosen; SAMP++ keeps 0.5.
        momentum: f64 [number(0.0, 0.99)] = 0.0,
        /// The other end of the way: black, white, grey, mean, blur or noise in pixel space, or zero and value:V in
        /// tensor space, or a file.
        baseline: Infill [ParameterKind::Infill] = Infill::Black,
        /// Largest completeness gap accepted, as a part of the target's difference between input and baseline: while it
        /// is larger, everything is run again with twice the steps, up to 32 times as many. 0 accepts any.
        max_gap: f64 [number(0.0, 1.0)] = 0.0,
    }
}

/// SAMP and SAMP++ (Zhang, Zheng, Zhou, Lu 2024).
pub struct Samp;

impl Explainer for Samp {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "samp".to_owned(),
            name: "Salient Manipulation Path".to_owned(),
            family: Family::Path,
            summary: "Puts the picture together from its most important pixels, takes it apart again, and notes how \
                      much each pixel moved the answer. The map is clear because few pixels get most of the credit, \
                      which may be fewer than deserve it."
                .to_owned(),
            reference: Reference {
                authors: "Borui Zhang, Wenzhao Zheng, Jie Zhou, Jiwen Lu".to_owned(),
                year: 2024,
                title: "Path Choice Matters for Clear Attribution in Path Methods".to_owned(),
                venue: "ICLR".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: SampOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = SampOptions::parse(context.parameters)?;
        let passes = options.steps * options.direction.ways();
        Ok(Cost { forward_passes: (passes + ENDS) as u64, backward_passes: passes as u64 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = SampOptions::parse(context.parameters)?;
    let baseline = options.baseline.tensor(context).await?;
    let ways = options.direction.ways();
    let [from, to] = [baseline.to_vec().await?, context.input.to_vec().await?];
    let found = along(context, &baseline, [options.steps, ways], options.max_gap, async |steps, progress| {
        let mut walks = Vec::new();
        if options.direction != Direction::Deletion {
            walks.push(Walk::new(context, &options, [&from, &to], 1.0));
        }
        if options.direction != Direction::Insertion {
            walks.push(Walk::new(context, &options, [&to, &from], -1.0));
        }
        for step in 1..=steps {
            let points: Vec<&[f32]> = walks.iter().map(|walk| walk.point.as_slice()).collect();
            let gradients = gradients_at(context, &points, progress).await?;
            for (walk, gradient) in walks.iter_mut().zip(gradients) {
                walk.step(step as f64 / steps as f64, &gradient);
            }
        }
        let mean = |index: usize| walks.iter().map(|walk| walk.attribution[index]).sum::<f64>() / ways as f64;
        Ok((0..from.len()).map(|index| mean(index) as f32).collect())
    })
    .await?;
    Ok(found.attribution(context, None, options.values(), Vec::from_iter(options.baseline.note(context))))
}

/// One way, so far.
struct Walk {
    point: Vec<f32>,
    to: Vec<f32>,
    /// 1 where pixels are put in; -1 where they are taken out, which moves the target the other way.
    sign: f64,
    attribution: Vec<f64>,
    /// The gradient that chooses.
    smoothed: Vec<f32>,
    momentum: f32,
    /// Channels of a pixel, and how far one is from the next; how far pixels are from one another.
    channels: [usize; 2],
    stride: usize,
    /// Pixels not yet at their end.
    left: Vec<usize>,
    even_steps: bool,
    /// The length of the whole way, in pixels or in absolute differences.
    whole: f64,
    gone: f64,
}

impl Walk {
    fn new(context: &Context<'_>, options: &SampOptions, [from, to]: [&[f32]; 2], sign: f64) -> Walk {
        let size = picture_size(context.shape(), context.layout()).filter(|_| context.shape().len() == 3);
        let pixels = size.map_or(to.len(), |[height, width]| height * width).max(1);
        let count = to.len() / pixels;
        let (apart, stride) = if context.layout() == Layout::Nhwc { (1, count) } else { (pixels, 1) };
        let length: f64 = from.iter().zip(to).map(|(from, to)| f64::from((to - from).abs())).sum();
        Walk {
            point: from.to_vec(),
            to: to.to_vec(),
            sign,
            attribution: vec![0.0; to.len()],
            smoothed: Vec::new(),
            momentum: options.momentum as f32,
            channels: [count, apart],
            stride,
            left: (0..pixels).collect(),
            even_steps: options.even_steps,
            whole: if options.even_steps { length } else { pixels as f64 },
            gone: 0.0,
        }
    }

    /// The indices of a pixel's channels.
    fn channels(&self, pixel: usize) -> impl Iterator<Item = usize> + use<> {
        let ([count, apart], first) = (self.channels, pixel * self.stride);
        (0..count).map(move |channel| first + channel * apart)
    }

    /// Goes on until this part of the whole way is gone; `gradient` is that at the point.
    fn step(&mut self, part: f64, gradient: &[f32]) {
        if self.smoothed.is_empty() {
            self.smoothed = gradient.to_vec();
        }
        for (smoothed, gradient) in self.smoothed.iter_mut().zip(gradient) {
            *smoothed = self.momentum * *smoothed + (1.0 - self.momentum) * gradient;
        }
        let gain = |pixel: usize| {
            let product = |index: usize| self.smoothed[index] * (self.to[index] - self.point[index]);
            self.channels(pixel).map(product).sum::<f32>().abs()
        };
        let mut order: Vec<(f32, usize)> = self.left.iter().map(|&pixel| (gain(pixel), pixel)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut arrived = 0;
        for &(_, pixel) in &order {
            let to_go = |index: usize| f64::from(self.to[index]) - f64::from(self.point[index]);
            let length: f64 =
                if self.even_steps { self.channels(pixel).map(|index| to_go(index).abs()).sum() } else { 1.0 };
            let budget = self.whole * part - self.gone;
            // The last step takes whatever rounding has left.
            if part < 1.0 && budget <= 1e-9 * self.whole {
                break;
            }
            let share = if part < 1.0 && self.even_steps && length > budget { budget / length } else { 1.0 };
            for index in self.channels(pixel) {
                let (before, to) = (self.point[index], self.to[index]);
                let partly = f64::from(before) + (f64::from(to) - f64::from(before)) * share;
                self.point[index] = if share == 1.0 { to } else { partly as f32 };
                let moved = f64::from(self.point[index]) - f64::from(before);
                self.attribution[index] += self.sign * f64::from(gradient[index]) * moved;
            }
            self.gone += length * share;
            if share < 1.0 {
                break;
            }
            arrived += 1;
        }
        self.left = order.into_iter().skip(arrived).map(|(_, pixel)| pixel).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight, squares};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(Samp.explain(&question.context())).unwrap()
    }

    #[test]
    fn a_linear_model_gives_weight_times_difference_on_any_way() {
        let input: Vec<f32> = (0..24).map(|index| (index as f32 * 0.9).cos()).collect();
        let expected: Vec<f32> = (0..24).map(|i| linear_weight(i, 1) * input[i]).collect();
        for direction in ["both", "insertion", "deletion"] {
            for even_steps in ["true", "false"] {
                let question = Question::new(linear(&[2, 3, 4]), &input).with("steps", "5").with("momentum", "0.5");
                let found = explained(&question.with("direction", direction).with("even-steps", even_steps));
                assert_close(&found.values, &expected, 1e-5);
                assert!(found.completeness_gap.unwrap().abs() < 1e-4, "{:?}", found.completeness_gap);
            }
        }
    }

    /// The squares' gradient is twice the point, and 1 and 3 stand against 0.5. Putting in, the second pixel has more to
    /// gain, 2.5 * 1, and goes first, then the first by 0.5 * 1. Taking out, the second goes first by 2.5 * 6, then the
    /// first by 0.5 * 2.
    #[test]
    fn the_pixel_with_most_to_gain_goes_first() {
        let question =
            Question::new(squares(2), &[1.0, 3.0]).target("0").with("steps", "2").with("baseline", "value:0.5");
        let of = |direction: &str| explained(&question.clone().with("direction", direction));
        assert_close(&of("insertion").values, &[0.5, 2.5], 1e-6);
        assert_close(&of("deletion").values, &[1.0, 15.0], 1e-6);
        let both = of("both");
        assert_close(&both.values, &[0.75, 8.75], 1e-6);
        assert_eq!((both.forward_passes, both.backward_passes), (6, 4));
        assert!((both.completeness_gap.unwrap() - 0.0).abs() < 1e-5, "{:?}", both.completeness_gap);
    }

    /// The whole way is 0.5 + 2.5: the first half moves the second pixel from 0.5 to 2 with gradient 1; the second half
    /// the rest of it with gradient 4, and the first pixel with gradient 1.
    #[test]
    fn even_steps_cut_a_pixel_in_two() {
        let question =
            Question::new(squares(2), &[1.0, 3.0]).target("0").with("steps", "2").with("baseline", "value:0.5");
        let found = explained(&question.with("direction", "insertion").with("even-steps", "true"));
        assert_close(&found.values, &[0.5, 1.5 + 4.0], 1e-6);
    }
}
