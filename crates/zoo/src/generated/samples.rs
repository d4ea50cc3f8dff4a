//! Written by `cargo xtask train critters`, together with the files it names.

use crate::Sample;

pub(crate) const SAMPLES: &[Sample] = &[
    Sample {
        label: "wendle",
        file: "wendle.png",
        seed: 8589934629,
        png: include_bytes!("../../samples/wendle.png"),
        parts: Some(include_bytes!("../../samples/wendle.parts.png")),
    },
    Sample {
        label: "bimble",
        file: "bimble.png",
        seed: 8589935000,
        png: include_bytes!("../../samples/bimble.png"),
        parts: Some(include_bytes!("../../samples/bimble.parts.png")),
    },
    Sample {
        label: "pibbit",
        file: "pibbit.png",
        seed: 8589935257,
        png: include_bytes!("../../samples/pibbit.png"),
        parts: Some(include_bytes!("../../samples/pibbit.parts.png")),
    },
    Sample {
        label: "mirrow",
        file: "mirrow.png",
        seed: 8589935256,
        png: include_bytes!("../../samples/mirrow.png"),
        parts: Some(include_bytes!("../../samples/mirrow.parts.png")),
    },
    Sample {
        label: "fennick",
        file: "fennick.png",
        seed: 8589935272,
        png: include_bytes!("../../samples/fennick.png"),
        parts: Some(include_bytes!("../../samples/fennick.parts.png")),
    },
    Sample {
        label: "dorrow",
        file: "dorrow.png",
        seed: 8589934871,
        png: include_bytes!("../../samples/dorrow.png"),
        parts: Some(include_bytes!("../../samples/dorrow.parts.png")),
    },
    Sample {
        label: "crowd",
        file: "crowd.png",
        seed: 8589934603,
        png: include_bytes!("../../samples/crowd.png"),
        parts: None,
    },
    Sample {
        label: "digit",
        file: "digit.png",
        seed: 8589934594,
        png: include_bytes!("../../samples/digit.png"),
        parts: None,
    },
];
