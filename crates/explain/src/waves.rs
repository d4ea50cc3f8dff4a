//! A picture written as waves: what is changed is the phase of each, or phase and size, and the pixels follow. Pixels
//! changed one by one would become noise that the model alone can see.
//!
//! The waves of each of three independent colours (of natural pictures, by principal components: brightness, blue to
//! yellow, green to purple) are mixed to red, green and blue, and a sigmoid keeps the pixels between black and white.
//! Where nobody knows how pixels become the input, the waves are the input.

use std::f32::consts::PI;

use burn::tensor::activation::sigmoid;
use vitrine_graph::Value;
use vitrine_protocol::{Channels, Layout};

use crate::{
    Context, ExplainError, Infill,
    random::{Purpose, Random},
    sampler::size_of_picture,
    spectrum::{Spectrum, mirror, natural},
    views::{from_planes, to_planes},
};

/// Red, green and blue (rows) of each independent colour (columns): the square root of the covariance of ImageNet's
/// colours, as published with Lucid (Olah, Mordvintsev, Schubert 2017), so scaled that rows have a length of about one.
const COLOURS: [[f32; 3]; 3] = [[0.94, 0.32, 0.07], [0.97, 0.0, -0.18], [0.97, -0.32, 0.11]];

/// Standard deviation of the waves before the sigmoid: pixels then have one of 0.25, as those of natural pictures.
const CONTRAST: f32 = 1.2;

/// Standard deviation, as a part of natural magnitudes, of waves that may change their size, at first.
const START: f32 = 0.01;

/// A picture as waves.
pub(crate) struct Waves {
    spectrum: Spectrum,
    size: [usize; 2],
    /// The size of each wave, or what it counts in.
    magnitudes: Vec<f32>,
    channels: usize,
    layout: Layout,
    /// How the colours are mixed; nothing for channels that are not red, green and blue.
    colours: Option<[[f32; 3]; 3]>,
    /// Black, and the distance from black to white, as input tensors.
    range: Option<[Value; 2]>,
    /// Whether the waves may change their size.
    sized: bool,
}

/// What some numbers stand for.
pub(crate) struct Drawn {
    /// `[1, ...]`.
    pub(crate) input: Value,
    /// How fast the input changes with the waves; one where nothing is said.
    slope: Option<Value>,
}

impl Drawn {
    /// An input that is its own numbers.
    pub(crate) fn plain(input: Value) -> Drawn {
        Drawn { input, slope: None }
    }
}

impl Waves {
    /// # Errors
    /// [`ExplainError::NotAnImage`] unless the input has channels, height and width.
    pub(crate) async fn new(context: &Context<'_>, sized: bool) -> Result<Waves, ExplainError> {
        let (size, layout) = (size_of_picture(context)?, context.layout());
        let channels = context.input.len() / (size[0] * size[1]).max(1);
        let range = match context.pixels {
            Some(_) => {
                let black = Infill::Black.tensor(context).await?;
                let span = Infill::White.tensor(context).await?.sub(&black)?;
                Some([black, span])
            }
            None => None,
        };
        let [red, green, blue] = COLOURS;
        let colours = match context.pixels.map(|pixels| pixels.channels) {
            Some(Channels::Rgb) => Some([red, green, blue]),
            Some(Channels::Bgr) => Some([blue, green, red]),
            _ => None,
        };
        let mut magnitudes = natural(size);
        if let (false, Some(mean)) = (sized, magnitudes.first_mut()) {
            *mean = 0.0;
        }
        if range.is_some() {
            magnitudes.iter_mut().for_each(|magnitude| *magnitude *= CONTRAST);
        }
        let spectrum = Spectrum::new(size, &context.input.device());
        Ok(Waves { spectrum, size, magnitudes, channels, layout, colours, range, sized })
    }

    /// The distance from black to white, where that is known.
    pub(crate) fn span(&self) -> Option<&Value> {
        self.range.as_ref().map(|[_, span]| span)
    }

    /// Random numbers to begin with: a phase for each wave of each channel, or its real and its imaginary part.
    pub(crate) fn start(&self, seed: u64) -> Vec<f32> {
        let mut random = Random::new(seed, Purpose::Start, 0);
        let count = self.channels * self.magnitudes.len();
        match self.sized {
            false => (0..count).map(|_| PI * (2.0 * random.uniform() - 1.0)).collect(),
            true => (0..2 * count).map(|_| START * random.normal()).collect(),
        }
    }

    /// The input that numbers stand for.
    pub(crate) fn draw(&self, numbers: &[f32]) -> Result<Drawn, ExplainError> {
        let waves = self.spectrum.picture(&self.mixed(self.coefficients(numbers), false))?;
        let waves = from_planes(&waves, self.layout)?;
        let Some([black, span]) = &self.range else { return Ok(Drawn::plain(waves)) };
        let pixels = waves.map(sigmoid)?;
        let steepness = pixels.map(|pixels| pixels.clone() * (pixels.neg() + 1.0))?;
        Ok(Drawn { input: pixels.mul(span)?.add(black)?, slope: Some(steepness.mul(span)?) })
    }

    /// The gradient at the numbers from that at what they stand for.
    pub(crate) async fn pull_back(
        &self,
        numbers: &[f32],
        drawn: &Drawn,
        gradient: &Value,
    ) -> Result<Vec<f32>, ExplainError> {
        let gradient = drawn.slope.as_ref().map_or(Ok(gradient.clone()), |slope| gradient.mul(slope))?;
        let gradient = self.spectrum.pull_back(&to_planes(&gradient, self.layout)?)?.to_vec().await?;
        Ok(self.at_numbers(numbers, &self.mixed(gradient, true)))
    }

    /// Coefficients `[channels, 2, ...]`, before colours are mixed.
    fn coefficients(&self, numbers: &[f32]) -> Vec<f32> {
        let count = self.magnitudes.len().max(1);
        let mut found = Vec::with_capacity(self.channels * 2 * count);
        if self.sized {
            let planes = numbers.chunks(count).flat_map(|plane| plane.iter().zip(&self.magnitudes));
            found.extend(planes.map(|(number, magnitude)| number * magnitude));
            return found;
        }
        for phases in numbers.chunks(count) {
            let wave = |index: usize| {
                let (owner, sign) = self.owner(index);
                let (phase, magnitude) = (phases.get(owner).copied().unwrap_or(0.0), self.magnitude(index));
                // A wave that is its own mirror image is real.
                if sign == 0.0 { [magnitude, 0.0] } else { [magnitude * phase.cos(), sign * magnitude * phase.sin()] }
            };
            for part in 0..2 {
                found.extend((0..count).map(|index| wave(index)[part]));
            }
        }
        found
    }

    /// The gradient at the numbers from that at their [`Waves::coefficients`].
    fn at_numbers(&self, numbers: &[f32], gradient: &[f32]) -> Vec<f32> {
        let count = self.magnitudes.len().max(1);
        if self.sized {
            let planes = gradient.chunks(count).flat_map(|plane| plane.iter().zip(&self.magnitudes));
            return planes.map(|(gradient, magnitude)| gradient * magnitude).collect();
        }
        let mut found = vec![0.0; numbers.len()];
        let channels = numbers.chunks(count).zip(gradient.chunks(2 * count)).zip(found.chunks_mut(count));
        for ((phases, gradient), found) in channels {
            let (real, imaginary) = gradient.split_at(count);
            for (index, (real, imaginary)) in real.iter().zip(imaginary).enumerate() {
                let (owner, sign) = self.owner(index);
                if let (Some(phase), Some(found), true) = (phases.get(owner), found.get_mut(owner), sign != 0.0) {
                    *found += self.magnitude(index) * (sign * phase.cos() * imaginary - phase.sin() * real);
                }
            }
        }
        found
    }

    /// Whose phase a wave has, and with which sign: mirror images have opposite ones, and what is its own has none.
    fn owner(&self, index: usize) -> (usize, f32) {
        match mirror(index, self.size) {
            Some(image) if image == index => (index, 0.0),
            Some(image) if image < index => (image, -1.0),
            _ => (index, 1.0),
        }
    }

    fn magnitude(&self, index: usize) -> f32 {
        self.magnitudes.get(index).copied().unwrap_or(0.0)
    }

    /// Mixes independent colours to channels, or with `back` takes a gradient the way back.
    fn mixed(&self, coefficients: Vec<f32>, back: bool) -> Vec<f32> {
        let length = self.spectrum.len();
        let (Some(colours), 3) = (self.colours, self.channels) else { return coefficients };
        let mut found = vec![0.0; coefficients.len()];
        for (to, found) in found.chunks_mut(length.max(1)).enumerate() {
            for (from, values) in coefficients.chunks(length.max(1)).enumerate() {
                let weight = if back { colours[from % 3][to % 3] } else { colours[to % 3][from % 3] };
                found.iter_mut().zip(values).for_each(|(found, value)| *found += weight * value);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use vitrine_protocol::ImageInput;

    use super::*;
    use crate::{
        spectrum::slowly,
        testing::{Question, linear, read},
    };

    fn waves(sized: bool, pixels: Option<ImageInput>) -> (Question, Waves) {
        let mut question = Question::new(linear(&[3, 4, 6]), &[0.0; 72]);
        if let Some(pixels) = pixels {
            question = question.pixels(pixels);
        }
        let waves = pollster::block_on(Waves::new(&question.context(), sized)).unwrap();
        (question, waves)
    }

    fn rgb() -> ImageInput {
        ImageInput { mean: vec![0.5; 3], std: vec![0.25; 3], ..ImageInput::plain(Layout::Nchw, Channels::Rgb, 4, 6) }
    }

    #[test]
    fn phases_alone_leave_the_magnitudes() {
        let (_, waves) = waves(false, None);
        for seed in 0..3 {
            let numbers: Vec<f32> = waves.start(seed).iter().map(|phase| 5.0 * phase).collect();
            let planes = read(&waves.draw(&numbers).unwrap().input);
            for plane in planes.chunks(24) {
                let found = slowly(plane, [4, 6]);
                for (index, [real, imaginary]) in found.into_iter().enumerate() {
                    let expected = f64::from(waves.magnitudes[index]);
                    assert!((real.hypot(imaginary) - expected).abs() < 1e-5, "{index}: {real} {imaginary} {expected}");
                }
            }
        }
    }

    #[test]
    fn pixels_stay_between_black_and_white() {
        let (_, waves) = waves(true, Some(rgb()));
        let numbers: Vec<f32> = waves.start(0).iter().map(|number| 500.0 * number).collect();
        let values = read(&waves.draw(&numbers).unwrap().input);
        assert!(values.iter().all(|value| (-2.0..=2.0).contains(value)), "{values:?}");
        assert!(values.iter().any(|value| value.abs() > 1.9), "some are near an end");
    }

    /// Compared with central differences of the sum of the input times weights.
    #[test]
    fn gradients_are_the_slopes() {
        for (sized, pixels) in [(false, None), (true, None), (false, Some(rgb())), (true, Some(rgb()))] {
            let (question, waves) = waves(sized, pixels);
            let numbers: Vec<f32> =
                waves.start(1).iter().map(|number| if sized { 50.0 * number } else { *number }).collect();
            let weights: Vec<f32> = (0..72).map(|at| (at as f32 * 2.1).sin()).collect();
            let of = |numbers: &[f32]| {
                let input = read(&waves.draw(numbers).unwrap().input);
                input.iter().zip(&weights).map(|(a, b)| f64::from(a * b)).sum::<f64>()
            };
            let gradient = Value::from_f32(&weights, &[1, 3, 4, 6], &question.context().input.device());
            let drawn = waves.draw(&numbers).unwrap();
            let found = pollster::block_on(waves.pull_back(&numbers, &drawn, &gradient)).unwrap();
            let largest = found.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            for (index, found) in found.iter().enumerate() {
                let moved = |step: f32| {
                    let mut numbers = numbers.clone();
                    numbers[index] += step;
                    of(&numbers)
                };
                let slope = ((moved(0.01) - moved(-0.01)) / 0.02) as f32;
                assert!((found - slope).abs() < 2e-3 * largest, "{index}: {found}, not {slope}");
            }
        }
    }
}
