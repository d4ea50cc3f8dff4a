//! The drawing surface: shapes in nested frames, in colour or as the silhouette of one part.

use tiny_skia::{
    Color, FillRule, GradientStop, LineCap, LineJoin, LinearGradient, Paint, Path, Pixmap, Point, Rect, Shader,
    SpreadMode, Stroke, Transform,
};

use crate::Image;
use crate::colour::Colour;

/// Width of the dark line around every shape, in units of the frame.
const OUTLINE: f32 = 0.1;

pub(crate) struct Canvas {
    pixmap: Pixmap,
    /// From the units shapes are given in to pixels.
    frame: Transform,
    /// Drawn instead of every colour: how part masks are made.
    ink: Option<Colour>,
}

impl Canvas {
    /// A black square whose frame is the unit square: (0, 0) top left, (1, 1) bottom right.
    pub(crate) fn new(size: u16) -> Self {
        let side = u32::from(size.max(1));
        let Some(pixmap) = Pixmap::new(side, side) else { unreachable!("a 16-bit side always fits") };
        let mut canvas = Canvas { pixmap, frame: Transform::from_scale(side as f32, side as f32), ink: None };
        canvas.pixmap.fill(Color::BLACK);
        canvas
    }

    /// Draws everything from here on in one colour; `None` returns to the shapes' own.
    pub(crate) fn set_ink(&mut self, ink: Option<Colour>) {
        self.ink = ink;
    }

    /// Draws in a frame moved to `origin`, turned clockwise by `degrees` and enlarged by `scale` (per axis).
    pub(crate) fn within(&mut self, origin: (f32, f32), degrees: f32, scale: (f32, f32), draw: impl FnOnce(&mut Self)) {
        let outer = self.frame;
        let (sine, cosine) = libm::sincosf(degrees.to_radians());
        let inner = Transform::from_row(
            cosine * scale.0,
            sine * scale.0,
            -sine * scale.1,
            cosine * scale.1,
            origin.0,
            origin.1,
        );
        self.frame = outer.pre_concat(inner);
        draw(self);
        self.frame = outer;
    }

    /// Fills a shape.
    pub(crate) fn fill(&mut self, shape: Option<Path>, colour: Colour) {
        let paint = self.paint(colour);
        if let Some(path) = shape {
            self.pixmap.fill_path(&path, &paint, FillRule::Winding, self.frame, None);
        }
    }

    /// Draws a line of this width along a shape.
    pub(crate) fn line(&mut self, shape: Option<Path>, width: f32, colour: Colour) {
        let paint = self.paint(colour);
        let stroke = Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        if let Some(path) = shape {
            self.pixmap.stroke_path(&path, &paint, &stroke, self.frame, None);
        }
    }

    /// Fills a shape and draws a dark line of the same hue around it.
    pub(crate) fn outlined(&mut self, shape: Option<Path>, colour: Colour) {
        self.line(shape.clone(), OUTLINE, outline_of(colour));
        self.fill(shape, colour);
    }

    /// Draws a thick line with a dark line around it.
    pub(crate) fn outlined_line(&mut self, shape: Option<Path>, width: f32, colour: Colour) {
        self.line(shape.clone(), width + OUTLINE, outline_of(colour));
        self.line(shape, width, colour);
    }

    /// Covers the unit square with a vertical gradient.
    pub(crate) fn gradient(&mut self, top: Colour, bottom: Colour) {
        let stops = [(0.0, top), (1.0, bottom)];
        let stops = stops.map(|(at, colour)| GradientStop::new(at, skia(self.ink.unwrap_or(colour))));
        let shader = LinearGradient::new(
            Point::from_xy(0.0, 0.0),
            Point::from_xy(0.0, 1.0),
            stops.to_vec(),
            SpreadMode::Pad,
            Transform::identity(),
        );
        if let (Some(shader), Some(square)) = (shader, Rect::from_ltrb(0.0, 0.0, 1.0, 1.0)) {
            let paint = Paint { shader, ..Paint::default() };
            self.pixmap.fill_rect(square, &paint, self.frame, None);
        }
    }

    /// The picture so far.
    pub(crate) fn image(&self) -> Image {
        // Everything drawn is opaque, so premultiplied values are plain ones.
        let rgb = self.pixmap.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
        Image { width: self.pixmap.width() as usize, height: self.pixmap.height() as usize, rgb }
    }

    /// The brightness of each pixel of a picture drawn in black and white, 0 to 1, row by row from the top.
    pub(crate) fn coverage(&self) -> Vec<f32> {
        self.pixmap.pixels().iter().map(|pixel| f32::from(pixel.red()) / 255.0).collect()
    }

    fn paint(&self, colour: Colour) -> Paint<'static> {
        Paint { shader: Shader::SolidColor(skia(self.ink.unwrap_or(colour))), ..Paint::default() }
    }
}

fn outline_of(colour: Colour) -> Colour {
    colour.darker(0.62)
}

fn skia(colour: Colour) -> Color {
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
    Color::from_rgba8(byte(colour.red), byte(colour.green), byte(colour.blue), 255)
}
