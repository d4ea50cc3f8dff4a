//! What a file that is no ONNX model looks like.

/// What people hand in under the name of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookalike {
    /// A web page, often an error page saved by a download.
    WebPage,
}

impl Lookalike {
    pub(crate) fn advice(self) -> &'static str {
        ""
    }
}

impl std::fmt::Display for Lookalike {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a web page")
    }
}
