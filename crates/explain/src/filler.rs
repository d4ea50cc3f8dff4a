//! What takes the place of removed parts: the same whatever is removed, or what continues the parts that are kept.

use vitrine_graph::Value;
use vitrine_image::{Planes, from_planes, infill, to_planes};
use vitrine_protocol::ImageInput;

use crate::{
    Context, ExplainError, Infill,
    random::{Purpose, Random},
    sampler::size_of_picture,
    views,
};

/// Standard deviation of the noise of `interpolate`, as a part of the distance between black and white: ROAD's.
const NOISE: f32 = 0.01;

/// An infill, ready for masks. A value of the input's shape is one too: the same for every mask.
#[derive(Clone)]
pub struct Filler<'a>(Kind<'a>);

#[allow(clippy::large_enum_variant, reason = "there is one of it in a run")]
#[derive(Clone)]
enum Kind<'a> {
    Same(Value),
    /// Made for each mask on the host.
    Around(Around<'a>),
}

impl From<Value> for Filler<'_> {
    fn from(infill: Value) -> Self {
        Filler(Kind::Same(infill))
    }
}

/// A picture whose removed pixels are made from those that are kept.
///
/// A pixel counts as removed where less than a half of it is kept, in each channel for itself; where no pixel of a
/// channel is kept, it becomes the channel's mean.
#[derive(Clone)]
struct Around<'a> {
    context: &'a Context<'a>,
    infill: Infill,
    pixels: &'a ImageInput,
    planes: Planes,
}

impl Infill {
    /// The infill of the context's input for any mask.
    ///
    /// # Errors
    /// As for [`Infill::tensor`], but for what continues kept parts; [`ExplainError::NotAnImage`] for that without height and width.
    pub async fn filler<'a>(&self, context: &'a Context<'a>) -> Result<Filler<'a>, ExplainError> {
        match context.pixels {
            Some(pixels) if self.continues_what_is_kept() => {
                size_of_picture(context)?;
                let planes = to_planes(&context.input.to_vec().await?, pixels)?;
                Ok(Filler(Kind::Around(Around { context, infill: self.clone(), pixels, planes })))
            }
            _ => Ok(self.tensor(context).await?.into()),
        }
    }
}

impl Filler<'_> {
    /// What is the same for every mask.
    pub fn same(&self) -> Option<&Value> {
        match &self.0 {
            Kind::Same(value) => Some(value),
            Kind::Around(_) => None,
        }
    }

    /// What shows through masks `[batch, ...]`, which hold how much of each value is kept and whose other axes are the
    /// input's or 1: a value that broadcasts to a batch of inputs.
    ///
    /// # Errors
    /// [`ExplainError::Cancelled`], and masks of another shape.
    pub async fn of(&self, kept: &Value) -> Result<Value, ExplainError> {
        match &self.0 {
            Kind::Same(value) => Ok(value.clone()),
            Kind::Around(around) => around.of(kept).await,
        }
    }
}

impl Around<'_> {
    async fn of(&self, kept: &Value) -> Result<Value, ExplainError> {
        let (context, batch) = (self.context, kept.shape().first().copied().unwrap_or(1));
        let shape = context.repeated(batch);
        let kept = views::to_planes(&kept.expand(&shape)?, context.layout())?.to_vec().await?;
        let mut filled = Vec::with_capacity(kept.len());
        for kept in kept.chunks(self.planes.values.len().max(1)) {
            filled.extend(from_planes(&self.filled(kept)?, self.pixels)?);
            // One may take a second where much is removed from a large picture.
            context.observer.breathe().await;
            if context.observer.cancelled() {
                return Err(ExplainError::Cancelled);
            }
        }
        Ok(Value::from_f32(&filled, &shape, &context.input.device()))
    }

    /// The planes for one mask of their size.
    fn filled(&self, kept: &[f32]) -> Result<Planes, ExplainError> {
        let Planes { height, width, .. } = self.planes;
        let area = (height * width).max(1);
        let mut random = Random::new(self.context.seed, Purpose::Infill, 0);
        let mut values = Vec::with_capacity(kept.len());
        // Channels that have the same mask are filled together.
        let first = &kept[..area.min(kept.len())];
        let together = if kept.chunks(area).all(|kept| kept == first) { kept.len().max(1) } else { area };
        for (planes, kept) in self.planes.values.chunks(together).zip(kept.chunks(together)) {
            let (channels, kept) = (planes.len() / area, &kept[..area.min(kept.len())]);
            let plane = Planes { channels, height, width, values: planes.to_vec() };
            let removed: Vec<bool> = kept.iter().map(|kept| *kept < 0.5).collect();
            let filled = match self.infill {
                _ if !removed.contains(&false) => infill::mean(&plane),
                Infill::Tile => infill::tile(&plane, &removed)?,
                Infill::Interpolate => infill::interpolate(&plane, &removed, || NOISE * random.normal())?,
                _ => infill::inpaint(&plane, &removed)?,
            };
            values.extend(filled.values);
        }
        Ok(Planes { values, ..self.planes })
    }
}

#[cfg(test)]
mod tests {
    use vitrine_protocol::{Channels, Layout};

    use super::*;
    use crate::{
        Explainer,
        sampling::Occlusion,
        testing::{Question, assert_close, linear, linear_weight, read},
    };

    /// About a picture of 3 x 5 grey pixels in which brightness rises from 0.2 by 0.1 a column; the model sees its double.
    fn question(layout: Layout) -> Question {
        let row = [0.2, 0.3, 0.4, 0.5, 0.6].map(|pixel: f32| 2.0 * pixel);
        let input = ImageInput { std: vec![0.5], ..ImageInput::plain(layout, Channels::Grey, 3, 5) };
        let shape = match layout {
            Layout::Nchw => [1, 3, 5],
            Layout::Nhwc => [3, 5, 1],
        };
        Question::new(linear(&shape), &row.repeat(3)).pixels(input)
    }

    fn filled(infill: &str, kept: &[f32], layout: Layout) -> Result<Vec<f32>, ExplainError> {
        let question = question(layout);
        let context = question.context();
        let axes = match layout {
            Layout::Nchw => [1, 3, 5],
            Layout::Nhwc => [3, 5, 1],
        };
        let kept = Value::from_f32(kept, &[&[kept.len() / 15], &axes[..]].concat(), &context.input.device());
        let infill = Infill::parse(infill).unwrap();
        pollster::block_on(async { Ok(read(&infill.filler(&context).await?.of(&kept).await?)) })
    }

    /// The middle of the picture removed, once wholly and once by six tenths, and nothing removed.
    fn masks() -> Vec<f32> {
        let mut masks = vec![1.0; 45];
        (masks[7], masks[15 + 7]) = (0.0, 0.4);
        masks
    }

    /// Brightness rises evenly, so the middle is the mean of its neighbours and the surface's own continuation; a tile of
    /// one pixel comes from the left.
    #[test]
    fn removed_pixels_continue_what_is_kept_around_them() {
        let row = [0.4, 0.6, 0.8, 1.0, 1.2].repeat(9);
        for layout in [Layout::Nchw, Layout::Nhwc] {
            assert_close(&filled("inpaint", &masks(), layout).unwrap(), &row, 1e-5);
            let mut tiled = row.clone();
            (tiled[7], tiled[15 + 7]) = (0.6, 0.6);
            assert_close(&filled("tile", &masks(), layout).unwrap(), &tiled, 1e-6);
            let noisy = filled("interpolate", &masks(), layout).unwrap();
            let noise = (noisy[7] - row[7]) / 2.0;
            assert!(noise != 0.0 && noise.abs() < 5.0 * NOISE, "{noise}");
            assert_eq!(noisy[7], noisy[15 + 7], "the noise does not depend on the mask's place in its batch");
        }
    }

    #[test]
    fn where_nothing_is_kept_there_is_the_mean() {
        let found = filled("inpaint", &[0.0; 15], Layout::Nchw).unwrap();
        assert_close(&found, &[0.8; 15], 1e-6);
    }

    #[test]
    fn without_pixels_or_without_anything_kept_it_is_refused() {
        let question = Question::new(linear(&[1, 2, 2]), &[1.0; 4]);
        let context = question.context();
        let error = pollster::block_on(Infill::Tile.filler(&context)).err().unwrap();
        assert!(matches!(error, ExplainError::NoPixels { .. }), "{error}");
        let question = self::question(Layout::Nchw);
        let error = pollster::block_on(Infill::Inpaint.tensor(&question.context())).unwrap_err().to_string();
        let expected = "The infill \"inpaint\" continues what is kept around a removed part, and here the whole input \
                        is replaced; use another one, such as blur or mean.";
        assert_eq!(error, expected);
    }

    /// A window of one pixel: in a linear model its weight times what the infill takes from it is lost.
    #[test]
    fn occlusion_fills_each_window_for_itself() {
        let question = question(Layout::Nchw).target("0").with("window", "1x1").with("stride", "1");
        let found = pollster::block_on(Occlusion.explain(&question.with("infill", "tile").context()));
        // Tiles come from the left, where the model sees 0.2 less, but in the first column from the right.
        let drop = |place: usize| linear_weight(place, 0) * if place.is_multiple_of(5) { -0.2 } else { 0.2 };
        assert_close(&found.unwrap().values, &(0..15).map(drop).collect::<Vec<_>>(), 1e-5);
    }
}
