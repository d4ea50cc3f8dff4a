//! Eigen-CAM: where a layer's values lie farthest along the direction in which they vary most over the picture. It needs no
//! gradient and does not know which class is asked for: it shows what the layer attends to.
//!
//! Mohammed Bany Muhammad, Mohammed Yeasin: Eigen-CAM: Class Activation Map using Principal Components. IJCNN 2020.
//!
//! Departures from the paper: a singular vector has no sign. Here it is the one with which the map is positive where the
//! layer's energy (the sum of the squares of a place's values) is, in the sum of their products. `centred` takes each
//! channel's mean out before, as pytorch-grad-cam does; the paper does not say so.

use vitrine_protocol::{MethodInfo, Need, ParameterKind};

use super::{EIGEN_CAM, info};
use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture, channels::record, layers::chosen_layers,
    observer::Progress, options::options, principal::project, tap::Finish,
};

options! {
    /// Options of [`EigenCam`].
    pub struct EigenCamOptions {
        /// Whether negative values of the map are set to zero.
        relu: bool [ParameterKind::Boolean] = false,
        /// Whether each channel's mean is taken out first, so that the direction is that of the largest variance.
        centred: bool [ParameterKind::Boolean] = false,
    }
}

/// Eigen-CAM (Muhammad, Yeasin 2020).
pub struct EigenCam;

impl Explainer for EigenCam {
    fn info(&self) -> MethodInfo {
        let summary = "Shows what stands out most at a layer, whatever the answer. It is quick and calm, but it is \
                       the same for every class, so it cannot say why one of them won.";
        MethodInfo {
            needs: vec![Need::Forward, Need::SpatialLayer],
            promises: Vec::new(),
            ..info("eigen-cam", "Eigen-CAM", summary, EIGEN_CAM, EigenCamOptions::parameters())
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        EigenCamOptions::parse(context.parameters)?;
        Ok(Cost { forward_passes: 1, backward_passes: 0 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = EigenCamOptions::parse(context.parameters)?;
    let layers = chosen_layers(context)?;
    let mut progress = Progress::start(context.observer, 1);
    let (prediction, recorded) = record(context, &layers).await?;
    progress.advance(1).await?;
    let mut made =
        Attribution { prediction, forward_passes: 1, parameters: options.values(), ..Attribution::default() };
    made.notes.push("The map does not depend on the class: it shows what stands out at the layer.".to_owned());
    let mut maps = Vec::new();
    for (layer, recorded) in layers.iter().zip(&recorded) {
        let [height, width] = layer.size();
        let mut energy = vec![0.0; height * width];
        for plane in recorded.planes(layer) {
            energy.iter_mut().zip(plane).for_each(|(sum, value)| *sum += value * value);
        }
        let projection = project(&recorded.planes, layer.channels(), options.centred, &energy);
        made.notes.extend(projection.note(&layer.name));
        maps.push(projection.values);
    }
    Finish::new(options.relu).attribution(context, &layers, maps, made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, two_channels};

    /// All places lie along (1, 2): at x their distance is x times the root of 5. Most energy is where x is 4.
    #[test]
    fn the_map_is_the_projection_on_the_strongest_direction() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(two_channels([3.0, -4.0]), &input).layer("a");
        let explained = |question: &Question| pollster::block_on(EigenCam.explain(&question.context())).unwrap();
        assert_close(&explained(&question).values, &input.map(|x| x * 5.0_f32.sqrt()), 1e-6);
        let centred = explained(&question.with("centred", "true"));
        assert_close(&centred.values, &input.map(|x| (x - 0.75) * 5.0_f32.sqrt()), 1e-6);
        assert_eq!((centred.forward_passes, centred.backward_passes), (1, 0));
    }
}
