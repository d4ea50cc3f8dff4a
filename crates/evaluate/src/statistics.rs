//! Numbers that compare lists of numbers, or sum them up.

use serde::{Deserialize, Serialize};

/// The correlation of Pearson, from -1 to 1; nothing where one of the lists does not vary.
pub(crate) fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut product, mut square_a, mut square_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        product += a * b;
        square_a += a * a;
        square_b += b * b;
    }
    // What is left of equal numbers after rounding is no variation.
    let varies = |square: f64, list: &[f64]| {
        let largest = list.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        square > list.len() as f64 * (1e-7 * largest).powi(2) && square > 0.0
    };
    (varies(square_a, a) && varies(square_b, b)).then(|| (product / (square_a * square_b).sqrt()).clamp(-1.0, 1.0))
}

/// The rank correlation of Spearman (1904): that of Pearson between ranks, equal numbers sharing the mean of theirs.
pub(crate) fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    pearson(&ranks(a), &ranks(b))
}

/// The rank correlation of Kendall, in the form that allows for ties (tau-b, 1945), by merge sort (Knight 1966).
pub(crate) fn kendall(a: &[f64], b: &[f64]) -> Option<f64> {
    let mut pairs: Vec<(f64, f64)> = a.iter().copied().zip(b.iter().copied()).collect();
    pairs.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let all = pairs_of(pairs.len());
    let tied_a: f64 = pairs.chunk_by(|one, other| one.0 == other.0).map(|tied| pairs_of(tied.len())).sum();
    let tied_both: f64 = pairs.chunk_by(|one, other| one == other).map(|tied| pairs_of(tied.len())).sum();
    let mut second: Vec<f64> = pairs.into_iter().map(|(_, b)| b).collect();
    let swaps = sort_counting(&mut second);
    let tied_b: f64 = second.chunk_by(|one, other| one == other).map(|tied| pairs_of(tied.len())).sum();
    let scale = ((all - tied_a) * (all - tied_b)).sqrt();
    (scale > 0.0).then(|| (all - tied_a - tied_b + tied_both - 2.0 * swaps) / scale)
}

fn pairs_of(count: usize) -> f64 {
    count as f64 * count.saturating_sub(1) as f64 / 2.0
}

/// Sorts, and says how many pairs stood the wrong way round.
fn sort_counting(values: &mut Vec<f64>) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mut right = values.split_off(values.len() / 2);
    let mut swaps = sort_counting(values) + sort_counting(&mut right);
    let left = std::mem::take(values);
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let Some(next) = right.peek() {
        match left.peek() {
            Some(first) if first <= next => values.extend(left.next()),
            _ => {
                swaps += left.len() as f64;
                values.extend(right.next());
            }
        }
    }
    values.extend(left);
    swaps
}

/// Ranks from 1, equal numbers sharing the mean of theirs.
pub(crate) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
    order.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut ranks, mut before) = (vec![0.0; values.len()], 0);
    for tied in order.chunk_by(|one, other| one.0 == other.0) {
        let rank = before as f64 + (tied.len() + 1) as f64 / 2.0;
        before += tied.len();
        for (_, at) in tied {
            if let Some(place) = ranks.get_mut(*at) {
                *place = rank;
            }
        }
    }
    ranks
}

/// The coefficient of Gini (1912) of the absolute values: 0 where all are alike, near 1 where one holds everything.
/// Nothing for zeros.
pub(crate) fn gini(values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    sorted.sort_by(f64::total_cmp);
    let (count, sum) = (sorted.len() as f64, sorted.iter().sum::<f64>());
    let weighted: f64 = sorted.iter().enumerate().map(|(at, value)| (count - at as f64 - 0.5) * value).sum();
    (sum > 0.0).then(|| 1.0 - 2.0 * weighted / (count * sum))
}

/// The entropy (Shannon 1948), in nats, of the absolute values taken as parts of their sum. Nothing for zeros.
pub(crate) fn entropy(values: &[f64]) -> Option<f64> {
    let sum: f64 = values.iter().map(|value| value.abs()).sum();
    let parts = values.iter().map(|value| value.abs() / sum).filter(|part| *part > 0.0);
    (sum > 0.0).then(|| -parts.map(|part| part * part.ln()).sum::<f64>())
}

/// The entropy, in nats, of the histogram of the values, with so many bins from the smallest to the largest.
pub(crate) fn histogram_entropy(values: &[f64], bins: usize) -> f64 {
    let least = values.iter().fold(f64::INFINITY, |least, value| least.min(*value));
    let range = values.iter().fold(f64::NEG_INFINITY, |most, value| most.max(*value)) - least;
    let mut counts = vec![0.0; bins];
    for value in values {
        let bin = if range > 0.0 { (value - least) / range * bins as f64 } else { 0.0 };
        // The largest value belongs to the last bin.
        if let Some(count) = counts.get_mut((bin as usize).min(bins.saturating_sub(1))) {
            *count += 1.0;
        }
    }
    entropy(&counts).unwrap_or_default()
}

/// The structural similarity of two pictures of a width (Wang et al. 2004), from -1 to 1, as scikit-image computes it by
/// default: even windows of 7 x 7, or the largest odd size that fits, samples' variances, and the range of both together.
/// Nothing where both are of one and the same value.
pub(crate) fn structural_similarity(a: &[f64], b: &[f64], width: usize) -> Option<f64> {
    const WINDOW: usize = 7;
    let height = a.len().checked_div(width)?;
    let fits = |length: usize| WINDOW.min(length - (length + 1) % 2);
    let window = fits(height.max(1)).min(fits(width.max(1)));
    let both = || a.iter().chain(b);
    let range = both().fold(f64::MIN, |most, v| most.max(*v)) - both().fold(f64::MAX, |least, v| least.min(*v));
    if range.is_nan() || range <= 0.0 {
        return None;
    }
    let [c1, c2] = [0.01, 0.03].map(|part: f64| (part * range).powi(2));
    let product = |one: &[f64], other: &[f64]| -> Vec<f64> { one.iter().zip(other).map(|(a, b)| a * b).collect() };
    let means = |values: &[f64]| window_means(values, [height, width], window);
    let (mean_a, mean_b) = (means(a), means(b));
    let (aa, bb, ab) = (means(&product(a, a)), means(&product(b, b)), means(&product(a, b)));
    let samples = (window * window) as f64;
    let unbiased = if window > 1 { samples / (samples - 1.0) } else { 1.0 };
    let moments = [&mean_a, &mean_b, &aa, &bb, &ab];
    let similarity = |place: usize| {
        let [ma, mb, aa, bb, ab] = moments.map(|moment| moment[place]);
        let (va, vb, vab) = (unbiased * (aa - ma * ma), unbiased * (bb - mb * mb), unbiased * (ab - ma * mb));
        (2.0 * ma * mb + c1) * (2.0 * vab + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
    };
    Some(mean(&(0..mean_a.len()).map(similarity).collect::<Vec<_>>()))
}

/// Means over every window that lies within.
fn window_means(values: &[f64], [height, width]: [usize; 2], window: usize) -> Vec<f64> {
    let slide = |line: &[f64]| -> Vec<f64> { line.windows(window).map(|part| part.iter().sum()).collect() };
    let rows: Vec<Vec<f64>> = values.chunks(width).map(slide).collect();
    let columns = (width + 1).saturating_sub(window);
    let starts = 0..(height + 1).saturating_sub(window);
    let sum = |row: usize, column: usize| -> f64 { rows.iter().skip(row).take(window).map(|line| line[column]).sum() };
    let samples = (window * window) as f64;
    starts.flat_map(|row| (0..columns).map(move |column| (row, column))).map(|(r, c)| sum(r, c) / samples).collect()
}

/// The places of the `count` largest values, the largest first.
pub(crate) fn largest(values: &[f64], count: usize) -> Vec<usize> {
    let mut order: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
    order.sort_by(|one, other| other.0.total_cmp(&one.0));
    order.into_iter().take(count).map(|(_, at)| at).collect()
}

/// The mean; of no numbers zero.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The area under straight lines between the points.
pub(crate) fn area(xs: &[f64], ys: &[f64]) -> f64 {
    let pieces = xs.windows(2).zip(ys.windows(2));
    pieces.map(|(x, y)| if let ([a, b], [c, d]) = (x, y) { (b - a) * (c + d) / 2.0 } else { 0.0 }).sum()
}

/// Many numbers in a few.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// The ends of a 95 % confidence interval of the mean; nothing for fewer than two.
    pub interval: Option<[f64; 2]>,
}

impl Summary {
    /// Sums up independent numbers; nothing where there are none. The interval is Student's (1908), which allows for there
    /// being few.
    pub fn of(values: &[f64]) -> Option<Summary> {
        let (count, middle) = (values.len() as f64, mean(values));
        let squares: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
        let half =
            student(values.len().saturating_sub(1)).map(|factor| factor * (squares / (count - 1.0) / count).sqrt());
        let interval = half.map(|half| [middle - half, middle + half]);
        (count > 0.0).then_some(Summary { count: values.len(), mean: middle, interval })
    }

    /// The same of numbers that are never outside of a range, so that their mean is not either.
    #[must_use]
    pub fn within(self, [low, high]: [Option<f64>; 2]) -> Summary {
        let inside = |end: f64| end.max(low.unwrap_or(end)).min(high.unwrap_or(end));
        Summary { interval: self.interval.map(|ends| ends.map(inside)), ..self }
    }
}

/// What Student's distribution exceeds with a probability of 2.5 %; nothing without degrees of freedom.
fn student(degrees: usize) -> Option<f64> {
    const FEW: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    const NORMAL: f64 = 1.959_964;
    // From eleven degrees on, its expansion around the normal distribution is as good as the table.
    let expanded = |degrees: f64| {
        let power = |exponent| NORMAL.powi(exponent);
        let first = (power(3) + NORMAL) / 4.0;
        let second = (5.0 * power(5) + 16.0 * power(3) + 3.0 * NORMAL) / 96.0;
        let third = (3.0 * power(7) + 19.0 * power(5) + 17.0 * power(3) - 15.0 * NORMAL) / 384.0;
        NORMAL + first / degrees + second / degrees.powi(2) + third / degrees.powi(3)
    };
    let place = degrees.checked_sub(1)?;
    Some(FEW.get(place).copied().unwrap_or_else(|| expanded(degrees as f64)))
}

/// The length of a vector.
pub(crate) fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Numbers of double precision.
pub(crate) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<f64>, expected: f64) {
        assert!(found.is_some_and(|found| (found - expected).abs() < 1e-9), "{found:?}, not {expected}");
    }

    /// Deviations of -1.5, -0.5, 0.5, 1.5 and of -2, 0, -1, 3: products sum to 7, squares to 5 and 14.
    #[test]
    fn correlations_are_those_on_paper() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 6.0]);
        close(pearson(&a, &b), 7.0 / 70.0_f64.sqrt());
        // Ranks 1, 3, 2, 4: one minus 6 (0 + 1 + 1 + 0) / (4 * 15).
        close(spearman(&a, &b), 0.8);
        // Of six pairs one stands the wrong way round.
        close(kendall(&a, &b), 4.0 / 6.0);
        assert_eq!((pearson(&a, &[5.0; 4]), spearman(&a, &[5.0; 4]), kendall(&a, &[5.0; 4])), (None, None, None));
        close(pearson(&a, &a.map(|value| 7.0 - 2.0 * value)), -1.0);
    }

    /// Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4. Of six pairs five agree and one is tied: 5 / sqrt(5 * 6).
    #[test]
    fn equal_numbers_share_their_ranks() {
        assert_eq!(ranks(&[7.0, 9.0, 9.0, 11.0]), [1.0, 2.5, 2.5, 4.0]);
        close(kendall(&[7.0, 9.0, 9.0, 11.0], &[1.0, 2.0, 3.0, 4.0]), 5.0 / 30.0_f64.sqrt());
        // Both tied at the same place: 5 of 5 untied pairs agree.
        close(kendall(&[1.0, 2.0, 2.0, 3.0], &[4.0, 5.0, 5.0, 6.0]), 1.0);
    }

    #[test]
    fn what_is_spread_and_what_is_gathered() {
        close(gini(&[1.0; 4]), 0.0);
        // One of n holds everything: 1 - 1/n.
        close(gini(&[0.0, 0.0, -3.0, 0.0]), 0.75);
        close(entropy(&[1.0, -1.0, 1.0, 1.0]), 4.0_f64.ln());
        close(entropy(&[0.0, 2.0, 0.0]), 0.0);
        assert_eq!((gini(&[0.0; 3]), entropy(&[0.0; 3])), (None, None));
        // Of bins up to 1, 2, 3 and 4 the first holds two values and the last, which has its upper bound, two.
        close(Some(histogram_entropy(&[0.0, 0.5, 3.5, 4.0], 4)), 2.0_f64.ln());
        close(Some(histogram_entropy(&[0.0, 1.0, 2.0, 4.0], 4)), 4.0_f64.ln());
        close(Some(histogram_entropy(&[7.0; 4], 4)), 0.0);
    }

    /// A ramp beside itself, and beside its reverse, whose covariance is the negative variance in every window.
    #[test]
    fn similarity_is_one_for_the_same_picture_and_negative_for_the_reverse() {
        let ramp: Vec<f64> = (0..90).map(|at| f64::from(at % 10)).collect();
        let reverse: Vec<f64> = ramp.iter().rev().copied().collect();
        close(structural_similarity(&ramp, &ramp, 10), 1.0);
        assert!(structural_similarity(&ramp, &reverse, 10).unwrap() < -0.5);
        assert_eq!(structural_similarity(&[1.0; 4], &[1.0; 4], 2), None);
        // A single pixel: means 1 and 3, range 2, no variance.
        let (c1, expected) = (0.0004, |c1: f64| (6.0 + c1) / (10.0 + c1));
        close(structural_similarity(&[1.0], &[3.0], 1), expected(c1));
    }

    /// Deviations of -1.5, -0.5, 0.5, 1.5: variance 5 / 3, of the mean 5 / 12; three degrees of freedom.
    #[test]
    fn the_interval_is_students() {
        let Summary { count, mean, interval } = Summary::of(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        let half = 3.182 * (5.0_f64 / 12.0).sqrt();
        assert_eq!((count, mean), (4, 2.5));
        close(interval.map(|[low, _]| low), 2.5 - half);
        close(interval.map(|[_, high]| high), 2.5 + half);
        assert_eq!((Summary::of(&[]), Summary::of(&[7.0]).unwrap().interval), (None, None));
        assert_eq!(Summary::of(&[1.0; 3]).unwrap().interval, Some([1.0, 1.0]));
        let shares = Summary::of(&[0.0, 1.0]).unwrap();
        assert_eq!(shares.within([Some(0.0), Some(1.0)]).interval, Some([0.0, 1.0]));
        assert_eq!(shares.within([None, None]), shares);
    }

    /// Tables give 2.201 for 11 degrees of freedom, 2.086 for 20 and 1.980 for 120.
    #[test]
    fn students_factors_are_those_of_the_tables() {
        for (degrees, expected) in [(1, 12.706), (10, 2.228), (11, 2.201), (20, 2.086), (120, 1.980)] {
            assert!((student(degrees).unwrap() - expected).abs() < 1e-3, "{degrees}: {:?}", student(degrees));
        }
        assert_eq!(student(0), None);
    }

    #[test]
    fn areas_and_largest_values() {
        close(Some(area(&[0.0, 0.5, 1.0], &[1.0, 0.5, 0.0])), 0.5);
        close(Some(area(&[0.0, 0.2, 1.0], &[1.0, 0.0, 0.0])), 0.1);
        assert_eq!(largest(&[3.0, 9.0, -1.0, 5.0], 2), [1, 3]);
    }
}
