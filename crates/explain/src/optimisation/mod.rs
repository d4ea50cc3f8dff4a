//! Methods that improve a mask step by step, by gradients, until what it marks decides the answer.

mod extremal_perturbation;
mod fido;
mod learning_to_explain;
mod meaningful_perturbation;
mod shearlet_x;
mod wavelet_x;

pub use extremal_perturbation::{ExtremalPerturbation, ExtremalPerturbationOptions};
pub use fido::{Fido, FidoOptions};
pub use learning_to_explain::{LearningToExplain, LearningToExplainOptions};
pub use meaningful_perturbation::{MeaningfulPerturbation, MeaningfulPerturbationOptions};
pub use shearlet_x::{ShearletX, ShearletXOptions};
pub use wavelet_x::{WaveletX, WaveletXOptions};
