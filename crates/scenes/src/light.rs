//! The light that falls on a whole scene.

use crate::Image;
use crate::random::Random;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Light {
    /// Factor on every value.
    exposure: f32,
    /// Factor per colour channel.
    tint: [f32; 3],
    /// Direction from which the light comes, scaled by its strength.
    slope: (f32, f32),
}

impl Light {
    pub(crate) fn sample(random: &mut Random) -> Self {
        let (sine, cosine) = libm::sincosf(random.between(0.0, std::f32::consts::TAU));
        let strength = random.between(0.0, 0.4);
        let warmth = random.between(-0.08, 0.08);
        Light {
            exposure: random.between(0.78, 1.0),
            tint: [1.0 + warmth, 1.0, 1.0 - warmth],
            slope: (strength * cosine, strength * sine),
        }
    }

    /// Lights a square picture.
    pub(crate) fn shine(&self, mut image: Image) -> Image {
        let side = image.width;
        for (index, pixel) in image.rgb.chunks_exact_mut(3).enumerate() {
            let at = |steps: usize| (steps as f32 + 0.5) / side as f32 - 0.5;
            let fall = 1.0 + self.slope.0 * at(index % side) + self.slope.1 * at(index / side);
            for (value, tint) in pixel.iter_mut().zip(self.tint) {
                // A cast from float saturates at 255.
                *value = (f32::from(*value) * (self.exposure * fall * tint) + 0.5) as u8;
            }
        }
        image
    }
}
