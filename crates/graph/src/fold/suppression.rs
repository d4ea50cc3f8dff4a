//! NonMaxSuppression of constants. Of computed scores it has no shape before the model runs, see `operator::refused`.

use super::moving::input;
use crate::{
    host::{HostData, HostTensor},
    operator::{Arguments, Refusal, arguments},
};

/// Indices `[kept, 3]` of batch, class and box: of boxes that overlap, the one with the best score.
pub(super) fn non_max_suppression(arguments: &Arguments<'_>) -> Result<HostTensor, Refusal> {
    let (boxes, scores) = (input(arguments, 0)?, input(arguments, 1)?);
    let (&[batch, count, 4], &[batches, classes, scored]) = (&boxes.shape[..], &scores.shape[..]) else {
        return arguments::invalid(format!("boxes {:?} and scores {:?} do not fit", boxes.shape, scores.shape));
    };
    if (batch, count) != (batches, scored) {
        return arguments::invalid(format!("boxes {:?} and scores {:?} do not fit", boxes.shape, scores.shape));
    }
    let parameter = |index: usize| -> Result<Option<f32>, Refusal> {
        Ok(arguments.constant(index)?.and_then(|tensor| tensor.to_floats().first().copied()))
    };
    let most = parameter(2)?.unwrap_or(0.0).max(0.0) as usize;
    let overlap = parameter(3)?.unwrap_or(0.0);
    let least = parameter(4)?;
    let centred = arguments.int("center_point_box", 0) != 0;
    let corners: Vec<[f32; 4]> = boxes.to_floats().chunks_exact(4).map(|four| corners(four, centred)).collect();
    let scores = scores.to_floats();
    let mut kept = Vec::new();
    for (line, scores) in scores.chunks_exact(count.max(1)).enumerate() {
        let (image, class) = (line / classes.max(1), line % classes.max(1));
        let own = &corners[image * count..(image + 1) * count];
        let mut order: Vec<usize> = (0..count).filter(|&at| least.is_none_or(|least| scores[at] > least)).collect();
        order.sort_by(|&left, &right| scores[right].total_cmp(&scores[left]));
        let mut chosen: Vec<usize> = Vec::new();
        for at in order {
            if chosen.len() < most && chosen.iter().all(|&other| shared(&own[at], &own[other]) <= overlap) {
                chosen.push(at);
            }
        }
        kept.extend(chosen.iter().flat_map(|&at| [image as i64, class as i64, at as i64]));
    }
    Ok(HostTensor { shape: vec![kept.len() / 3, 3], data: HostData::Int(kept) })
}

/// Top, left, bottom and right edge.
fn corners(four: &[f32], centred: bool) -> [f32; 4] {
    let &[a, b, c, d] = four else { return [0.0; 4] };
    match centred {
        true => [b - d / 2.0, a - c / 2.0, b + d / 2.0, a + c / 2.0],
        false => [a.min(c), b.min(d), a.max(c), b.max(d)],
    }
}

/// Intersection over union.
fn shared(left: &[f32; 4], right: &[f32; 4]) -> f32 {
    let area = |edges: &[f32; 4]| (edges[2] - edges[0]).max(0.0) * (edges[3] - edges[1]).max(0.0);
    let inner = [left[0].max(right[0]), left[1].max(right[1]), left[2].min(right[2]), left[3].min(right[3])];
    let both = area(&inner);
    let union = area(left) + area(right) - both;
    if union > 0.0 { both / union } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_overlapping_squares_share_a_third() {
        let (left, right) = ([0.0, 0.0, 2.0, 2.0], [0.0, 1.0, 2.0, 3.0]);
        assert!((shared(&left, &right) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(corners(&[1.0, 2.0, 4.0, 6.0], true), [-1.0, -1.0, 5.0, 3.0]);
        assert_eq!(corners(&[3.0, 1.0, 0.0, 2.0], false), [0.0, 1.0, 3.0, 2.0]);
    }
}
