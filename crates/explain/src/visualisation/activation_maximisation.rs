//! Activation maximisation: the picture that drives a channel of a layer, one of its neurons or a direction the most: what
//! it looks for.
//!
//! Dumitru Erhan, Yoshua Bengio, Aaron Courville, Pascal Vincent: Visualizing Higher-Layer Features of a Deep Network.
//! University of Montreal, 2009; as Olah, Mordvintsev and Schubert do it (Feature Visualization, Distill 2017): waves
//! instead of pixels, independent colours, and random crops in every step.
//!
//! Departures: crops and their noise take the place of jitter, scaling and turning. A direction is the mean activation of
//! the picture at hand, and what grows is the dot product with it. With phases alone the picture is that of MACO (Fel et
//! al. 2023) for something inside the model.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    ascent::{Ascent, Parametrisation, climb, cost},
    neuron::{direction, neuron, passes},
    optimiser::Optimiser,
    options::{choices, integer, number, options},
    views::Views,
    waves::Waves,
};

choices! {
    /// What is to grow.
    pub enum Aim {
        /// A channel of the layer, or one of its neurons where row and column are given.
        Channel = "channel",
        /// All channels together, each as much as it is active for the picture at hand: what the layer keeps of that
        /// picture.
        Picture = "picture",
    }
}

choices! {
    /// What may change of the waves that make the picture.
    pub enum Parts {
        /// Size and phase of each wave. The picture gets whatever contrasts help.
        Waves = "waves",
        /// The phase alone, as in MACO: the picture has the contrasts of natural ones, and pixels that never mattered are
        /// transparent.
        Phases = "phases",
    }
}

impl Parts {
    /// How far a number moves in a step where the visitor does not say it.
    fn usual_rate(self) -> f64 {
        match self {
            Parts::Waves => 0.05,
            Parts::Phases => 1.0,
        }
    }
}

options! {
    /// Options of [`ActivationMaximisation`].
    pub struct ActivationMaximisationOptions {
        /// What is to grow.
        aim: Aim [Aim::kind()] = Aim::Channel,
        /// The layer's channel, counted from 0; -1 takes the one that matters most for the target, found by one more
        /// forward and backward pass.
        channel: i64 [integer(-1, 1_000_000)] = -1,
        /// The row of the layer, counted from 0; -1 takes all.
        row: i64 [integer(-1, 100_000)] = -1,
        /// The column of the layer, counted from 0; -1 takes all.
        column: i64 [integer(-1, 100_000)] = -1,
        /// What may change of the waves that make the picture.
        parts: Parts [Parts::kind()] = Parts::Waves,
        /// Steps uphill.
        steps: usize [integer(1, 10_000)] = 128,
        /// Random crops that every step looks at, each one forward and one backward pass.
        views: usize [integer(1, 256)] = 4,
        /// Side of the smallest crops, as a part of the picture's; the first step sees all of it.
        side: f64 [number(0.01, 1.0)] = 0.8,
        /// Noise added to the crops: its standard deviation, as a part of the distance between black and white.
        noise: f64 [number(0.0, 1.0)] = 0.04,
        /// How far a number moves in a step; 0 takes 0.05 for waves and 1 for phases.
        learning_rate: f64 [number(0.0, 100.0)] = 0.0,
    }
}

/// Activation maximisation (Erhan et al. 2009).
///
/// The predictions of the [`Attribution`] are the neuron's: at the picture that is made, and at the one that it began with.
pub struct ActivationMaximisation;

impl Explainer for ActivationMaximisation {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "activation-maximisation".to_owned(),
            name: "Activation Maximisation".to_owned(),
            family: Family::Visualisation,
            summary:
                "Makes a picture that drives one channel inside the model as far as it goes, to see what it looks \
                      for. A channel may look for several things, and one picture shows one of them."
                    .to_owned(),
            reference: Reference {
                authors: "Dumitru Erhan, Yoshua Bengio, Aaron Courville, Pascal Vincent".to_owned(),
                year: 2009,
                title: "Visualizing Higher-Layer Features of a Deep Network".to_owned(),
                venue: "University of Montreal".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::SpatialLayer, Need::ImageInput],
            parameters: ActivationMaximisationOptions::parameters(),
            promises: vec![Promise::Seeded, Promise::Picture],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = ActivationMaximisationOptions::parse(context.parameters)?;
        Ok(cost(options.steps, options.views, options.before()))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

impl ActivationMaximisationOptions {
    /// What finding the neuron or the direction runs.
    fn before(&self) -> Cost {
        match self.aim {
            Aim::Channel => {
                let passes = passes(self.channel) as u64;
                Cost { forward_passes: passes, backward_passes: passes }
            }
            Aim::Picture => Cost { forward_passes: 1, backward_passes: 0 },
        }
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = ActivationMaximisationOptions::parse(context.parameters)?;
    let parametrisation = Parametrisation::Waves(Box::new(Waves::new(context, options.parts == Parts::Waves).await?));
    let place = [options.row, options.column];
    let neuron = match options.aim {
        Aim::Channel => neuron(context, options.channel, place).await?,
        Aim::Picture => direction(context, place).await?,
    };
    let rate = if options.learning_rate > 0.0 { options.learning_rate } else { options.parts.usual_rate() };
    let ascent = Ascent {
        scalar: neuron.scalar(),
        parametrisation,
        optimiser: Optimiser::nadam(rate),
        steps: options.steps,
        views: Some(Views { count: options.views, sides: [1.0, options.side], noise: options.noise }),
        transparent: options.parts == Parts::Phases,
        before: options.before(),
    };
    let found = climb(context, ascent).await?;
    let mut notes = vec![neuron.note()];
    notes.extend(found.notes);
    Ok(Attribution { layer: Some(neuron.layer.name), parameters: options.values(), notes, ..found })
}

#[cfg(test)]
mod tests {
    use vitrine_onnx::{Node, Tensor};

    use super::*;
    use crate::testing::{Question, assert_close, graph};

    /// A 3 x 3 kernel, edges down and across in two channels, over 5 x 5 pixels without padding: layer `c` is 2 x 3 x 3.
    fn edges() -> Question {
        let across = [-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0];
        let down = [-1.0, -2.0, -1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 1.0];
        let nodes = vec![
            Node::new("Conv", &["x", "kernels"], &["c"]),
            Node::new("GlobalAveragePool", &["c"], &["pooled"]),
            Node::new("Flatten", &["pooled"], &["flat"]),
            Node::new("MatMul", &["flat", "w"], &["y"]),
        ];
        let initializers = vec![
            Tensor::from_f32("kernels", &[2, 1, 3, 3], &[across, down].concat()),
            Tensor::from_f32("w", &[2, 2], &[1.0, 0.0, 0.0, 1.0]),
        ];
        let picture: Vec<f32> = (0..25).map(|at| (at / 5) as f32).collect();
        Question::new(graph(&[1, 5, 5], nodes, initializers, 2), &picture).layer("c")
    }

    fn explained(question: &Question) -> Result<Attribution, ExplainError> {
        pollster::block_on(ActivationMaximisation.explain(&question.context()))
    }

    /// The cosine of the middle 3 x 3 pixels with a kernel.
    fn likeness(values: &[f32], kernel: [f32; 9]) -> f32 {
        let middle: Vec<f32> = (0..9).map(|at| values[(at / 3 + 1) * 5 + at % 3 + 1]).collect();
        let mean = middle.iter().sum::<f32>() / 9.0;
        let dot: f32 = middle.iter().zip(kernel).map(|(a, b)| (a - mean) * b).sum();
        let size = |values: &[f32]| values.iter().map(|value| value * value).sum::<f32>().sqrt();
        dot / (size(&middle.iter().map(|value| value - mean).collect::<Vec<_>>()) * size(&kernel))
    }

    /// The middle neuron sees the middle 3 x 3 pixels by its kernel alone.
    #[test]
    fn a_neuron_finds_its_kernel() {
        let place =
            |question: Question| question.with("row", "1").with("column", "1").with("side", "1").with("noise", "0");
        for (channel, kernel) in [
            ("0", [-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0]),
            ("1", [-1.0, -2.0, -1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 1.0]),
        ] {
            let found = explained(&place(edges()).with("channel", channel).with("views", "1")).unwrap();
            let values = found.visualisation.unwrap().values;
            let cosine = likeness(&values, kernel);
            assert!(cosine > 0.8, "channel {channel}: {cosine}, {values:?}");
            // What the neuron does not see has no gradient; what it does, that of the kernel.
            let seen: Vec<f32> = (0..9).map(|at| found.values[(at / 3 + 1) * 5 + at % 3 + 1]).collect();
            assert_close(&seen, &kernel.map(f32::abs), 1e-5);
            assert_close(&[found.values.iter().sum::<f32>()], &[8.0], 1e-5);
            assert_eq!((found.forward_passes, found.backward_passes), (130, 128));
            assert!(found.prediction > 10.0 * found.baseline_prediction.unwrap().abs(), "{}", found.prediction);
        }
    }

    /// The picture rises from row to row: channel 1 is 8 everywhere and channel 0 is zero, so the direction is 8 times
    /// channel 1.
    #[test]
    fn a_direction_is_the_pictures_own_activation() {
        let quick = |question: Question| question.with("steps", "3").with("views", "2");
        let channel = explained(&quick(edges()).with("channel", "1")).unwrap();
        let direction = explained(&quick(edges()).with("aim", "picture")).unwrap();
        assert_close(
            &direction.visualisation.as_ref().unwrap().values,
            &channel.visualisation.as_ref().unwrap().values,
            1e-4,
        );
        assert!((direction.prediction / channel.prediction - 8.0).abs() < 1e-3);
        assert!(direction.notes[0].contains("the picture's own direction"), "{:?}", direction.notes);
        assert_eq!((direction.forward_passes, direction.backward_passes), (9, 6));
    }

    #[test]
    fn phases_alone_make_a_picture_that_is_transparent_in_parts() {
        let found = explained(&edges().with("parts", "phases").with("row", "0").with("steps", "5")).unwrap();
        let picture = found.visualisation.unwrap().picture;
        assert!(picture.rgba.as_chunks::<4>().0.iter().any(|pixel| pixel[3] < 255), "{picture:?}");
        assert!(found.notes[0].contains("channel 1, the one that matters most"), "{:?}", found.notes);
        assert_eq!((found.forward_passes, found.backward_passes), (23, 21));
    }

    #[test]
    fn a_channel_that_the_layer_does_not_have_is_refused() {
        let error = explained(&edges().with("channel", "2")).unwrap_err().to_string();
        assert_eq!(error, "Parameter \"channel\": \"2\" is not a whole number from -1 to 1.");
    }
}
