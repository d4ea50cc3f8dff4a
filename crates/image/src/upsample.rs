//! Small maps to the input's size.

/// Resizes a `[height, width]` map bilinearly to another size, on the host.
///
/// Pixel centres lie at half-integers and positions outside the outermost centres take the edge's value, as PyTorch's
/// `interpolate(mode="bilinear", align_corners=False)` does. Meant for enlarging: there is no antialiasing.
/// Values missing from `map`, and a map without pixels, count as zero.
pub fn upsample_bilinear(map: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    let rows = taps(from[0], to[0]);
    let columns = taps(from[1], to[1]);
    let at = |row: usize, column: usize| map.get(row * from[1] + column).copied().unwrap_or(0.0);
    let mut values = Vec::with_capacity(rows.len() * columns.len());
    for &Tap { low: top, high: bottom, weight: down } in &rows {
        for &Tap { low: left, high: right, weight: across } in &columns {
            let above = mix(at(top, left), at(top, right), across);
            let below = mix(at(bottom, left), at(bottom, right), across);
            values.push(mix(above, below, down));
        }
    }
    values
}

/// The two source positions that one target position lies between.
struct Tap {
    low: usize,
    high: usize,
    /// Weight of `high`, 0 to 1.
    weight: f32,
}

fn taps(from: usize, to: usize) -> Vec<Tap> {
    let last = from.saturating_sub(1);
    let scale = from as f64 / to as f64;
    (0..to)
        .map(|target| {
            let position = ((target as f64 + 0.5) * scale - 0.5).max(0.0);
            let low = (position as usize).min(last);
            Tap { low, high: (low + 1).min(last), weight: (position - low as f64) as f32 }
        })
        .collect()
}

/// Written so that equal ends give exactly their common value.
fn mix(low: f32, high: f32, weight: f32) -> f32 {
    if low == high { low } else { low * (1.0 - weight) + high * weight }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubling_a_row_takes_quarters_between_centres_and_the_edge_outside() {
        // Targets sit at source positions -0.25, 0.25, 0.75, 1.25.
        assert_eq!(upsample_bilinear(&[0.0, 4.0], [1, 2], [1, 4]), [0.0, 1.0, 3.0, 4.0]);
    }

    #[test]
    fn two_by_two_to_three_by_three_has_the_mean_in_the_middle() {
        // Targets sit at -1/6 (edge), 1/2 and 7/6 (edge).
        let map = upsample_bilinear(&[1.0, 3.0, 5.0, 11.0], [2, 2], [3, 3]);
        assert_eq!(map, [1.0, 2.0, 3.0, 3.0, 5.0, 7.0, 5.0, 8.0, 11.0]);
    }

    #[test]
    fn rows_and_columns_are_not_mixed_up() {
        assert_eq!(upsample_bilinear(&[2.0, 6.0], [2, 1], [4, 2]), [2.0, 2.0, 3.0, 3.0, 5.0, 5.0, 6.0, 6.0]);
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let map: Vec<f32> = (0..12).map(|index| (index as f32).sin()).collect();
        assert_eq!(upsample_bilinear(&map, [3, 4], [3, 4]), map);
    }

    #[test]
    fn a_constant_map_stays_exactly_constant() {
        assert!(upsample_bilinear(&[0.1; 49], [7, 7], [224, 224]).iter().all(|&value| value == 0.1));
    }

    #[test]
    fn an_empty_map_gives_zeros_and_an_empty_target_nothing() {
        assert_eq!(upsample_bilinear(&[], [0, 0], [1, 2]), [0.0, 0.0]);
        assert!(upsample_bilinear(&[1.0], [1, 1], [0, 5]).is_empty());
    }
}
