//! Tests of promises across crates: golden values, browsers.

pub mod golden;
pub mod properties;
pub mod toys;
