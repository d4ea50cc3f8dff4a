//! The direction in which a table of numbers varies most, found on the host.

/// The places of a layer, projected on their first principal direction.
pub(crate) struct Projection {
    /// One number per place.
    pub(crate) values: Vec<f32>,
    /// Whether one direction clearly is the first.
    pub(crate) is_clear: bool,
}

impl Projection {
    /// What the reader should know of it.
    pub(crate) fn note(&self, layer: &str) -> Option<String> {
        let tie = "varies about as much along two directions, and the map shows a mixture of both";
        (!self.is_clear).then(|| format!("Layer {layer:?} {tie}."))
    }
}

/// Most steps of the power iteration.
const STEPS: usize = 500;

/// Change of the direction, of length 1, at which it has settled.
const SETTLED: f64 = 1e-7;

/// Projects the places of `planes`, `[channels, places]`, on the first right singular vector of the table of places by
/// channels, with or without each channel's mean taken out. The sign, which the vector leaves open, is such that the
/// projection times `toward`, one number per place, does not sum to less than zero.
///
/// Power iteration, from the place that is farthest from zero.
pub(crate) fn project(planes: &[f32], channels: usize, centred: bool, toward: &[f32]) -> Projection {
    let places = toward.len();
    let mut table: Vec<Vec<f64>> = planes
        .chunks(places.max(1))
        .take(channels)
        .map(|plane| plane.iter().copied().map(f64::from).collect())
        .collect();
    if centred {
        for plane in &mut table {
            let mean = plane.iter().sum::<f64>() / places.max(1) as f64;
            plane.iter_mut().for_each(|value| *value -= mean);
        }
    }
    let energy = |place: usize| table.iter().map(|plane| plane[place] * plane[place]).sum::<f64>();
    let farthest = (0..places).max_by(|a, b| energy(*a).total_cmp(&energy(*b))).unwrap_or(0);
    let length = energy(farthest).sqrt();
    if length == 0.0 {
        return Projection { values: vec![0.0; places], is_clear: true };
    }
    // A little of everything, should that place have nothing of the direction looked for.
    let start = |(channel, plane): (usize, &Vec<f64>)| plane[farthest] / length + 1e-3 * (channel as f64 + 1.0).sin();
    let mut direction: Vec<f64> = table.iter().enumerate().map(start).collect();
    normalise(&mut direction);
    let mut is_clear = false;
    for _ in 0..STEPS {
        let projection = projected(&table, &direction, places);
        let mut next: Vec<f64> = table.iter().map(|plane| product(plane, &projection)).collect();
        normalise(&mut next);
        let change = next.iter().zip(&direction).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        direction = next;
        is_clear = change < SETTLED;
        if is_clear {
            break;
        }
    }
    let values = projected(&table, &direction, places);
    let along: f64 = values.iter().zip(toward).map(|(value, toward)| value * f64::from(*toward)).sum();
    let sign = if along < 0.0 { -1.0 } else { 1.0 };
    Projection { values: values.into_iter().map(|value| (sign * value) as f32).collect(), is_clear }
}

fn product(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

fn projected(table: &[Vec<f64>], direction: &[f64], places: usize) -> Vec<f64> {
    let mut sums = vec![0.0; places];
    for (plane, weight) in table.iter().zip(direction) {
        sums.iter_mut().zip(plane).for_each(|(sum, value)| *sum += weight * value);
    }
    sums
}

fn normalise(vector: &mut [f64]) {
    let length = product(vector, vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_close;

    /// Places (3, 4), (-6, -8) and (0, 0) lie on one line: the projections are their distances along (0.6, 0.8).
    #[test]
    fn places_on_a_line_are_projected_on_it_with_the_sign_asked_for() {
        let planes = [3.0, -6.0, 0.0, 4.0, -8.0, 0.0];
        let up = project(&planes, 2, false, &[1.0, 0.0, 0.0]);
        assert_close(&up.values, &[5.0, -10.0, 0.0], 1e-6);
        assert!(up.is_clear);
        assert_close(&project(&planes, 2, false, &[0.0, 1.0, 0.0]).values, &[-5.0, 10.0, 0.0], 1e-6);
        // The mean is (-1, -4/3), at -5/3 of the line.
        assert_close(&project(&planes, 2, true, &[1.0, 0.0, 0.0]).values, &[20.0 / 3.0, -25.0 / 3.0, 5.0 / 3.0], 1e-6);
    }

    /// Two directions of equal strength: neither is the first.
    #[test]
    fn nothing_and_a_tie_are_told() {
        let tie = project(&[1.0, 0.0, 0.0, 1.0], 2, false, &[1.0, 1.0]);
        assert!(tie.values.iter().all(|value| value.is_finite()));
        assert_eq!(project(&[0.0; 4], 2, false, &[1.0, 1.0]).values, [0.0; 2]);
    }
}
