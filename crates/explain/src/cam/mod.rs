//! Class activation maps: weighted sums of a layer's channels.

mod ablation_cam;
#[allow(clippy::module_inception, reason = "the method that gave the family its name")]
mod cam;
mod counterfactual_grad_cam;
mod eigen_cam;
mod eigen_grad_cam;
mod finer_cam;
mod grad_cam;
mod grad_cam_plus_plus;
mod guided_grad_cam;
mod hires_cam;
mod layer_cam;
mod score_cam;
mod smooth_grad_cam_plus_plus;
mod x_grad_cam;

use vitrine_protocol::{Family, MethodInfo, Need, Parameter, Promise, Reference};

use crate::Cost;

pub use ablation_cam::{AblationCam, AblationCamOptions};
pub use cam::{Cam, CamOptions};
pub use counterfactual_grad_cam::{CounterfactualGradCam, CounterfactualGradCamOptions};
pub use eigen_cam::{EigenCam, EigenCamOptions};
pub use eigen_grad_cam::{EigenGradCam, EigenGradCamOptions};
pub use finer_cam::{Comparison, FinerCam, FinerCamOptions};
pub use grad_cam::{GradCam, GradCamOptions};
pub use grad_cam_plus_plus::{GradCamPlusPlus, GradCamPlusPlusOptions};
pub use guided_grad_cam::{GuidedGradCam, GuidedGradCamOptions};
pub use hires_cam::{HiresCam, HiresCamOptions};
pub use layer_cam::{LayerCam, LayerCamOptions};
pub use score_cam::{Form, ScoreCam, ScoreCamOptions, Weights};
pub use smooth_grad_cam_plus_plus::{SmoothGradCamPlusPlus, SmoothGradCamPlusPlusOptions};
pub use x_grad_cam::{XGradCam, XGradCamOptions};

/// One forward and one backward pass.
const ONE_OF_EACH: Cost = Cost { forward_passes: 1, backward_passes: 1 };

/// Where a method was published: authors, year, title, venue.
struct Paper(&'static str, u16, &'static str, &'static str);

/// Grad-CAM's paper, which proposes three of the family.
const GRAD_CAM: Paper = Paper(
    "Ramprasaath R. Selvaraju, Michael Cogswell, Abhishek Das, Ramakrishna Vedantam, Devi Parikh, Dhruv Batra",
    2017,
    "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization",
    "ICCV",
);

/// Eigen-CAM's paper, on which two of the family stand.
const EIGEN_CAM: Paper = Paper(
    "Mohammed Bany Muhammad, Mohammed Yeasin",
    2020,
    "Eigen-CAM: Class Activation Map using Principal Components",
    "IJCNN",
);

/// What CAMs say of themselves; those that need no gradient, or promise anything else, change it.
fn info(id: &str, name: &str, summary: &str, paper: Paper, parameters: Vec<Parameter>) -> MethodInfo {
    let Paper(authors, year, title, venue) = paper;
    MethodInfo {
        id: id.to_owned(),
        name: name.to_owned(),
        family: Family::Cam,
        summary: summary.to_owned(),
        reference: Reference { authors: authors.to_owned(), year, title: title.to_owned(), venue: venue.to_owned() },
        needs: vec![Need::Forward, Need::Gradient, Need::SpatialLayer],
        parameters,
        promises: vec![Promise::ZeroForConstantModel],
    }
}

/// A method that is a combination of a layer's values and gradients, and nothing else but an option `relu`.
macro_rules! by_gradient {
    ($(#[$meta:meta])* $name:ident, $options:ident, $id:literal, $title:literal, $summary:literal, $paper:expr, $combination:path) => {
        $(#[$meta])*
        pub struct $name;

        impl $crate::Explainer for $name {
            fn info(&self) -> vitrine_protocol::MethodInfo {
                super::info($id, $title, $summary, $paper, $options::parameters())
            }

            fn cost(&self, context: &$crate::Context<'_>) -> Result<$crate::Cost, $crate::ExplainError> {
                $options::parse(context.parameters)?;
                Ok(super::ONE_OF_EACH)
            }

            fn explain<'a>(
                &'a self,
                context: &'a $crate::Context<'a>,
            ) -> $crate::LocalBoxFuture<'a, Result<$crate::Attribution, $crate::ExplainError>> {
                Box::pin(async move {
                    let options = $options::parse(context.parameters)?;
                    let finish = $crate::tap::Finish::new(options.relu);
                    $crate::tap::explain_by(context, $combination, finish, options.values()).await
                })
            }
        }
    };
}
use by_gradient;
