//! A picture as Haar wavelets, and pictures of which some of these are kept.

use std::{ops::Range, rc::Rc};

use vitrine_graph::Value;

use crate::{
    Context, ExplainError,
    haar::Haar,
    random::{Purpose, Random},
    sampler::size_of_picture,
    views,
};

/// A picture's wavelets, the same places of all channels kept together, and the noise that takes the place of removed ones.
#[derive(Clone)]
pub(crate) struct Wavelets {
    size: [usize; 2],
    haar: Rc<Haar>,
    seed: u64,
    /// `[channels, height, width]`.
    coefficients: Vec<f32>,
    /// Mean and standard deviation of the wavelets of a place's size and direction, for each of [`Wavelets::coefficients`].
    noise: Vec<[f32; 2]>,
}

impl Wavelets {
    /// # Errors
    /// [`ExplainError::NotAnImage`] unless the input has channels, height and width.
    pub(crate) async fn of(context: &Context<'_>, levels: usize) -> Result<Wavelets, ExplainError> {
        let size = size_of_picture(context)?;
        let area = (size[0] * size[1]).max(1);
        let mut coefficients = views::to_planes(context.input, context.layout())?.to_vec().await?;
        let mut noise = Vec::with_capacity(coefficients.len());
        let haar = Haar::unpadded(size, levels);
        let bands: Vec<usize> = (0..area).map(|place| band(place, size, haar.levels)).collect();
        for plane in coefficients.chunks_mut(area) {
            plane.copy_from_slice(&haar.forward(plane));
            let of_band: Vec<[f32; 2]> = (0..=3 * haar.levels).map(|band| spread(plane, &bands, band)).collect();
            noise.extend(bands.iter().map(|band| of_band[*band]));
        }
        Ok(Wavelets { size, haar: Rc::new(haar), seed: context.seed, coefficients, noise })
    }

    /// Planes become their wavelets.
    fn transform(&self, planes: &mut [f32]) {
        planes.chunks_mut(self.area().max(1)).for_each(|plane| plane.copy_from_slice(&self.haar.forward(plane)));
    }

    /// Wavelets become the planes that they make up.
    fn pictures(&self, wavelets: &mut [f32]) {
        wavelets
            .chunks_mut(self.area().max(1))
            .for_each(|plane| plane.copy_from_slice(&self.haar.inverse(plane.to_vec())));
    }

    /// Places of each channel.
    pub(crate) fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// The pictures of which so much of each wavelet is kept, `[masks, height, width]`; and what a mask of one adds to one of
    /// zero, `[masks, channels, height, width]`. A removed wavelet becomes noise, even between a standard deviation below
    /// and above the mean of those of its size and direction.
    pub(crate) fn compose(
        &self,
        context: &Context<'_>,
        kept: &[f32],
        draws: Range<usize>,
    ) -> Result<(Value, Vec<f32>), ExplainError> {
        let area = (self.size[0] * self.size[1]).max(1);
        let batch = draws.len();
        let (mut planes, mut differences) = (Vec::new(), Vec::new());
        for (kept, draw) in kept.chunks(area).zip(draws) {
            let mut random = Random::new(self.seed, Purpose::Noise, draw as u32);
            let start = planes.len();
            for (index, (coefficient, [mean, deviation])) in self.coefficients.iter().zip(&self.noise).enumerate() {
                let noise = mean + deviation * (2.0 * random.uniform() - 1.0);
                planes.push(noise + kept[index % area] * (coefficient - noise));
                differences.push(coefficient - noise);
            }
            self.pictures(&mut planes[start..]);
        }
        let shape = [batch, self.coefficients.len() / area, self.size[0], self.size[1]];
        let planes = Value::from_f32(&planes, &shape, &context.input.device());
        Ok((views::from_planes(&planes, context.layout())?, differences))
    }

    /// The gradient at what is kept, `[masks, height, width]`, from that at the pictures.
    pub(crate) async fn pull_back(
        &self,
        context: &Context<'_>,
        differences: &[f32],
        gradient: &Value,
    ) -> Result<Vec<f32>, ExplainError> {
        let mut gradient = views::to_planes(gradient, context.layout())?.to_vec().await?;
        let (area, all) = ((self.size[0] * self.size[1]).max(1), self.coefficients.len().max(1));
        self.transform(&mut gradient);
        let mut found = vec![0.0; gradient.len() / all * area];
        for (index, (gradient, difference)) in gradient.iter().zip(differences).enumerate() {
            found[index / all * area + index % area] += gradient * difference;
        }
        Ok(found)
    }

    /// What is left of the picture, `[channels, height, width]`, where so much of each wavelet is kept and nothing takes the
    /// place of the rest.
    pub(crate) fn left(&self, kept: &[f32]) -> Vec<f32> {
        let kept = kept.iter().cycle();
        let mut planes: Vec<f32> = self.coefficients.iter().zip(kept).map(|(value, kept)| value * kept).collect();
        self.pictures(&mut planes);
        planes
    }

    /// The sum of the magnitudes of what is left of the picture, as a part of those of the picture, and its gradient at
    /// what is kept.
    pub(crate) fn brightness(&self, kept: &[f32]) -> (f32, Vec<f32>) {
        let area = kept.len().max(1);
        let sum = |planes: &[f32]| planes.iter().map(|value| value.abs()).sum::<f32>();
        let whole = sum(&self.left(&vec![1.0; area])).max(f32::MIN_POSITIVE);
        let left = self.left(kept);
        let share = sum(&left) / whole;
        let mut signs: Vec<f32> =
            left.iter().map(|value| if *value == 0.0 { 0.0 } else { value.signum() / whole }).collect();
        self.transform(&mut signs);
        let mut gradient = vec![0.0; area];
        for (index, (sign, coefficient)) in signs.iter().zip(&self.coefficients).enumerate() {
            gradient[index % area] += sign * coefficient;
        }
        (share, gradient)
    }
}

/// Which size and direction the wavelet at a place has: 0 for what is left of the means, then three for each size.
fn band(place: usize, size: [usize; 2], levels: usize) -> usize {
    let [row, column] = [place / size[1], place % size[1]];
    for level in 0..levels {
        let [rows, columns] = size.map(|length| length >> level);
        match (row >= rows / 2, column >= columns / 2) {
            (false, false) => {}
            (false, true) => return 3 * level + 1,
            (true, false) => return 3 * level + 2,
            (true, true) => return 3 * level + 3,
        }
    }
    0
}

/// Mean and standard deviation of the numbers of a band.
fn spread(plane: &[f32], bands: &[usize], band: usize) -> [f32; 2] {
    let own = || plane.iter().zip(bands).filter(|(_, other)| **other == band).map(|(value, _)| f64::from(*value));
    let count = own().count().max(1) as f64;
    let mean = own().sum::<f64>() / count;
    let variance = own().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    [mean as f32, variance.sqrt() as f32]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, read};

    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|index| (index as f32 * 1.3).sin()).collect()
    }

    #[test]
    fn a_band_is_a_size_and_a_direction() {
        // 4 x 4, two levels: the mean, three of the larger size, and three quarters of the smaller.
        let bands: Vec<usize> = (0..16).map(|place| band(place, [4, 4], 2)).collect();
        assert_eq!(bands, [0, 4, 1, 1, 5, 6, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3]);
    }

    #[test]
    fn with_everything_kept_the_picture_is_itself_and_noise_is_where_nothing_is() {
        let question = Question::new(linear(&[2, 4, 6]), &numbers(48));
        let context = question.context();
        let wavelets = pollster::block_on(Wavelets::of(&context, 3)).unwrap();
        let masks = [vec![1.0; 24], vec![0.0; 24]].concat();
        let (pictures, differences) = wavelets.compose(&context, &masks, 5..7).unwrap();
        let pictures = read(&pictures);
        assert_close(&pictures[..48], &numbers(48), 1e-5);
        assert_close(&wavelets.left(&masks[..24]), &numbers(48), 1e-5);
        let mut noise = pictures[48..].to_vec();
        wavelets.transform(&mut noise);
        for (index, (noise, [mean, deviation])) in noise.iter().zip(&wavelets.noise).enumerate() {
            assert!((noise - mean).abs() <= deviation + 1e-5, "{index}: {noise} around {mean} by {deviation}");
            assert!((differences[48 + index] - (wavelets.coefficients[index] - noise)).abs() < 1e-5);
        }
    }

    /// Half a step up and down in one wavelet, for the picture composed and for its brightness.
    #[test]
    fn gradients_are_slopes() {
        let question = Question::new(linear(&[2, 4, 6]), &numbers(48));
        let context = question.context();
        let wavelets = pollster::block_on(Wavelets::of(&context, 2)).unwrap();
        let kept: Vec<f32> = numbers(24).iter().map(|number| 0.5 + 0.3 * number).collect();
        let weights = numbers(96)[48..].to_vec();
        let answer = |kept: &[f32]| -> f32 {
            let (picture, _) = wavelets.compose(&context, kept, 3..4).unwrap();
            read(&picture).iter().zip(&weights).map(|(pixel, weight)| pixel * weight).sum()
        };
        let (_, differences) = wavelets.compose(&context, &kept, 3..4).unwrap();
        let weights = Value::from_f32(&weights, &[1, 2, 4, 6], &context.input.device());
        let found = pollster::block_on(wavelets.pull_back(&context, &differences, &weights)).unwrap();
        let (_, of_brightness) = wavelets.brightness(&kept);
        for place in [0, 1, 7, 23] {
            let moved = |by: f32| {
                let mut moved = kept.clone();
                moved[place] += by;
                moved
            };
            let slope = (answer(&moved(0.05)) - answer(&moved(-0.05))) / 0.1;
            assert!((slope - found[place]).abs() < 1e-3, "{place}: {slope} and {}", found[place]);
            let slope = (wavelets.brightness(&moved(0.002)).0 - wavelets.brightness(&moved(-0.002)).0) / 0.004;
            assert!((slope - of_brightness[place]).abs() < 2e-3, "{place}: {slope} and {}", of_brightness[place]);
        }
    }
}
