//! A watermark in a corner, as a photographer's mark on pictures: what a classifier may learn instead of the creature.

use crate::Image;
use crate::canvas::Canvas;
use crate::colour::Colour;
use crate::shape::{Point, circle, curve, polygon};

/// The same picture with the mark in its lower left corner.
pub fn watermarked(picture: &Image) -> Image {
    let mut marked = picture.clone();
    let size = u16::try_from(picture.width.min(picture.height)).unwrap_or(u16::MAX);
    let mut canvas = Canvas::new(size);
    draw(&mut canvas);
    let side = usize::from(size.max(1));
    marked.paste_masked(&canvas.image(), &watermark_mask(size), 0, picture.height.saturating_sub(side));
    marked
}

/// How much of each pixel of a square picture the mark covers, 0 to 1, row by row from the top: `size * size` values.
pub fn watermark_mask(size: u16) -> Vec<f32> {
    let mut canvas = Canvas::new(size);
    canvas.set_ink(Some(Colour::WHITE));
    draw(&mut canvas);
    canvas.coverage()
}

/// A plate with a ring and three strokes, like a sign and a word.
fn draw(canvas: &mut Canvas) {
    const PLATE: Colour = Colour::hex(0x20242c);
    const INK: Colour = Colour::hex(0xf4f4f4);
    const PLATE_CORNERS: [Point; 4] = [(0.03, 0.86), (0.37, 0.86), (0.37, 0.97), (0.03, 0.97)];
    canvas.fill(polygon(&PLATE_CORNERS), PLATE);
    canvas.fill(circle((0.09, 0.915), 0.04), INK);
    canvas.fill(circle((0.09, 0.915), 0.02), PLATE);
    for stroke in [
        [(0.15, 0.885), (0.18, 0.945), (0.21, 0.885)],
        [(0.235, 0.945), (0.235, 0.915), (0.235, 0.885)],
        [(0.27, 0.89), (0.34, 0.89), (0.31, 0.945)],
    ] {
        let [start, middle, end] = stroke;
        canvas.line(curve(&[start, middle]), 0.018, INK);
        canvas.line(curve(&[middle, end]), 0.018, INK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Class, Scene};

    #[test]
    fn the_mark_changes_pixels_under_its_mask_only() {
        let picture = Scene::sample(4, Class::Hobbin).render(64);
        let (marked, mask) = (watermarked(&picture), watermark_mask(64));
        let changed = |pixel: usize| picture.rgb[3 * pixel..][..3] != marked.rgb[3 * pixel..][..3];
        assert!((0..64 * 64).all(|pixel| mask[pixel] > 0.0 || !changed(pixel)));
        assert!((0..64 * 64).filter(|&pixel| changed(pixel)).count() > 100);
        assert!(mask.iter().sum::<f32>() < 0.05 * 64.0 * 64.0, "a small mark");
    }
}
