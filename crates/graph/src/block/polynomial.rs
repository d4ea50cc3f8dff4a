//! Polynomials in two values of a graph: the form in which it does not matter how an exporter has ordered a formula.

use std::collections::BTreeMap;

use super::View;

/// Higher powers than these appear in no formula that is looked for.
const MAX_DEGREE: usize = 4;
/// Nodes between a formula's result and its variables.
const MAX_DEPTH: usize = 8;
/// Coefficients are written with a few digits by some exporters.
const TOLERANCE: f32 = 1e-3;

/// Coefficients by the powers of both variables.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Polynomial(BTreeMap<[usize; 2], f32>);

impl Polynomial {
    fn constant(value: f32) -> Polynomial {
        Polynomial(BTreeMap::from([([0, 0], value)]))
    }

    /// Whether the coefficients are these, near enough, and no others.
    pub(super) fn is(&self, expected: &[([usize; 2], f32)]) -> bool {
        let close = |(powers, value): &([usize; 2], f32)| {
            self.0.get(powers).is_some_and(|found| (found - value).abs() <= TOLERANCE * value.abs())
        };
        let others = self.0.iter().filter(|(powers, _)| expected.iter().all(|(named, _)| named != *powers));
        expected.iter().all(close) && others.into_iter().all(|(_, value)| value.abs() <= TOLERANCE * TOLERANCE)
    }

    fn plus(mut self, other: &Polynomial, factor: f32) -> Polynomial {
        for (powers, value) in &other.0 {
            *self.0.entry(*powers).or_default() += factor * value;
        }
        self
    }

    fn times(&self, other: &Polynomial) -> Option<Polynomial> {
        let mut product = Polynomial(BTreeMap::new());
        for (left, a) in &self.0 {
            for (right, b) in &other.0 {
                let powers = [left[0] + right[0], left[1] + right[1]];
                if powers[0] + powers[1] > MAX_DEGREE {
                    return None;
                }
                *product.0.entry(powers).or_default() += a * b;
            }
        }
        Some(product)
    }

    fn as_constant(&self) -> Option<f32> {
        let constant = self.0.get(&[0, 0]).copied().unwrap_or(0.0);
        self.0.iter().all(|(powers, value)| *powers == [0, 0] || *value == 0.0).then_some(constant)
    }
}

impl View<'_> {
    /// A value as a polynomial in one or two others, if it is one with scalar coefficients.
    pub(super) fn polynomial(&self, id: usize, variables: &[usize]) -> Option<Polynomial> {
        self.polynomial_within(id, variables, MAX_DEPTH)
    }

    fn polynomial_within(&self, id: usize, variables: &[usize], depth: usize) -> Option<Polynomial> {
        if let Some(at) = variables.iter().position(|variable| *variable == id) {
            let powers = if at == 0 { [1, 0] } else { [0, 1] };
            return Some(Polynomial(BTreeMap::from([(powers, 1.0)])));
        }
        if let Some(value) = self.scalar(id) {
            return Some(Polynomial::constant(value));
        }
        let depth = depth.checked_sub(1)?;
        let of = |at: usize| self.polynomial_within(self.input(id, at)?, variables, depth);
        match self.operator(id) {
            "Add" => Some(of(0)?.plus(&of(1)?, 1.0)),
            "Sub" => Some(of(0)?.plus(&of(1)?, -1.0)),
            "Neg" => Polynomial::constant(-1.0).times(&of(0)?),
            "Mul" => of(0)?.times(&of(1)?),
            "Div" => of(0)?.times(&Polynomial::constant(1.0 / of(1)?.as_constant()?)),
            "Pow" => {
                let (base, exponent) = (of(0)?, of(1)?.as_constant()?);
                match exponent {
                    2.0 => base.times(&base),
                    3.0 => base.times(&base)?.times(&base),
                    _ => None,
                }
            }
            "Cast" | "Dropout" | "Identity" => of(0),
            _ => None,
        }
    }
}
