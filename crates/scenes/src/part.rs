//! Parts of a critter and the variants each comes in.

/// A part of a critter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The trunk, which everything else is fixed to.
    Body,
    /// The head with its ears or crest.
    Head,
    /// The beak.
    Beak,
    /// Both eyes.
    Eyes,
    /// Both wings, one behind the body and one before it.
    Wings,
    /// The tail.
    Tail,
    /// Both feet and their legs.
    Feet,
}

impl Part {
    /// Every part, in the order of the class table.
    pub const ALL: [Part; 7] = [Part::Body, Part::Head, Part::Beak, Part::Eyes, Part::Wings, Part::Tail, Part::Feet];

    /// The part's name in plain words.
    pub fn label(self) -> &'static str {
        match self {
            Part::Body => "body",
            Part::Head => "head",
            Part::Beak => "beak",
            Part::Eyes => "eyes",
            Part::Wings => "wings",
            Part::Tail => "tail",
            Part::Feet => "feet",
        }
    }

    /// What a variant of this part looks like, in plain words.
    pub fn describe(self, variant: Variant) -> &'static str {
        let words = match self {
            Part::Body => ["round teal", "spotted orange pear", "striped violet loaf"],
            Part::Head => ["smooth cream", "yellow with ears", "pink with a crest"],
            Part::Beak => ["short orange cone", "long yellow bill", "dark red hook"],
            Part::Eyes => ["round white", "sleepy", "large and ringed"],
            Part::Wings => ["pale blue paddles", "dark blue feathers", "purple bat wings"],
            Part::Tail => ["red fan", "pink curl", "green bolt"],
            Part::Feet => ["orange webbed feet", "blue boots", "dark claws"],
        };
        words[variant.index()]
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// One of the three looks of a part; each differs from the others in shape and in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// The first.
    A,
    /// The second.
    B,
    /// The third.
    C,
}

impl Variant {
    /// Every variant.
    pub const ALL: [Variant; 3] = [Variant::A, Variant::B, Variant::C];

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}
