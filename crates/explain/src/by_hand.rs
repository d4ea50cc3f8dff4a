//! What somebody tries by hand: parts of the picture hidden one by one, and the regions that could be.
//!
//! The parameters are those of [`GameOptions`], so that hiding by hand means the same as hiding by a method.

use vitrine_graph::Value;
use vitrine_protocol::Layout;

use crate::{
    Context, ExplainError, GameOptions, HeatMap,
    attribution::check_finite,
    regions::Regions,
    sampler::{Masked, size_of_picture},
};

/// The input with parts hidden.
pub struct Hidden {
    /// The target's value at the input as it is.
    pub before: f32,
    /// The target's value with the parts hidden.
    pub after: f32,
    /// The altered input `[1, ...]`.
    pub input: Value,
}

/// Hides what `kept` does not keep: 1 leaves a pixel as it is, 0 replaces it by the infill.
///
/// # Errors
/// [`ExplainError::NotAnImage`] for an input without height and width, [`ExplainError::Regions`] for a `kept` of another size
/// than the picture, parameters that are refused, and what running the model refuses.
pub async fn hide(context: &Context<'_>, kept: &HeatMap) -> Result<Hidden, ExplainError> {
    let [height, width] = size_of_picture(context)?;
    if [kept.height, kept.width] != [height, width] || kept.values.len() != height * width {
        let problem =
            format!("they are {} x {} pixels, and the picture is {height} x {width}", kept.height, kept.width);
        return Err(ExplainError::Regions { regions: "drawn by hand".to_owned(), problem });
    }
    check_finite(&kept.values, "The part kept of a pixel", "give numbers from 0 to 1")?;
    let infill = GameOptions::parse(context.parameters)?.infill.filler(context).await?;
    let shape = match context.layout() {
        Layout::Nchw => [1, 1, height, width],
        Layout::Nhwc => [1, height, width, 1],
    };
    let kept = Value::from_f32(&kept.values, &shape, &context.input.device());
    let mut masked = Masked::start(context, infill, 1).await?;
    let (_, scores) = masked.score(&kept).await?;
    let after = scores.first().copied().unwrap_or(f32::NAN);
    Ok(Hidden { before: masked.prediction, after, input: masked.input(&kept).await? })
}

/// The number of the region that each pixel is in, from 0; one more than there are where it is in none.
///
/// # Errors
/// As for the methods that play with regions; [`ExplainError::Regions`] too where each channel has regions of its own.
pub async fn label_map(context: &Context<'_>) -> Result<HeatMap, ExplainError> {
    let [height, width] = size_of_picture(context)?;
    let regions = Regions::of(context, &GameOptions::parse(context.parameters)?.regions).await?;
    let labels = regions.labels_of_pixels(context)?;
    Ok(HeatMap { height, width, values: labels.into_iter().map(|label| label as f32).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight, read};

    fn question() -> Question {
        Question::new(linear(&[2, 2, 2]), &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]).target("0")
    }

    /// A linear model loses the hidden pixel's weights times the differences from the infill.
    #[test]
    fn the_score_falls_by_what_the_hidden_pixel_holds() {
        let question = question().with("infill", "value:0.5");
        let kept = HeatMap { height: 2, width: 2, values: vec![1.0, 1.0, 0.0, 1.0] };
        let found = pollster::block_on(hide(&question.context(), &kept)).unwrap();
        let loss = linear_weight(2, 0) * 2.5 + linear_weight(6, 0) * 6.5;
        assert_close(&[found.before - found.after], &[loss], 1e-5);
        assert_eq!(read(&found.input), [1.0, 2.0, 0.5, 4.0, 5.0, 6.0, 0.5, 8.0]);
        assert_eq!(found.input.shape(), [1, 2, 2, 2]);
    }

    #[test]
    fn a_mask_of_another_size_is_refused_with_both_sizes() {
        let kept = HeatMap { height: 1, width: 2, values: vec![1.0, 0.0] };
        let error = pollster::block_on(hide(&question().context(), &kept)).err().unwrap().to_string();
        assert!(error.contains("1 x 2") && error.contains("2 x 2"), "{error}");
    }

    #[test]
    fn every_pixel_is_told_its_region() {
        let grid = question().with("regions", "grid:1x2");
        assert_eq!(pollster::block_on(label_map(&grid.context())).unwrap().values, [0.0, 1.0, 0.0, 1.0]);
        let drawn = question().with("regions", "drawn").infill_files([("drawn".to_owned(), vec![-1.0, 7.0, 3.0, 7.0])]);
        assert_eq!(pollster::block_on(label_map(&drawn.context())).unwrap().values, [2.0, 1.0, 0.0, 1.0]);
        let each = question().with("regions", "elements");
        assert!(pollster::block_on(label_map(&each.context())).is_err(), "each channel has regions of its own");
    }
}
