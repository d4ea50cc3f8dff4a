//! How much is there to look at?

#[allow(clippy::module_inception, reason = "a file is named like its metric")]
mod complexity;
mod effective_complexity;
mod sparseness;

pub use complexity::Complexity;
pub use effective_complexity::EffectiveComplexity;
pub use sparseness::Sparseness;

#[cfg(test)]
mod tests {
    use crate::testing::{Asked, expect};

    /// Parts of 0.4, 0.1, 0.3 and 0.2. Gini: 1 - 2 (3.5 * 1 + 2.5 * 2 + 1.5 * 3 + 0.5 * 4) / (4 * 10).
    #[test]
    fn numbers_of_a_map_of_four_pixels() {
        expect("sparseness", &[], &Asked::default(), 0.25);
        let entropy: f64 = [0.4_f64, 0.1, 0.3, 0.2].iter().map(|part| -part * part.ln()).sum();
        expect("complexity", &[], &Asked::default(), entropy);
        // More than half of 4 are 4 and 3.
        expect("effective-complexity", &[("threshold", "0.5")], &Asked::default(), 2.0);
    }
}
