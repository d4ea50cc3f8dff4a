//! Maps of numbers to pictures. The numbers stay raw; what is clipped or scaled here is the view alone.

use crate::Palette;

/// How large a value gets the strongest colour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The value at the end of the palette, 0 or more. Signed palettes run from `-limit` to `limit` and unsigned ones
    /// from 0 to `limit`; with a limit of 0 everything has the neutral colour.
    pub limit: f32,
}

impl Scale {
    /// The scale on which the map's largest value has the strongest colour: the largest magnitude for a signed
    /// palette, the largest value for an unsigned one.
    ///
    /// With a `percentile` below 100 the limit is the value that so many percent of the values (their magnitudes, for
    /// a signed palette) do not exceed, so that a few outliers do not turn the rest pale; 100 takes the largest.
    /// Non-finite values are left out. A map that is constant singles nothing out: its limit is 0.
    pub fn fit(map: &[f32], palette: Palette, percentile: f32) -> Self {
        let finite = || map.iter().copied().filter(|value| value.is_finite());
        let (lowest, highest) =
            finite().fold((f32::MAX, f32::MIN), |(low, high), value| (low.min(value), high.max(value)));
        // A constant map that was resized or averaged is constant up to rounding.
        if f64::from(highest) - f64::from(lowest) <= 1e-6 * f64::from(highest.abs().max(lowest.abs())) {
            return Scale { limit: 0.0 };
        }
        let mut strengths: Vec<f32> =
            finite().map(|value| if palette.is_signed() { value.abs() } else { value.max(0.0) }).collect();
        strengths.sort_unstable_by(f32::total_cmp);
        let rank = (f64::from(percentile.clamp(0.0, 100.0)) / 100.0 * strengths.len() as f64).ceil() as usize;
        let largest = strengths.last().copied().unwrap_or(0.0);
        // Where most of the map is zero, a percentile of zero would hide what there is.
        let limit = strengths.get(rank.saturating_sub(1)).copied().filter(|&limit| limit > 0.0).unwrap_or(largest);
        Scale { limit }
    }

    /// The values at the two ends of the colour bar.
    pub fn range(self, palette: Palette) -> (f32, f32) {
        (if palette.is_signed() { -self.limit } else { 0.0 }, self.limit)
    }
}

/// Draws a map: four bytes (red, green, blue, opacity) for each value, in the same order.
///
/// Values beyond the scale take the end's colour, so negative ones look like zero in an unsigned palette. Non-finite
/// values are transparent.
pub fn render(map: &[f32], palette: Palette, scale: Scale) -> Vec<u8> {
    map.iter()
        .flat_map(|&value| {
            if !value.is_finite() {
                return [0; 4];
            }
            let t = if scale.limit > 0.0 { value / scale.limit } else { 0.0 };
            opaque(palette.colour(t))
        })
        .collect()
}

/// Lays a drawn map over a picture, both in RGBA bytes and of the same size.
///
/// `opacity` runs from 0 (the picture alone) to 1 (the map alone); transparent places of the map show the picture.
/// The result keeps the picture's own opacity and has the length of the shorter one.
pub fn overlay(picture: &[u8], heat: &[u8], opacity: f32) -> Vec<u8> {
    let opacity = if opacity.is_nan() { 0.0 } else { opacity.clamp(0.0, 1.0) };
    let pairs = picture.as_chunks().0.iter().zip(heat.as_chunks().0);
    pairs
        .flat_map(|(&[red, green, blue, own], &[hot_red, hot_green, hot_blue, strength])| {
            let weight = opacity * f32::from(strength) / 255.0;
            let mix =
                |below: u8, above: u8| (f32::from(below) * (1.0 - weight) + f32::from(above) * weight).round() as u8;
            [mix(red, hot_red), mix(green, hot_green), mix(blue, hot_blue), own]
        })
        .collect()
}

/// The colour bar: `count` opaque RGBA colours from the lower to the upper end of the palette.
pub fn legend(palette: Palette, count: usize) -> Vec<u8> {
    let low = if palette.is_signed() { -1.0 } else { 0.0 };
    let last = count.saturating_sub(1).max(1) as f32;
    (0..count).flat_map(|index| opaque(palette.colour(low + (1.0 - low) * index as f32 / last))).collect()
}

fn opaque([red, green, blue]: [u8; 3]) -> [u8; 4] {
    [red, green, blue, 255]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_scale_is_symmetric_about_zero_by_the_largest_magnitude() {
        let map = [-4.0, 0.0, 1.0];
        let scale = Scale::fit(&map, Palette::BlueRed, 100.0);
        assert_eq!(scale.range(Palette::BlueRed), (-4.0, 4.0));
        let colours = render(&map, Palette::BlueRed, scale);
        assert_eq!(colours[..4], opaque(Palette::BlueRed.colour(-1.0)));
        assert_eq!(colours[4..8], opaque(Palette::BlueRed.colour(0.0)));
        assert_eq!(colours[8..], opaque(Palette::BlueRed.colour(0.25)));
    }

    #[test]
    fn an_unsigned_scale_runs_from_zero_to_the_largest_value() {
        let map = [-4.0, 0.5, 2.0];
        let scale = Scale::fit(&map, Palette::Viridis, 100.0);
        assert_eq!(scale.range(Palette::Viridis), (0.0, 2.0));
        let colours = render(&map, Palette::Viridis, scale);
        assert_eq!(colours[..4], opaque(Palette::Viridis.colour(0.0)), "negative values look like zero");
        assert_eq!(colours[4..8], opaque(Palette::Viridis.colour(0.25)));
        assert_eq!(colours[8..], opaque(Palette::Viridis.colour(1.0)));
    }

    #[test]
    fn a_percentile_leaves_outliers_out() {
        let map: Vec<f32> = (1..=100).map(|value| if value == 100 { 1e6 } else { value as f32 }).collect();
        assert_eq!(Scale::fit(&map, Palette::Grey, 99.0).limit, 99.0);
        assert_eq!(Scale::fit(&map, Palette::Grey, 100.0).limit, 1e6);
        let sparse = [0.0, 0.0, 0.0, 5.0];
        assert_eq!(Scale::fit(&sparse, Palette::Grey, 50.0).limit, 5.0, "a percentile of zero is not used");
    }

    #[test]
    fn zero_constant_and_empty_maps_have_the_neutral_colour() {
        for palette in Palette::ALL {
            for map in [vec![0.0; 4], vec![3.5; 4], vec![-0.1, -0.1_f32.next_up()], vec![f32::MIN_POSITIVE]] {
                let colours = render(&map, palette, Scale::fit(&map, palette, 100.0));
                let neutral = opaque(palette.colour(0.0)).repeat(map.len());
                assert_eq!(colours, neutral, "{palette:?} on {map:?}");
            }
            assert_eq!(Scale::fit(&[], palette, 100.0).limit, 0.0);
        }
    }

    #[test]
    fn extreme_values_do_not_overflow() {
        let map = [f32::MIN, f32::MAX, 1e-45];
        let colours = render(&map, Palette::BlueRed, Scale::fit(&map, Palette::BlueRed, 100.0));
        assert_eq!(colours[..4], opaque(Palette::BlueRed.colour(-1.0)));
        assert_eq!(colours[4..8], opaque(Palette::BlueRed.colour(1.0)));
    }

    #[test]
    fn values_that_are_not_finite_are_transparent_and_do_not_set_the_scale() {
        let map = [f32::NAN, 1.0, f32::INFINITY, 0.0];
        let scale = Scale::fit(&map, Palette::Inferno, 100.0);
        assert_eq!(scale.limit, 1.0);
        let colours = render(&map, Palette::Inferno, scale);
        assert_eq!((colours[3], colours[7], colours[11], colours[15]), (0, 255, 0, 255));
    }

    #[test]
    fn overlay_mixes_by_opacity_and_leaves_transparent_places_alone() {
        let picture = [100, 0, 200, 255, 9, 8, 7, 255];
        let heat = [200, 100, 0, 255, 1, 1, 1, 0];
        assert_eq!(overlay(&picture, &heat, 0.0), picture);
        assert_eq!(overlay(&picture, &heat, 0.25), [125, 25, 150, 255, 9, 8, 7, 255]);
        assert_eq!(overlay(&picture, &heat, 1.0), [200, 100, 0, 255, 9, 8, 7, 255]);
        assert_eq!(overlay(&picture, &heat, f32::NAN), picture);
    }

    #[test]
    fn the_legend_runs_from_end_to_end() {
        let bar = legend(Palette::BlueRed, 3);
        let expected = [-1.0, 0.0, 1.0].map(|t| opaque(Palette::BlueRed.colour(t))).concat();
        assert_eq!(bar, expected);
        assert_eq!(legend(Palette::Viridis, 1), opaque(Palette::Viridis.colour(0.0)));
        assert!(legend(Palette::Viridis, 0).is_empty());
    }
}
