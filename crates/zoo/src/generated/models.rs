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
    Builtin {
        id: "critters-watermark",
        card: include_str!("../../models/critters-watermark.card.json"),
        file: "critters-watermark.onnx",
        sha256: "97590cf5297f977cef352da9d8fe86a85c04c7c71f1d2dbde38574c53f591b47",
        #[cfg(feature = "embed")]
        onnx: include_bytes!("../../models/critters-watermark.onnx"),
    },
    Builtin {
        id: "critters-bagnet",
        card: include_str!("../../models/critters-bagnet.card.json"),
        file: "critters-bagnet.onnx",
        sha256: "9c3b674fbb0d50ad5f95db3bc9ee60d203e02857cfca6a97908ee34ca3490eab",
        #[cfg(feature = "embed")]
        onnx: include_bytes!("../../models/critters-bagnet.onnx"),
    },
];
