//! LayerCAM: a layer's values, each weighted by the positive part of its own gradient, summed over the channels. Since
//! every place has its own weight, early layers of high resolution give usable maps too.
//!
//! Peng-Tao Jiang, Chang-Bin Zhang, Qibin Hou, Ming-Ming Cheng, Yunchao Wei: LayerCAM: Exploring Hierarchical Class
//! Activation Maps for Localization. IEEE Transactions on Image Processing 2021.
//!
//! Departures from the paper: before taking the maximum of several layers it scales their maps by tanh(2 M / max M); here
//! by M / max M, which puts the pixels of the joint map in the same order.

use vitrine_graph::Value;
use vitrine_protocol::{MethodInfo, ParameterKind};

use super::{ONE_OF_EACH, Paper, info};
use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    options::options,
    tap::{Finish, Fusion, Tap, explain_by},
};

options! {
    /// Options of [`LayerCam`].
    pub struct LayerCamOptions {
        /// Whether negative values of the map, which come from negative activations, are set to zero.
        relu: bool [ParameterKind::Boolean] = true,
        /// How the maps of several layers become one, each enlarged to the picture and divided by its largest magnitude.
        fusion: Fusion [Fusion::kind()] = Fusion::Maximum,
    }
}

/// LayerCAM (Jiang et al. 2021).
pub struct LayerCam;

impl Explainer for LayerCam {
    fn info(&self) -> MethodInfo {
        let paper = Paper(
            "Peng-Tao Jiang, Chang-Bin Zhang, Qibin Hou, Ming-Ming Cheng, Yunchao Wei",
            2021,
            "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization",
            "IEEE Transactions on Image Processing",
        );
        let summary = "Gives every place of a layer a weight of its own, so that early, finer layers can be looked \
                       at too. Choose an earlier layer for a sharper map, or several layers for one that is sharp \
                       and certain.";
        info("layer-cam", "LayerCAM", summary, paper, LayerCamOptions::parameters())
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        LayerCamOptions::parse(context.parameters)?;
        Ok(ONE_OF_EACH)
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = LayerCamOptions::parse(context.parameters)?;
            let finish = Finish { relu: options.relu, fusion: options.fusion };
            explain_by(context, layer_cam, finish, options.values()).await
        })
    }
}

fn layer_cam(tap: &Tap) -> Result<Value, ExplainError> {
    tap.weighted(&tap.gradients.map(|gradients| gradients.clamp_min(0.0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, squared_channels};

    /// See `squared_channels`: gradients 2 x and -4 x of activations x and 2 x. Where x is positive the first counts, 2 x^2,
    /// and elsewhere the second, -8 x^2.
    #[test]
    fn every_place_has_the_positive_part_of_its_gradient_for_a_weight() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(squared_channels([1.0, -1.0]), &input).target("0").layer("a");
        let explained = |question: &Question| pollster::block_on(LayerCam.explain(&question.context())).unwrap();
        assert_close(&explained(&question.clone().with("relu", "false")).values, &[2.0, -32.0, 0.0, 32.0], 1e-5);
        assert_close(&explained(&question).values, &[2.0, 0.0, 0.0, 32.0], 1e-5);
    }
}
