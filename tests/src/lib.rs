//! Tests of promises across crates: golden values, browsers.

pub mod architectures;
pub mod conformance;
pub mod critters;
pub mod devices;
pub mod golden;
pub mod metrics;
pub mod properties;
#[cfg(not(target_family = "wasm"))]
pub mod rivals;
pub mod speed;
pub mod toys;
