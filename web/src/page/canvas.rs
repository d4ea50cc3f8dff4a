//! Pixels onto a canvas.

use wasm_bindgen::{Clamped, JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

/// Draws `width * height` RGBA pixels, each as a square of `factor` pixels, and gives the canvas that size.
pub(crate) fn paint(
    canvas: &HtmlCanvasElement,
    width: usize,
    height: usize,
    rgba: &[u8],
    factor: usize,
) -> Result<(), JsValue> {
    if width == 0 || height == 0 {
        return Ok(());
    }
    let document = canvas.owner_document().ok_or("the canvas belongs to no document")?;
    let plain: HtmlCanvasElement = document.create_element("canvas")?.unchecked_into();
    plain.set_width(width as u32);
    plain.set_height(height as u32);
    let pixels = ImageData::new_with_u8_clamped_array_and_sh(Clamped(rgba), width as u32, height as u32)?;
    context(&plain)?.put_image_data(&pixels, 0.0, 0.0)?;

    canvas.set_width((width * factor) as u32);
    canvas.set_height((height * factor) as u32);
    let target = context(canvas)?;
    // The model sees squares, so squares are shown.
    target.set_image_smoothing_enabled(false);
    target.draw_image_with_html_canvas_element_and_dw_and_dh(
        &plain,
        0.0,
        0.0,
        (width * factor) as f64,
        (height * factor) as f64,
    )
}

fn context(canvas: &HtmlCanvasElement) -> Result<CanvasRenderingContext2d, JsValue> {
    let context = canvas.get_context("2d")?.ok_or("the browser has no 2D canvas")?;
    Ok(context.unchecked_into())
}

/// Canvases in rows of up to four, each with its name above it, on a canvas of their own.
pub(crate) fn sheet(tiles: &[(HtmlCanvasElement, String)]) -> Result<HtmlCanvasElement, JsValue> {
    /// Pixels of a tile's side, of the line above it, and between tiles.
    const TILE: f64 = 320.0;
    const LINE: f64 = 28.0;
    const GAP: f64 = 12.0;
    let columns = tiles.len().clamp(1, 4);
    let rows = tiles.len().div_ceil(columns);
    let document = web_sys::window().and_then(|window| window.document()).ok_or("there is no document")?;
    let sheet: HtmlCanvasElement = document.create_element("canvas")?.unchecked_into();
    sheet.set_width((GAP + columns as f64 * (TILE + GAP)) as u32);
    sheet.set_height((GAP + rows as f64 * (LINE + TILE + GAP)) as u32);
    let target = context(&sheet)?;
    target.set_fill_style_str("#ffffff");
    target.fill_rect(0.0, 0.0, f64::from(sheet.width()), f64::from(sheet.height()));
    target.set_fill_style_str("#22252a");
    target.set_font("600 18px system-ui, sans-serif");
    target.set_image_smoothing_enabled(false);
    for (index, (tile, name)) in tiles.iter().enumerate() {
        let left = GAP + (index % columns) as f64 * (TILE + GAP);
        let top = GAP + (index / columns) as f64 * (LINE + TILE + GAP);
        target.fill_text_with_max_width(name, left, top + 0.7 * LINE, TILE)?;
        // As large as fits, with its own proportions.
        let (width, height) = (f64::from(tile.width().max(1)), f64::from(tile.height().max(1)));
        let factor = TILE / width.max(height);
        let (x, y) = (left + (TILE - factor * width) / 2.0, top + LINE + (TILE - factor * height) / 2.0);
        target.draw_image_with_html_canvas_element_and_dw_and_dh(tile, x, y, factor * width, factor * height)?;
    }
    Ok(sheet)
}
