//! Colours for values.

/// A colour map, perceptually uniform: equal steps in value look like equal steps in colour.
///
/// Signed palettes are diverging with a light neutral colour at zero; unsigned ones grow lighter from zero up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Palette {
    /// Signed: ColorBrewer's RdBu turned round, blue for negative, white for zero, red for positive.
    BlueRed,
    /// Signed: ColorBrewer's PRGn, purple for negative, white for zero, green for positive.
    PurpleGreen,
    /// Unsigned: Matplotlib's viridis, from dark purple over green to yellow.
    Viridis,
    /// Unsigned: Matplotlib's inferno, from black over red to light yellow.
    Inferno,
    /// Unsigned: from black to white.
    Grey,
}

impl Palette {
    /// Every palette, in menu order: the first signed and the first unsigned one are the defaults.
    pub const ALL: [Palette; 5] =
        [Palette::BlueRed, Palette::PurpleGreen, Palette::Viridis, Palette::Inferno, Palette::Grey];

    /// The default for maps with negative values, or for maps without.
    pub fn default_for(signed: bool) -> Palette {
        if signed { Palette::BlueRed } else { Palette::Viridis }
    }

    /// The palette of this id.
    pub fn from_id(id: &str) -> Option<Palette> {
        Palette::ALL.into_iter().find(|palette| palette.id() == id)
    }

    /// Kebab-case identifier, unique and stable.
    pub fn id(self) -> &'static str {
        match self {
            Palette::BlueRed => "blue-red",
            Palette::PurpleGreen => "purple-green",
            Palette::Viridis => "viridis",
            Palette::Inferno => "inferno",
            Palette::Grey => "grey",
        }
    }

    /// Name for a menu.
    pub fn name(self) -> &'static str {
        match self {
            Palette::BlueRed => "Blue to red",
            Palette::PurpleGreen => "Purple to green",
            Palette::Viridis => "Viridis",
            Palette::Inferno => "Inferno",
            Palette::Grey => "Grey",
        }
    }

    /// Whether negative values have colours of their own.
    pub fn is_signed(self) -> bool {
        matches!(self, Palette::BlueRed | Palette::PurpleGreen)
    }

    /// The colour (red, green, blue) of `t`, which runs from -1 to 1 for signed palettes and from 0 to 1 for unsigned
    /// ones. Values outside are clamped; 0 and NaN give the neutral colour.
    pub fn colour(self, t: f32) -> [u8; 3] {
        let t = if t.is_nan() { 0.0 } else { f64::from(t) };
        let unsigned = t.clamp(0.0, 1.0);
        let signed = (1.0 + t.clamp(-1.0, 1.0)) / 2.0;
        let colour = match self {
            Palette::BlueRed => colorous::RED_BLUE.eval_continuous(1.0 - signed),
            Palette::PurpleGreen => colorous::PURPLE_GREEN.eval_continuous(signed),
            Palette::Viridis => colorous::VIRIDIS.eval_continuous(unsigned),
            Palette::Inferno => colorous::INFERNO.eval_continuous(unsigned),
            Palette::Grey => return [(unsigned * 255.0).round() as u8; 3],
        };
        colour.as_array()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CIE 1976 lightness, 0 (black) to 100 (white), of an sRGB colour.
    fn lightness(colour: [u8; 3]) -> f64 {
        let linear = colour.map(|level| {
            let level = f64::from(level) / 255.0;
            if level <= 0.04045 { level / 12.92 } else { ((level + 0.055) / 1.055).powf(2.4) }
        });
        let luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
        if luminance <= 216.0 / 24389.0 { luminance * 24389.0 / 27.0 } else { 116.0 * luminance.cbrt() - 16.0 }
    }

    #[test]
    fn ids_are_unique_and_lead_back() {
        for palette in Palette::ALL {
            assert_eq!(Palette::from_id(palette.id()), Some(palette));
        }
        assert_eq!(Palette::from_id("jet"), None);
        for signed in [true, false] {
            assert_eq!(Palette::default_for(signed).is_signed(), signed);
        }
    }

    #[test]
    fn ends_have_the_published_colours() {
        // Matplotlib's viridis and inferno; the ends of ColorBrewer's RdBu and PRGn in eleven classes, through which a
        // smooth curve is laid that ends within a level of them.
        for (palette, t, published) in [
            (Palette::Viridis, 0.0, [0x44, 0x01, 0x54]),
            (Palette::Viridis, 1.0, [0xfd, 0xe7, 0x25]),
            (Palette::Inferno, 1.0, [0xfc, 0xff, 0xa4]),
            (Palette::BlueRed, -1.0, [0x05, 0x30, 0x61]),
            (Palette::BlueRed, 1.0, [0x67, 0x00, 0x1f]),
            (Palette::PurpleGreen, -1.0, [0x40, 0x00, 0x4b]),
            (Palette::PurpleGreen, 1.0, [0x00, 0x44, 0x1b]),
        ] {
            let found = palette.colour(t);
            let close = found.iter().zip(published).all(|(found, published)| found.abs_diff(published) <= 1);
            assert!(close, "{palette:?} at {t} is {found:?}, published {published:?}");
        }
        assert_eq!(Palette::Grey.colour(0.5), [128; 3]);
    }

    #[test]
    fn unsigned_palettes_grow_lighter_in_even_steps() {
        for palette in Palette::ALL.into_iter().filter(|palette| !palette.is_signed()) {
            let steps: Vec<f64> = (0..=10).map(|step| lightness(palette.colour(step as f32 / 10.0))).collect();
            let even = (steps[10] - steps[0]) / 10.0;
            for pair in steps.windows(2) {
                let step = pair[1] - pair[0];
                assert!((0.4 * even..1.7 * even).contains(&step), "{palette:?}: {step} of {even} in {steps:?}");
            }
        }
    }

    #[test]
    fn signed_palettes_are_neutral_at_zero_and_balanced() {
        for palette in Palette::ALL.into_iter().filter(|palette| palette.is_signed()) {
            let neutral = palette.colour(0.0);
            let spread = neutral.iter().max().unwrap() - neutral.iter().min().unwrap();
            assert!(spread <= 4, "{palette:?} at zero is {neutral:?}, not neutral");
            let mut last = 101.0;
            for step in 0..=10 {
                let t = step as f32 / 10.0;
                let (negative, positive) = (lightness(palette.colour(-t)), lightness(palette.colour(t)));
                assert!(positive < last, "{palette:?} does not darken at {t}");
                assert!((negative - positive).abs() <= 22.0, "{palette:?} at {t}: {negative} and {positive}");
                last = positive;
            }
        }
    }

    #[test]
    fn outside_values_are_clamped_and_nan_is_neutral() {
        for palette in Palette::ALL {
            assert_eq!(palette.colour(7.0), palette.colour(1.0));
            assert_eq!(palette.colour(f32::NEG_INFINITY), palette.colour(-1.0));
            assert_eq!(palette.colour(f32::NAN), palette.colour(0.0));
        }
    }
}
