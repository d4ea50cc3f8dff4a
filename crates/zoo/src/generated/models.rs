//! Written by `cargo xtask train`, together with the files it names.

use crate::Builtin;

pub(crate) const MODELS: &[Builtin] = &[
    Builtin {
        id: "critters",
        card: include_str!("../../models/critters.card.json"),
        file: "critters.onnx",
        sha256: "06ce92e0ee070be6f14e655c39cfc173eaf3fbecaf89b388c3a233d7235f8dd7",
        #[cfg(feature = "embed")]
        onnx: include_bytes!("../../models/critters.onnx"),
    },
];
