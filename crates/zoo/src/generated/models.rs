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
        sha256: "c1bdfdbb3cb13f77add1fee00e07cb72d3f3d2cd9565bda68e8e43377de0a0eb",
        #[cfg(feature = "embed")]
        onnx: include_bytes!("../../models/critters-watermark.onnx"),
    },
    Builtin {
        id: "critters-vit",
        card: include_str!("../../models/critters-vit.card.json"),
        file: "critters-vit.onnx",
        sha256: "bbf8123f9a6326d81aff58fe88186b355ed364698e6aec0d8f95d88b639a66d7",
        #[cfg(feature = "embed")]
        onnx: include_bytes!("../../models/critters-vit.onnx"),
    },
    Builtin {
        id: "critters-nobias",
        card: include_str!("../../models/critters-nobias.card.json"),
        file: "critters-nobias.onnx",
        sha256: "59578329d9bfa214ec3539f17f1183e2433c6b5c96098944f2b69e0860ca3432",
        #[cfg(feature = "embed")]
        onnx: include_bytes!("../../models/critters-nobias.onnx"),
    },
    Builtin {
        id: "critters-bagnet",
        card: include_str!("../../models/critters-bagnet.card.json"),
        file: "critters-bagnet.onnx",
        sha256: "9c3b674fbb0d50ad5f95db3bc9ee60d203e02857cfca6a97908ee34ca3490eab",
        #[cfg(feature = "embed")]
        onnx: include_bytes!("../../models/critters-bagnet.onnx"),
    },
    Builtin {
        id: "digits",
        card: include_str!("../../models/digits.card.json"),
        file: "digits.onnx",
        sha256: "625e1205ed65e26771ea0ff42176850268ff4848f728e7c216001ac35ef4fd1c",
        #[cfg(feature = "embed")]
        onnx: include_bytes!("../../models/digits.onnx"),
    },
    Builtin {
        id: "critters-detector",
        card: include_str!("../../models/critters-detector.card.json"),
        file: "critters-detector.onnx",
        sha256: "28267c1226b13ad77fe55d1f14c4bc7d4302c9858c23ed8035adce87be31440e",
        #[cfg(feature = "embed")]
        onnx: include_bytes!("../../models/critters-detector.onnx"),
    },
    Builtin {
        id: "critters-segmenter",
        card: include_str!("../../models/critters-segmenter.card.json"),
        file: "critters-segmenter.onnx",
        sha256: "61687f2b136c6953ef16a00d94560db6ae08122af16faa32f2355ed67706822b",
        #[cfg(feature = "embed")]
        onnx: include_bytes!("../../models/critters-segmenter.onnx"),
    },
];
