//! Methods that look at many masked copies of the input, by forward passes alone.

mod rise;

pub use rise::{Normalisation, Rise, RiseOptions};
