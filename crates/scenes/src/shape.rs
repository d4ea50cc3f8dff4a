//! Outlines that the parts are made of, in the units of the frame they are drawn in.

use tiny_skia::{Path, PathBuilder, Rect};

/// A point: x to the right, y downwards.
pub(crate) type Point = (f32, f32);

/// An ellipse by centre and half axes.
pub(crate) fn ellipse(centre: Point, half_width: f32, half_height: f32) -> Option<Path> {
    let (x, y) = centre;
    PathBuilder::from_oval(Rect::from_ltrb(x - half_width, y - half_height, x + half_width, y + half_height)?)
}

/// A circle by centre and radius.
pub(crate) fn circle(centre: Point, radius: f32) -> Option<Path> {
    ellipse(centre, radius, radius)
}

/// Straight edges between corners, closed.
pub(crate) fn polygon(corners: &[Point]) -> Option<Path> {
    let mut path = PathBuilder::new();
    let (&(x, y), rest) = corners.split_first()?;
    path.move_to(x, y);
    for &(x, y) in rest {
        path.line_to(x, y);
    }
    path.close();
    path.finish()
}

/// A smooth closed curve drawn towards each point in turn: quadratic splines through the middles of the edges.
pub(crate) fn blob(points: &[Point]) -> Option<Path> {
    let mut path = PathBuilder::new();
    let middle = |a: Point, b: Point| ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0);
    let (start_x, start_y) = middle(*points.last()?, *points.first()?);
    path.move_to(start_x, start_y);
    for (index, &point) in points.iter().enumerate() {
        let next = points.get(index + 1).or(points.first())?;
        let end = middle(point, *next);
        path.quad_to(point.0, point.1, end.0, end.1);
    }
    path.close();
    path.finish()
}

/// An open curve from the first point to the last, bending towards those between.
pub(crate) fn curve(points: &[Point]) -> Option<Path> {
    let mut path = PathBuilder::new();
    let (&(x, y), rest) = points.split_first()?;
    path.move_to(x, y);
    for (index, &(x, y)) in rest.iter().enumerate() {
        match rest.get(index + 1) {
            Some(_) if index + 2 == rest.len() => {
                let (end_x, end_y) = *rest.last()?;
                path.quad_to(x, y, end_x, end_y);
                break;
            }
            Some(&(next_x, next_y)) => path.quad_to(x, y, (x + next_x) / 2.0, (y + next_y) / 2.0),
            None => path.line_to(x, y),
        }
    }
    path.finish()
}
