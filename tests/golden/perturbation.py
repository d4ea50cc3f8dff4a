"""Occlusion, feature ablation, Shapley values, LIME and KernelSHAP by Captum, XRAI by PAIR saliency, on networks of `networks.py`."""

import numpy as np
import saliency.core as saliency
import torch
from captum._utils.models.linear_model import SkLearnLasso, SkLearnRidge
from captum.attr import FeatureAblation, IntegratedGradients, KernelShap, Lime, Occlusion, ShapleyValues
from skimage.morphology import dilation, disk

import networks
from references import References

SUBJECTS = [("plain_convnet", 2), ("residual_batch_norm", 1), ("vision_transformer", 3)]
# What stands for a removed part, in tensor space.
INFILL = 0.25
# Window and stride: overlapping, side by side, and one that sticks out at the end.
WINDOWS = [((4, 4), (2, 2)), ((3, 5), (3, 5)), ((6, 6), (4, 4))]


# Cells, samples and kernel width of the surrogates.
SURROGATE_CELLS, SAMPLES, WIDTH = (3, 4), 200, 0.25

# Cells of XRAI, and how far they are widened: in pixels of a picture of 224 x 224, and in those of the images.
CELLS, WIDEN = (3, 5), 28


def make():
    make_xrai()
    references = References("perturbation", "captum")
    for name, target in SUBJECTS:
        network, images = networks.build(name)
        image = images[:1]
        infill = {"infill": f"value:{INFILL}"}
        for window, stride in WINDOWS:
            channels = image.shape[1]
            values = Occlusion(network).attribute(
                image, sliding_window_shapes=(channels, *window), strides=(channels, *stride), baselines=INFILL, target=target
            )[0]
            add(references, name, target, "occlusion", values, {"window": by(window), "stride": by(stride), **infill})
        for rows, columns in [(2, 2), (3, 5)]:
            mask = grid(rows, columns, *image.shape[2:])
            values = FeatureAblation(network).attribute(image, baselines=INFILL, target=target, feature_mask=mask)[0]
            add(references, name, target, "feature-ablation", values, {"regions": f"grid:{rows}x{columns}", **infill})
        for rows, columns in [(2, 2), (1, 5)]:
            mask = grid(rows, columns, *image.shape[2:])
            values = ShapleyValues(network).attribute(image, baselines=INFILL, target=target, feature_mask=mask)[0]
            regions = {"regions": f"grid:{rows}x{columns}", **infill}
            add(references, name, target, "shapley-sampling", values, {"exact": "true", **regions})
            # With every coalition the surrogate's coefficients are the Shapley values.
            add(references, name, target, "kernel-shap", values, {"samples": "64", **regions})
        add_surrogates(references, network, name, image, target)
    references.write()


def add_surrogates(references, network, name, image, target):
    """LIME and KernelSHAP with samples that are drawn here; LIME's weights are those of its authors, not Captum's."""
    mask = grid(*SURROGATE_CELLS, *image.shape[2:])
    regions = SURROGATE_CELLS[0] * SURROGATE_CELLS[1]
    shared = {"regions": f"grid:{by(SURROGATE_CELLS)}", "infill": f"value:{INFILL}"}
    random = np.random.default_rng(5)
    halves = random.integers(0, 2, (SAMPLES, regions))
    halves[0] = 1
    # Sizes by the Shapley kernel, without the empty and the whole coalition, which Captum puts before all others.
    sizes = np.arange(1, regions)
    kernel = 1 / (sizes * (regions - sizes))
    drawn = np.zeros((SAMPLES, regions), int)
    for row in drawn:
        row[random.permutation(regions)[: random.choice(sizes, p=kernel / kernel.sum())]] = 1

    def samples(rows):
        def generate(_, **given):
            for row in rows:
                yield torch.tensor(row[None], dtype=torch.float)

        return generate

    def near(_, __, kept, **given):
        distance = 1 - (kept.sum() / kept.numel()).sqrt()
        return (-0.5 * (distance / WIDTH) ** 2).exp()

    for surrogate, alpha, model in [("ridge", 1.0, SkLearnRidge), ("lasso", 0.001, SkLearnLasso)]:
        lime = Lime(network, model(alpha=alpha), similarity_func=near, perturb_func=samples(halves))
        values = lime.attribute(image, INFILL, target, feature_mask=mask, n_samples=SAMPLES)[0]
        given = {"surrogate": surrogate, "alpha": str(alpha), "kernel-width": str(WIDTH), **shared}
        add(references, name, target, "lime", values, given, coalitions=halves)
    shap = KernelShap(network)
    shap.perturb_func = samples(np.concatenate([np.zeros((1, regions)), np.ones((1, regions)), drawn]))
    values = shap.attribute(image, INFILL, target, feature_mask=mask, n_samples=SAMPLES + 2)[0]
    # Captum gives the empty and the whole coalition a weight of a million, which is not quite infinite.
    add(references, name, target, "kernel-shap", values, shared, name="kernel-shap-sampled", coalitions=drawn, tolerance=1e-3)


def by(size):
    return "x".join(map(str, size))


def grid(rows, columns, height, width):
    """The cell of every pixel."""
    down, across = torch.arange(height) * rows // height, torch.arange(width) * columns // width
    return (down[:, None] * columns + across)[None, None]


def add(references, network, target, method, values, parameters, **given):
    values = values.detach()
    references.add(network, target, method, values, map=values[0], parameters=parameters, **given)


def make_xrai():
    """The map is that of integrated gradients; XRAI takes the largest channel, so it gets their sum in each."""
    references = References("xrai", "PAIR saliency")
    for name, target in SUBJECTS[:2]:
        network, images = networks.build(name)
        image = images[:1]
        height, width = image.shape[2:]
        gradients = IntegratedGradients(network).attribute(image, INFILL, target, n_steps=50, method="gausslegendre")
        base = gradients[0].detach().sum(dim=0, keepdim=True).expand_as(image[0]).permute(1, 2, 0).numpy()
        labels = grid(*CELLS, height, width)[0, 0].numpy()
        radius = round(WIDEN * np.sqrt(height * width) / 224)
        segments = [dilation(labels == label, disk(radius)).astype(bool) for label in range(CELLS[0] * CELLS[1])]
        parameters = saliency.XRAIParameters(algorithm="full")
        parameters.experimental_params["min_pixel_diff"] = 1
        values = saliency.XRAI().GetMask(
            image[0].permute(1, 2, 0).numpy(), None, segments=segments, base_attribution=base, extra_parameters=parameters
        )
        given = {"regions": f"grid:{by(CELLS)}", "widen": str(WIDEN), "method.baseline": f"value:{INFILL}"}
        references.add(name, target, "xrai", torch.from_numpy(values.astype(np.float32)), parameters=given)
    references.write()
