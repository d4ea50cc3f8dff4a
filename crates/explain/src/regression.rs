//! Weighted linear regression on a target's values, from running sums: memory does not grow with the samples.

/// Running sums of samples `(weight, x, y)`.
pub(crate) struct Sums {
    features: usize,
    samples: usize,
    weight: f64,
    x: Vec<f64>,
    y: f64,
    /// Upper triangle, row by row, of the sum of `weight x x^T`.
    xx: Vec<f64>,
    xy: Vec<f64>,
    yy: f64,
    /// Subtracted from every `y`, so that a large common part does not eat the digits.
    origin: f64,
}

/// A fitted plane.
pub(crate) struct Fit {
    /// One number per feature.
    pub(crate) coefficients: Vec<f64>,
    /// The weighted part of the variance of `y` that the plane explains: 1 is all, 0 what the mean does. Nothing when `y`
    /// does not vary.
    pub(crate) r2: Option<f64>,
}

/// A fitted plane through zero.
pub(crate) struct ThroughZero {
    /// One number per feature.
    pub(crate) coefficients: Vec<f64>,
    cholesky: Cholesky,
    residual: f64,
    samples: usize,
    free: usize,
    penalty: f64,
}

impl ThroughZero {
    /// Standard errors of sums of the coefficients, each with weights of its own, at most: as if what the plane leaves were
    /// noise, and without what the penalty takes. Nothing for fewer samples than the plane has freedom.
    pub(crate) fn errors(&self, sums: &[Vec<f64>]) -> Option<Vec<f64>> {
        let features = self.coefficients.len();
        // Of each coefficient that is held down, the part that the samples do not decide.
        let held: f64 = (self.free..features).map(|i| self.penalty * self.cholesky.spread(&unit(i, features))).sum();
        let left = self.samples as f64 - (features as f64 - held);
        let noise = self.residual.max(0.0) / left;
        (left > 0.5).then(|| sums.iter().map(|weights| (noise * self.cholesky.spread(weights)).sqrt()).collect())
    }
}

/// What keeps the coefficients small.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Penalty {
    /// Of the sum of squares, as scikit-learn's `Ridge(alpha)`.
    Ridge(f64),
    /// Of the sum of absolute values, as scikit-learn's `Lasso(alpha)`: beside half the mean squared error.
    Lasso(f64),
}

impl Sums {
    pub(crate) fn new(features: usize, origin: f64) -> Sums {
        let triangle = features * (features + 1) / 2;
        Sums {
            features,
            samples: 0,
            weight: 0.0,
            x: vec![0.0; features],
            y: 0.0,
            xx: vec![0.0; triangle],
            xy: vec![0.0; features],
            yy: 0.0,
            origin,
        }
    }

    pub(crate) fn add(&mut self, weight: f64, x: &[f64], y: f64) {
        let y = y - self.origin;
        self.samples += 1;
        self.weight += weight;
        self.y += weight * y;
        self.yy += weight * y * y;
        let mut place = 0;
        for (i, a) in x.iter().enumerate() {
            let a = weight * a;
            self.x[i] += a;
            self.xy[i] += a * y;
            let row = &mut self.xx[place..place + self.features - i];
            row.iter_mut().zip(&x[i..]).for_each(|(sum, b)| *sum += a * b);
            place += self.features - i;
        }
    }

    /// The plane with a free height, which no penalty holds down.
    pub(crate) fn fit(&self, penalty: Penalty) -> Option<Fit> {
        let (gram, moment) = self.centred();
        let coefficients = match penalty {
            Penalty::Ridge(alpha) => Cholesky::of(&with_diagonal(&gram, 0, alpha))?.solve(&moment),
            Penalty::Lasso(alpha) => lasso(&gram, &moment, alpha * self.weight),
        };
        let variation = self.yy - self.y * self.y / self.weight;
        let r2 = (variation > 1e-12 * self.yy.max(f64::MIN_POSITIVE))
            .then(|| 1.0 - self.residual(&gram, &moment, variation, &coefficients) / variation);
        Some(Fit { coefficients, r2 })
    }

    /// Standard errors of a ridge's coefficients about what they are on average, at most: as if what the plane leaves were
    /// noise, and without what the penalty takes from them. Nothing for fewer samples than the plane has freedom.
    pub(crate) fn ridge_errors(&self, alpha: f64) -> Option<Vec<f64>> {
        let free = self.samples.checked_sub(self.features + 1).filter(|free| *free > 0)?;
        let (gram, moment) = self.centred();
        let cholesky = Cholesky::of(&with_diagonal(&gram, 0, alpha))?;
        let variation = self.yy - self.y * self.y / self.weight;
        let noise = self.residual(&gram, &moment, variation, &cholesky.solve(&moment)).max(0.0) / free as f64;
        Some((0..self.features).map(|i| (noise * cholesky.spread(&unit(i, self.features))).sqrt()).collect())
    }

    /// The plane through zero. Coefficients from number `free` on are held down as by a ridge, as if there were `alpha` more
    /// samples of the usual weight at which each of them alone were one and `y` zero. Nothing while the samples do not decide it.
    pub(crate) fn through_zero(&self, free: usize, alpha: f64) -> Option<ThroughZero> {
        let penalty = alpha * self.weight / self.samples as f64;
        let plain = self.full(|_, _| 0.0);
        let cholesky = Cholesky::of(&with_diagonal(&plain, free, penalty))?;
        let coefficients = cholesky.solve(&self.xy);
        let residual = self.residual(&plain, &self.xy, self.yy, &coefficients);
        Some(ThroughZero { coefficients, cholesky, residual, samples: self.samples, free, penalty })
    }

    /// Squared error left by a plane.
    fn residual(&self, gram: &[Vec<f64>], moment: &[f64], variation: f64, coefficients: &[f64]) -> f64 {
        let explained: f64 = coefficients.iter().zip(moment).map(|(a, b)| a * b).sum();
        let square: f64 = gram.iter().zip(coefficients).map(|(row, a)| a * dot(row, coefficients)).sum();
        variation - 2.0 * explained + square
    }

    /// Sums of products of deviations from the weighted means.
    fn centred(&self) -> (Vec<Vec<f64>>, Vec<f64>) {
        let gram = self.full(|i, j| self.x[i] * self.x[j] / self.weight);
        let moment = (0..self.features).map(|i| self.xy[i] - self.x[i] * self.y / self.weight).collect();
        (gram, moment)
    }

    fn full(&self, less: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
        let start = |i: usize| i * self.features - i * i.saturating_sub(1) / 2;
        let at = |i: usize, j: usize| self.xx[start(i.min(j)) + i.abs_diff(j)] - less(i, j);
        (0..self.features).map(|i| (0..self.features).map(|j| at(i, j)).collect()).collect()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A number added to the diagonal from place `first` on.
fn with_diagonal(matrix: &[Vec<f64>], first: usize, add: f64) -> Vec<Vec<f64>> {
    let mut sum = matrix.to_vec();
    sum.iter_mut().enumerate().skip(first).for_each(|(i, row)| row[i] += add);
    sum
}

/// Minimises `w^T G w / 2 - m^T w + penalty |w|_1` by coordinate descent (Friedman, Hastie, Tibshirani 2010).
fn lasso(gram: &[Vec<f64>], moment: &[f64], penalty: f64) -> Vec<f64> {
    const ROUNDS: usize = 10_000;
    const SETTLED: f64 = 1e-10;
    let mut coefficients = vec![0.0; moment.len()];
    for _ in 0..ROUNDS {
        let (mut change, mut largest) = (0.0_f64, 0.0_f64);
        for (i, row) in gram.iter().enumerate() {
            let pull = moment[i] - dot(row, &coefficients) + row[i] * coefficients[i];
            let next = if row[i] > 0.0 { pull.signum() * (pull.abs() - penalty).max(0.0) / row[i] } else { 0.0 };
            change = change.max((next - coefficients[i]).abs());
            largest = largest.max(next.abs());
            coefficients[i] = next;
        }
        if change <= SETTLED * largest {
            break;
        }
    }
    coefficients
}

/// A positive definite matrix as a lower triangle times its transpose.
///
/// A dozen lines of our own: the linear algebra crates change features that the whole of burn is built with.
struct Cholesky(Vec<Vec<f64>>);

impl Cholesky {
    /// Nothing for a matrix that is not clearly positive definite.
    fn of(matrix: &[Vec<f64>]) -> Option<Cholesky> {
        let mut lower: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
        for (i, row) in matrix.iter().enumerate() {
            let mut next = Vec::with_capacity(i + 1);
            for j in 0..i {
                let known = dot(&next, &lower[j][..j]);
                next.push((row[j] - known) / lower[j][j]);
            }
            let square = row[i] - dot(&next, &next);
            if square.is_nan() || square <= 1e-12 * row[i].abs() {
                return None;
            }
            next.push(square.sqrt());
            lower.push(next);
        }
        Some(Cholesky(lower))
    }

    fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = self.forward(right);
        for i in (0..solution.len()).rev() {
            let known: f64 = (i + 1..solution.len()).map(|j| self.0[j][i] * solution[j]).sum();
            solution[i] = (solution[i] - known) / self.0[i][i];
        }
        solution
    }

    fn forward(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = Vec::with_capacity(right.len());
        for (row, right) in self.0.iter().zip(right) {
            let known = dot(row, &solution);
            solution.push((right - known) / row[solution.len()]);
        }
        solution
    }

    /// The product of a vector, the matrix's inverse and the vector again.
    fn spread(&self, vector: &[f64]) -> f64 {
        self.forward(vector).iter().map(|value| value * value).sum()
    }
}

/// A vector of zeros but for a one.
fn unit(place: usize, length: usize) -> Vec<f64> {
    (0..length).map(|other| f64::from(u8::from(other == place))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: &[f64], expected: &[f64]) {
        let error = found.iter().zip(expected).fold(0.0_f64, |error, (a, b)| error.max((a - b).abs()));
        assert!(found.len() == expected.len() && error < 1e-9, "{found:?}, not {expected:?}");
    }

    fn sums(samples: &[(f64, [f64; 2], f64)]) -> Sums {
        let mut sums = Sums::new(2, 3.0);
        samples.iter().for_each(|(weight, x, y)| sums.add(*weight, x, *y));
        sums
    }

    #[test]
    fn points_on_a_plane_are_fitted_exactly() {
        let plane = |x: [f64; 2]| (1.5, x, 10.0 + 2.0 * x[0] - 3.0 * x[1]);
        let fit = sums(&[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]].map(plane)).fit(Penalty::Ridge(0.0)).unwrap();
        close(&fit.coefficients, &[2.0, -3.0]);
        close(&[fit.r2.unwrap()], &[1.0]);
    }

    /// One feature with deviations -1, 0, 1 and y of -1, 1, 3 about its mean: the products sum to 4, the squares to 2, so a
    /// ridge of 2 gives 4 / (2 + 2) = 1, and a lasso of 1/3 (times three samples) gives (4 - 1) / 2 = 1.5.
    #[test]
    fn penalties_shrink_as_on_paper() {
        let samples: Vec<_> =
            [(-1.0, 2.0), (0.0, 4.0), (1.0, 6.0)].into_iter().map(|(x, y)| (1.0, [x, 0.0], y)).collect();
        let mut one = Sums::new(1, 0.0);
        samples.iter().for_each(|(weight, x, y)| one.add(*weight, &x[..1], *y));
        close(&one.fit(Penalty::Ridge(2.0)).unwrap().coefficients, &[1.0]);
        close(&one.fit(Penalty::Lasso(1.0 / 3.0)).unwrap().coefficients, &[1.5]);
        // Ridge 1: errors are (-2, 0, 2) - (-1, 0, 1), whose squares sum to 2 of 8.
        close(&[one.fit(Penalty::Ridge(2.0)).unwrap().r2.unwrap()], &[0.75]);
    }

    #[test]
    fn a_sample_of_weight_two_counts_as_two() {
        let twice =
            sums(&[(1.0, [1.0, 0.0], 5.0), (1.0, [1.0, 0.0], 5.0), (1.0, [0.0, 1.0], 2.0), (1.0, [2.0, 1.0], 1.0)]);
        let once = sums(&[(2.0, [1.0, 0.0], 5.0), (1.0, [0.0, 1.0], 2.0), (1.0, [2.0, 1.0], 1.0)]);
        let fit = |sums: Sums| sums.fit(Penalty::Ridge(0.5)).unwrap().coefficients;
        close(&fit(twice), &fit(once));
    }

    /// y = 2 x with errors of 1, -1, 1, -1 that are orthogonal to x = 1, 1, -1, -1: the noise is 4 / 3, x x sums to 4.
    #[test]
    fn the_error_of_a_slope_is_that_of_the_textbook() {
        let mut sums = Sums::new(1, 0.0);
        [(1.0, 3.0), (1.0, 1.0), (-1.0, -1.0), (-1.0, -3.0)].iter().for_each(|(x, y)| sums.add(1.0, &[*x], *y));
        let plane = sums.through_zero(1, 0.0).unwrap();
        close(&plane.coefficients, &[2.0]);
        close(&plane.errors(&[vec![1.0], vec![-3.0]]).unwrap(), &[(1.0_f64 / 3.0).sqrt(), 3.0_f64.sqrt()]);
    }

    /// The same held down as by four more samples: 8 / 8, which leaves 4 + 4 of the squares and, as half the coefficient is the
    /// samples' own, three and a half freedoms; x x is 8.
    #[test]
    fn a_coefficient_that_is_held_down_takes_a_part_of_a_freedom() {
        let mut sums = Sums::new(1, 0.0);
        [(1.0, 3.0), (1.0, 1.0), (-1.0, -1.0), (-1.0, -3.0)].iter().for_each(|(x, y)| sums.add(3.0, &[*x], *y));
        let plane = sums.through_zero(0, 4.0).unwrap();
        close(&plane.coefficients, &[1.0]);
        close(&plane.errors(&[vec![1.0]]).unwrap(), &[(8.0_f64 / 3.5 / 8.0).sqrt()]);
    }

    /// The same beside a free height of 5, which is one freedom less: the noise is 4 / 2, and a ridge of 4 makes x x 8.
    #[test]
    fn the_error_of_a_ridge_is_at_most_that_of_the_textbook() {
        let mut sums = Sums::new(1, 1.0);
        [(1.0, 8.0), (1.0, 6.0), (-1.0, 4.0), (-1.0, 2.0)].iter().for_each(|(x, y)| sums.add(1.0, &[*x], *y));
        close(&sums.ridge_errors(0.0).unwrap(), &[(2.0_f64 / 4.0).sqrt()]);
        // The coefficient is 8 / 8, which leaves 4 (2 - 1)^2 more.
        close(&sums.ridge_errors(4.0).unwrap(), &[(4.0_f64 / 8.0).sqrt()]);
        assert!(super::Sums::new(3, 0.0).ridge_errors(1.0).is_none());
    }

    #[test]
    fn samples_that_decide_nothing_give_no_plane() {
        assert!(sums(&[(1.0, [1.0, 1.0], 2.0), (1.0, [2.0, 2.0], 4.0)]).through_zero(2, 0.0).is_none());
    }
}
