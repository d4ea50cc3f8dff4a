//! Written by `cargo xtask train`, together with the files it names.

use crate::Sample;

pub(crate) const CRITTERS_SHA256: &str = "742cfd9c9af19c69c2bc2622f7cdd328ce8c57449b43848ad58d4ff24f7a2227";

pub(crate) const SAMPLES: &[Sample] = &[
    Sample {
        label: "wendle",
        file: "wendle.png",
        seed: 8589934599,
        png: include_bytes!("../samples/wendle.png"),
    },
    Sample {
        label: "dorrow",
        file: "dorrow.png",
        seed: 8589934781,
        png: include_bytes!("../samples/dorrow.png"),
    },
    Sample {
        label: "gullip",
        file: "gullip.png",
        seed: 8589934803,
        png: include_bytes!("../samples/gullip.png"),
    },
    Sample {
        label: "pibbit",
        file: "pibbit.png",
        seed: 8589934707,
        png: include_bytes!("../samples/pibbit.png"),
    },
    Sample {
        label: "lumpet",
        file: "lumpet.png",
        seed: 8589934785,
        png: include_bytes!("../samples/lumpet.png"),
    },
    Sample {
        label: "fennick",
        file: "fennick.png",
        seed: 8589934802,
        png: include_bytes!("../samples/fennick.png"),
    },
];
