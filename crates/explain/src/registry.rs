//! The one list of methods.

use crate::{
    ExplainError, Explainer,
    cam::{
        AblationCam, Cam, CounterfactualGradCam, EigenCam, EigenGradCam, FinerCam, GradCam, GradCamPlusPlus,
        GuidedGradCam, HiresCam, LayerCam, ScoreCam, SmoothGradCamPlusPlus, XGradCam,
    },
    gradient::{Deconvnet, FullGrad, GuidedBackprop, InputXGradient, LowPass, NormGrad, Saliency, SmoothGrad},
    optimisation::{ExtremalPerturbation, Fido, LearningToExplain, MeaningfulPerturbation, ShearletX, WaveletX},
    path::{
        Bee, BlurIg, Conductance, CrediblePath, CrossDomainIg, Dix, ExpectedGradients, GuidedIg, Idgi, Iia,
        IntegratedGradients, InternalInfluence, LayerIg, NeuronConductance, NeuronIg, Samp, Xrai,
    },
    propagation::{DeepLift, DeepShap, ExcitationBackprop, Lrp, SalientRelevance},
    sampling::{
        Banzhaf, CausalEffectMap, Coar, FeatureAblation, Hsic, KernelShap, Lime, Occlusion, PartitionShap,
        PermutationShap, Rise, RmsPda, ShapleySampling, Smdl, Sobol, VisualPrecisionSearch, Wcam,
    },
    visualisation::{ActivationMaximisation, ClassModelVisualisation, Maco},
};

/// Every method, in menu order.
pub const METHODS: &[&dyn Explainer] = &[
    &Saliency,
    &InputXGradient,
    &SmoothGrad,
    &GuidedBackprop,
    &Deconvnet,
    &FullGrad,
    &NormGrad,
    &LowPass,
    &IntegratedGradients,
    &ExpectedGradients,
    &GuidedIg,
    &BlurIg,
    &Idgi,
    &Samp,
    &CrediblePath,
    &Bee,
    &CrossDomainIg,
    &LayerIg,
    &Conductance,
    &InternalInfluence,
    &Iia,
    &Dix,
    &NeuronIg,
    &NeuronConductance,
    &Xrai,
    &GradCam,
    &GradCamPlusPlus,
    &SmoothGradCamPlusPlus,
    &XGradCam,
    &LayerCam,
    &HiresCam,
    &Cam,
    &CounterfactualGradCam,
    &FinerCam,
    &GuidedGradCam,
    &EigenCam,
    &EigenGradCam,
    &ScoreCam,
    &AblationCam,
    &Lrp,
    &DeepLift,
    &DeepShap,
    &ExcitationBackprop,
    &SalientRelevance,
    &Occlusion,
    &FeatureAblation,
    &Rise,
    &Sobol,
    &Wcam,
    &Hsic,
    &Lime,
    &KernelShap,
    &ShapleySampling,
    &PermutationShap,
    &PartitionShap,
    &Banzhaf,
    &CausalEffectMap,
    &RmsPda,
    &Smdl,
    &VisualPrecisionSearch,
    &Coar,
    &MeaningfulPerturbation,
    &ExtremalPerturbation,
    &Fido,
    &LearningToExplain,
    &WaveletX,
    &ShearletX,
    &ClassModelVisualisation,
    &Maco,
    &ActivationMaximisation,
];

/// Other names that methods go by, without hyphens.
const ALSO: &[(&str, &str)] = &[
    ("activationmaximization", "activation-maximisation"),
    ("cem", "causal-effect-map"),
    ("classmodelvisualization", "class-model-visualisation"),
    ("deconvolution", "deconvnet"),
    ("extremalperturbations", "extremal-perturbation"),
    ("forgrad", "low-pass"),
    ("gradientshap", "expected-gradients"),
    ("gradientxinput", "input-x-gradient"),
    ("guidedbackpropagation", "guided-backprop"),
    ("ig", "integrated-gradients"),
    ("l2x", "learning-to-explain"),
    ("owen", "partition-shap"),
    ("shap", "kernel-shap"),
    ("smdlattribution", "smdl"),
    ("vps", "visual-precision-search"),
];

/// The method of this id, or of another name that it goes by; case, hyphens and underscores do not matter.
///
/// # Errors
/// [`ExplainError::UnknownMethod`] with the ids there are.
pub fn find(id: &str) -> Result<&'static dyn Explainer, ExplainError> {
    let plain = |name: &str| name.to_lowercase().replace('+', "plus").replace(['-', '_', ' '], "");
    let wanted = plain(id);
    let wanted = ALSO.iter().find(|(other, _)| *other == wanted).map_or(wanted, |(_, id)| plain(id));
    METHODS.iter().copied().find(|method| plain(&method.info().id) == wanted).ok_or_else(|| {
        let known = METHODS.iter().map(|method| method.info().id).collect();
        ExplainError::UnknownMethod { id: id.to_owned(), known }
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use vitrine_protocol::{Family, MethodInfo};

    use super::*;

    /// Ids of the method files: every file in a family's folder but its `mod.rs`.
    fn ids_of_files() -> BTreeSet<String> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        [
            Family::Gradient,
            Family::Path,
            Family::Cam,
            Family::Propagation,
            Family::Sampling,
            Family::Optimisation,
            Family::Visualisation,
        ]
        .iter()
        .flat_map(|family| fs::read_dir(source.join(family.to_string())).unwrap())
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().replace('_', "-"))
        .filter(|name| name != "mod")
        .collect()
    }

    #[test]
    fn every_method_file_is_registered_and_every_method_has_its_file() {
        let registered: BTreeSet<String> = METHODS.iter().map(|method| method.info().id).collect();
        assert_eq!(registered, ids_of_files());
        assert_eq!(registered.len(), METHODS.len(), "two methods share an id");
    }

    #[test]
    fn an_unknown_method_is_refused_with_the_known_ones() {
        let error = find("magic").err().unwrap().to_string();
        assert!(error.starts_with("There is no method \"magic\"; the methods are saliency, "), "{error}");
        assert!(error.contains(", grad-cam, ") && error.ends_with(", activation-maximisation."), "{error}");
        assert_eq!(find("rise").unwrap().info().name, "RISE");
    }

    #[test]
    fn a_method_answers_to_its_other_names() {
        for (name, id) in [("GradCAM++", "grad-cam-plus-plus"), ("integrated_gradients", "integrated-gradients")] {
            assert_eq!(find(name).unwrap().info().id, id);
        }
        for (name, id) in ALSO {
            assert_eq!(find(name).unwrap().info().id, *id);
        }
    }

    #[test]
    fn every_summary_is_two_plain_sentences() {
        for MethodInfo { id, summary, .. } in METHODS.iter().map(|method| method.info()) {
            let sentences: Vec<&str> = summary.split_inclusive(['.', '?', '!']).map(str::trim).collect();
            assert_eq!(sentences.len(), 2, "{id}: {sentences:?}");
            for sentence in sentences {
                assert!(sentence.starts_with(char::is_uppercase) && sentence.ends_with('.'), "{id}: {sentence:?}");
                assert!(sentence.split(' ').count() >= 5, "{id}: {sentence:?}");
            }
            assert!(!summary.contains(['=', '*', '/', '^', '|', '<', '>', '_', '`']), "{id}: a formula in {summary:?}");
            assert!(summary.chars().count() <= 260, "{id}: {} characters", summary.chars().count());
        }
    }

    #[test]
    fn every_default_is_within_its_own_range() {
        for parameter in METHODS.iter().flat_map(|method| method.info().parameters) {
            let read = parameter.kind.parse(&parameter.default.to_string());
            assert_eq!(read.as_ref(), Ok(&parameter.default), "{parameter:?}");
            assert!(parameter.help.ends_with('.'), "the help of {} is no sentence: {:?}", parameter.id, parameter.help);
        }
    }
}
