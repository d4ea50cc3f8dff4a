//! Rules that replace an integral over [0, 1] by a weighted sum.

use std::f64::consts::PI;

use crate::options::choices;

choices! {
    /// Where a path is sampled, and how much each point counts. The weights of every rule sum to 1.
    pub enum Rule {
        /// The points that integrate polynomials best: exact up to degree 2 steps - 1. Converges fastest.
        GaussLegendre = "gauss-legendre",
        /// The left end of each of equally wide intervals: the baseline counts, the input does not.
        Left = "left",
        /// The right end of each of equally wide intervals: the input counts, the baseline does not.
        Right = "right",
        /// The middle of each of equally wide intervals.
        Middle = "middle",
        /// Equally spaced from end to end, both ends counting half; a single point is the middle.
        Trapezoid = "trapezoid",
    }
}

/// A point of a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// From 0 to 1.
    pub(crate) position: f64,
    pub(crate) weight: f64,
}

impl Rule {
    /// The rule's points in rising order, `count` of them, at least one.
    pub(crate) fn points(self, count: usize) -> Vec<Point> {
        let count = count.max(1);
        let width = 1.0 / count as f64;
        let equal = |shift: f64| {
            (0..count).map(move |index| Point { position: (index as f64 + shift) * width, weight: width }).collect()
        };
        match self {
            Rule::GaussLegendre => gauss_legendre(count),
            Rule::Left => equal(0.0),
            Rule::Right => equal(1.0),
            Rule::Middle => equal(0.5),
            Rule::Trapezoid if count == 1 => equal(0.5),
            Rule::Trapezoid => {
                let last = count - 1;
                let weight = |index| if index == 0 || index == last { 0.5 } else { 1.0 };
                (0..count)
                    .map(|index| Point { position: index as f64 / last as f64, weight: weight(index) / last as f64 })
                    .collect()
            }
        }
    }
}

/// The roots of the Legendre polynomial of degree `count` by Newton's iteration, moved from [-1, 1] to [0, 1].
fn gauss_legendre(count: usize) -> Vec<Point> {
    const ENOUGH: usize = 100;
    let root = |index: usize| {
        // Tricomi's approximation is close enough for Newton's iteration to find this root and no other.
        let mut x = (PI * (index as f64 + 0.75) / (count as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..ENOUGH {
            let (value, derivative) = legendre(count, x);
            slope = derivative;
            x -= value / derivative;
            if (value / derivative).abs() < 1e-15 {
                break;
            }
        }
        // The roots run from 1 down.
        Point { position: (1.0 - x) / 2.0, weight: 1.0 / ((1.0 - x * x) * slope * slope) }
    };
    (0..count).map(root).collect()
}

/// The Legendre polynomial of this degree and its derivative, by Bonnet's recursion, for |x| < 1.
fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for n in 1..degree {
        let n = n as f64;
        (before, value) = (value, ((2.0 * n + 1.0) * x * value - n * before) / (n + 1.0));
    }
    (value, degree as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integral(rule: Rule, count: usize, function: impl Fn(f64) -> f64) -> f64 {
        rule.points(count).iter().map(|point| point.weight * function(point.position)).sum()
    }

    #[test]
    fn every_rule_weighs_one_in_all() {
        for &rule in Rule::ALL {
            for count in [1, 2, 3, 7, 50, 1000] {
                let points = rule.points(count);
                let sum: f64 = points.iter().map(|point| point.weight).sum();
                assert!((sum - 1.0).abs() < 1e-12, "{rule:?} with {count} points weighs {sum}");
                assert_eq!(points.len(), count);
                assert!(points.windows(2).all(|pair| pair[0].position < pair[1].position), "{rule:?} {count}");
                assert!(points.iter().all(|point| (0.0..=1.0).contains(&point.position)), "{rule:?} {count}");
            }
        }
    }

    #[test]
    fn the_equally_spaced_rules_have_their_textbook_points() {
        let of = |rule: Rule| -> Vec<(f64, f64)> {
            rule.points(2).iter().map(|point| (point.position, point.weight)).collect()
        };
        assert_eq!(of(Rule::Left), [(0.0, 0.5), (0.5, 0.5)]);
        assert_eq!(of(Rule::Right), [(0.5, 0.5), (1.0, 0.5)]);
        assert_eq!(of(Rule::Middle), [(0.25, 0.5), (0.75, 0.5)]);
        assert_eq!(of(Rule::Trapezoid), [(0.0, 0.5), (1.0, 0.5)]);
    }

    #[test]
    fn two_gauss_legendre_points_lie_where_textbooks_put_them() {
        let points = Rule::GaussLegendre.points(2);
        let expected = 0.5 - 0.5 / 3.0_f64.sqrt();
        assert!((points[0].position - expected).abs() < 1e-15, "{points:?}");
        assert!((points[1].position - (1.0 - expected)).abs() < 1e-15, "{points:?}");
        assert!((points[0].weight - 0.5).abs() < 1e-15, "{points:?}");
    }

    #[test]
    fn gauss_legendre_is_exact_up_to_twice_the_points() {
        for count in [1, 2, 5, 20, 50] {
            for degree in 0..2 * count as i32 {
                let found = integral(Rule::GaussLegendre, count, |x| x.powi(degree));
                let expected = 1.0 / f64::from(degree + 1);
                assert!((found - expected).abs() < 1e-13, "{count} points, degree {degree}: {found}, not {expected}");
            }
        }
        let beyond = integral(Rule::GaussLegendre, 2, |x| x.powi(4));
        assert!((beyond - 0.2).abs() > 1e-3, "two points cannot integrate degree 4: {beyond}");
    }

    #[test]
    fn a_thousand_points_integrate_a_fast_wave() {
        let found = integral(Rule::GaussLegendre, 1000, |x| (300.0 * x).cos());
        let expected = 300.0_f64.sin() / 300.0;
        assert!((found - expected).abs() < 1e-13, "{found}, not {expected}");
    }
}
