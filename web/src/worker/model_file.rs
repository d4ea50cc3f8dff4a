//! A model's file, which the browser gives piece by piece: all of it at once would be in the tab's memory twice, and the
//! memory of a wasm program never shrinks.

use js_sys::Uint8Array;
use vitrine_engine::ModelReader;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

/// Bytes that are read at a time.
const PIECE: f64 = 2_000_000.0;

/// Reads a file.
///
/// # Errors
/// What the browser says when it cannot read it.
pub(crate) async fn read(file: &Blob) -> Result<ModelReader, JsValue> {
    let size = file.size();
    let mut reader = ModelReader::new(size as usize);
    let (mut start, mut piece) = (0.0, Vec::new());
    while start < size {
        let end = size.min(start + PIECE);
        let buffer = JsFuture::from(file.slice_with_f64_and_f64(start, end)?.array_buffer()).await?;
        let bytes = Uint8Array::new(&buffer);
        piece.resize(bytes.length() as usize, 0);
        bytes.copy_to(&mut piece);
        reader.push(&piece);
        start = end;
    }
    Ok(reader)
}
