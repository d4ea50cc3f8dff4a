//! The ten kinds of critter, and what tells them apart.

use crate::part::Variant::{A, B, C};
use crate::{Part, Variant};

/// A kind of critter: one variant of every part, by the table in the [crate's documentation](crate).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names mean nothing; the table says what each looks like")]
pub enum Class {
    Bimble,
    Dorrow,
    Fennick,
    Gullip,
    Hobbin,
    Lumpet,
    Mirrow,
    Pibbit,
    Tozzle,
    Wendle,
}

/// Rows are classes, columns are parts (body, head, beak, eyes, wings, tail, feet). A ternary code of length 7 with ten
/// words at distance 5 or more, found by computer search: two classes never agree in more than two parts.
const TABLE: [[Variant; 7]; 10] = [
    [A, C, A, C, A, B, B],
    [B, B, A, B, A, A, A],
    [C, C, C, C, C, A, A],
    [A, B, C, A, A, C, C],
    [B, C, B, A, B, B, C],
    [C, A, A, C, B, C, C],
    [A, A, B, B, C, B, A],
    [B, B, B, C, C, C, B],
    [C, A, B, A, A, A, B],
    [C, B, C, B, B, B, B],
];

impl Class {
    /// Every class, in the order of their indices.
    pub const ALL: [Class; 10] = [
        Class::Bimble,
        Class::Dorrow,
        Class::Fennick,
        Class::Gullip,
        Class::Hobbin,
        Class::Lumpet,
        Class::Mirrow,
        Class::Pibbit,
        Class::Tozzle,
        Class::Wendle,
    ];

    /// Position in [`Class::ALL`], 0 to 9.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The name, in lower case.
    pub fn label(self) -> &'static str {
        match self {
            Class::Bimble => "bimble",
            Class::Dorrow => "dorrow",
            Class::Fennick => "fennick",
            Class::Gullip => "gullip",
            Class::Hobbin => "hobbin",
            Class::Lumpet => "lumpet",
            Class::Mirrow => "mirrow",
            Class::Pibbit => "pibbit",
            Class::Tozzle => "tozzle",
            Class::Wendle => "wendle",
        }
    }

    /// The variant of a part that this class has.
    pub fn variant(self, part: Part) -> Variant {
        TABLE[self.index()][part.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sharing(part: Part, variant: Variant) -> usize {
        Class::ALL.iter().filter(|class| class.variant(part) == variant).count()
    }

    #[test]
    fn no_single_part_suffices_because_three_classes_or_more_share_every_variant() {
        for part in Part::ALL {
            for variant in Variant::ALL {
                let count = sharing(part, variant);
                assert!(count >= 3, "{} classes have {} {variant:?}", count, part.label());
            }
        }
    }

    #[test]
    fn two_classes_agree_in_two_parts_at_most_so_any_three_parts_identify_a_class() {
        for (index, one) in Class::ALL.iter().enumerate() {
            for other in &Class::ALL[index + 1..] {
                let agree = Part::ALL.iter().filter(|&&part| one.variant(part) == other.variant(part)).count();
                assert!(agree <= 2, "{} and {} agree in {agree} parts", one.label(), other.label());
            }
        }
    }

    #[test]
    fn the_documentation_shows_the_table() {
        let documentation = include_str!("lib.rs");
        for class in Class::ALL {
            let cells = Part::ALL.map(|part| part.describe(class.variant(part)));
            let row = format!("//! | {} | {} |\n", class.label(), cells.join(" | "));
            assert!(documentation.contains(&row), "the crate's documentation lacks this row: {row}");
        }
    }

    #[test]
    fn indices_and_labels_are_in_order() {
        assert!(Class::ALL.is_sorted_by_key(|class| class.label()));
        assert!(Class::ALL.iter().enumerate().all(|(index, class)| class.index() == index));
    }
}
