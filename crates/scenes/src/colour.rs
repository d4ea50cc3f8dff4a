//! Colours, in sRGB values 0 to 1.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Colour {
    pub(crate) red: f32,
    pub(crate) green: f32,
    pub(crate) blue: f32,
}

impl Colour {
    pub(crate) const BLACK: Colour = Colour::hex(0x000000);
    pub(crate) const WHITE: Colour = Colour::hex(0xffffff);

    /// A colour as written on the web: 0xRRGGBB.
    pub(crate) const fn hex(code: u32) -> Self {
        Colour {
            red: ((code >> 16) & 255) as f32 / 255.0,
            green: ((code >> 8) & 255) as f32 / 255.0,
            blue: (code & 255) as f32 / 255.0,
        }
    }

    /// `share` of the way from this colour to another.
    pub(crate) fn mix(self, other: Colour, share: f32) -> Self {
        let mix = |from: f32, to: f32| from + (to - from) * share;
        Colour { red: mix(self.red, other.red), green: mix(self.green, other.green), blue: mix(self.blue, other.blue) }
    }

    pub(crate) fn lighter(self, share: f32) -> Self {
        self.mix(Colour::WHITE, share)
    }

    pub(crate) fn darker(self, share: f32) -> Self {
        self.mix(Colour::BLACK, share)
    }
}
