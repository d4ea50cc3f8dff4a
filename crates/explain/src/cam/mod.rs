//! Class activation maps: weighted sums of a layer's channels.

mod grad_cam;

use vitrine_protocol::{Family, MethodInfo, Need, Parameter, Promise, Reference};

pub use grad_cam::{GradCam, GradCamOptions};

/// Where a method was published.
struct Paper {
    authors: &'static str,
    year: u16,
    title: &'static str,
    venue: &'static str,
}

/// What CAMs by one forward and one backward pass say of themselves.
fn by_gradient(id: &str, name: &str, summary: &str, paper: Paper, parameters: Vec<Parameter>) -> MethodInfo {
    MethodInfo {
        id: id.to_owned(),
        name: name.to_owned(),
        family: Family::Cam,
        summary: summary.to_owned(),
        reference: Reference {
            authors: paper.authors.to_owned(),
            year: paper.year,
            title: paper.title.to_owned(),
            venue: paper.venue.to_owned(),
        },
        needs: vec![Need::Forward, Need::Gradient, Need::SpatialLayer],
        parameters,
        promises: vec![Promise::ZeroForConstantModel],
    }
}
