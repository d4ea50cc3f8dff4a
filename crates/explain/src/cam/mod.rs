//! Class activation maps: weighted sums of a layer's channels.

mod grad_cam;

pub use grad_cam::{GradCam, GradCamOptions};
