//! What a file that is no ONNX model looks like, and what to do about it.

use std::fmt;

/// What people hand in under the name of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookalike {
    /// A web page, often an error page saved by a download.
    WebPage,
    /// The stand-in that git keeps where a large file was not fetched.
    GitLfsPointer,
    /// JSON or XML: a description of a model in another format.
    Markup,
    /// Other text.
    Text,
    /// A ZIP archive with a pickle in it: a checkpoint or TorchScript.
    PyTorch,
    /// A pickle: an old PyTorch checkpoint, or a scikit-learn model.
    Pickle,
    /// A ZIP archive with a Keras configuration in it.
    Keras,
    /// Any other ZIP archive.
    Zip,
    /// A gzip archive.
    Gzip,
    /// Weights alone.
    SafeTensors,
    /// HDF5, the container of older Keras models.
    Hdf5,
    /// A TensorFlow SavedModel's or frozen graph's protobuf.
    TensorFlow,
    /// TensorFlow Lite.
    TensorFlowLite,
    /// onnxruntime's own format, made from an ONNX model.
    OnnxRuntime,
    /// A NumPy array.
    Numpy,
    /// A picture.
    Image,
}

impl Lookalike {
    /// What to do, as the second half of a sentence.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Lookalike::WebPage => "download the model itself, not the page about it",
            Lookalike::GitLfsPointer => "fetch the model behind it with `git lfs pull`",
            Lookalike::Markup | Lookalike::Text | Lookalike::Numpy => "choose a model exported to ONNX",
            Lookalike::PyTorch => "export the model with torch.onnx.export and choose that file",
            Lookalike::Pickle => "load it where it was made, export the model to ONNX and choose that file",
            Lookalike::Keras | Lookalike::Hdf5 | Lookalike::TensorFlow | Lookalike::TensorFlowLite => {
                "convert it with tf2onnx and choose the resulting file"
            }
            Lookalike::Zip | Lookalike::Gzip => "unpack it and choose the model inside",
            Lookalike::SafeTensors => "load them into their model, export it to ONNX and choose that file",
            Lookalike::OnnxRuntime => "choose the .onnx file it was made from",
            Lookalike::Image => "open it as the picture to explain, and choose an ONNX file as the model",
        }
    }
}

impl fmt::Display for Lookalike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lookalike::WebPage => "a web page",
            Lookalike::GitLfsPointer => "a Git LFS pointer, the stand-in for a large file",
            Lookalike::Markup => "a JSON or XML text",
            Lookalike::Text => "a text",
            Lookalike::PyTorch => "a PyTorch file (.pt or .pth)",
            Lookalike::Pickle => "a Python pickle, such as an old PyTorch checkpoint",
            Lookalike::Keras => "a Keras model",
            Lookalike::Zip => "a ZIP archive",
            Lookalike::Gzip => "a gzip archive",
            Lookalike::SafeTensors => "safetensors, weights without a model",
            Lookalike::Hdf5 => "an HDF5 file, such as a Keras model",
            Lookalike::TensorFlow => "a TensorFlow model (.pb)",
            Lookalike::TensorFlowLite => "a TensorFlow Lite model",
            Lookalike::OnnxRuntime => "a model in onnxruntime's own format (.ort)",
            Lookalike::Numpy => "a NumPy array",
            Lookalike::Image => "a picture",
        })
    }
}

/// What the bytes are, by the marks that formats put at their start.
pub(crate) fn recognise(bytes: &[u8]) -> Option<Lookalike> {
    let starts = |mark: &[u8]| bytes.starts_with(mark);
    let fifth = |mark: &[u8]| bytes.get(4..).is_some_and(|rest| rest.starts_with(mark));
    Some(match () {
        () if starts(b"PK\x03\x04") => zip(bytes),
        () if starts(b"\x1f\x8b") => Lookalike::Gzip,
        () if starts(b"\x89HDF\r\n") => Lookalike::Hdf5,
        () if starts(b"\x93NUMPY") => Lookalike::Numpy,
        () if fifth(b"TFL3") => Lookalike::TensorFlowLite,
        () if fifth(b"ORTM") => Lookalike::OnnxRuntime,
        () if starts(b"\x89PNG") || starts(b"\xff\xd8\xff") || starts(b"GIF8") || starts(b"RIFF") => Lookalike::Image,
        () if is_safetensors(bytes) => Lookalike::SafeTensors,
        () if matches!(bytes, [0x80, 2..=5, ..]) => Lookalike::Pickle,
        () if is_text(bytes) => text(bytes),
        // A SavedModel: schema version 1, then graphs. A frozen graph: nodes, each with its name first.
        () if starts(b"\x08\x01\x12") || matches!(bytes, [0x0a, _, 0x0a, ..] | [0x0a, _, _, 0x0a, ..]) => {
            Lookalike::TensorFlow
        }
        () => return None,
    })
}

/// A ZIP archive keeps the names of its entries readable; those near the start tell who wrote it.
fn zip(bytes: &[u8]) -> Lookalike {
    let start = bytes.get(..64 * 1024).unwrap_or(bytes);
    let names = |name: &[u8]| start.windows(name.len()).any(|window| window == name);
    match () {
        () if names(b"data.pkl") || names(b"constants.pkl") => Lookalike::PyTorch,
        () if names(b"model.weights.h5") => Lookalike::Keras,
        () => Lookalike::Zip,
    }
}

/// Eight bytes of header length, then the header, which is JSON.
fn is_safetensors(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk() else { return false };
    u64::from_le_bytes(*length) < 1 << 32 && rest.starts_with(b"{\"")
}

/// Whether the first bytes are text: UTF-8 without control characters.
fn is_text(bytes: &[u8]) -> bool {
    let start = bytes.get(..1024).unwrap_or(bytes);
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // The cut may go through a character.
        Err(error) if error.error_len().is_none() => {
            start.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && !text.contains(|c: char| c.is_control() && !c.is_whitespace())
}

fn text(bytes: &[u8]) -> Lookalike {
    let start = String::from_utf8_lossy(bytes.get(..1024).unwrap_or(bytes)).to_lowercase();
    let start = start.trim_start_matches('\u{feff}').trim_start();
    match () {
        () if start.starts_with("<!doctype html") || start.starts_with("<html") => Lookalike::WebPage,
        () if start.starts_with("version https://git-lfs") => Lookalike::GitLfsPointer,
        () if start.starts_with(['<', '{', '[']) => Lookalike::Markup,
        () => Lookalike::Text,
    }
}
