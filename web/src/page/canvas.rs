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
