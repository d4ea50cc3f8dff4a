"""Occlusion, feature ablation and exact Shapley values by Captum, on networks of `networks.py`."""

import torch
from captum.attr import FeatureAblation, Occlusion, ShapleyValues

import networks
from references import References

SUBJECTS = [("plain_convnet", 2), ("residual_batch_norm", 1), ("vision_transformer", 3)]
# What stands for a removed part, in tensor space.
INFILL = 0.25
# Window and stride: overlapping, side by side, and one that sticks out at the end.
WINDOWS = [((4, 4), (2, 2)), ((3, 5), (3, 5)), ((6, 6), (4, 4))]


def make():
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
    references.write()


def by(size):
    return "x".join(map(str, size))


def grid(rows, columns, height, width):
    """The cell of every pixel."""
    down, across = torch.arange(height) * rows // height, torch.arange(width) * columns // width
    return (down[:, None] * columns + across)[None, None]


def add(references, name, target, method, values, parameters):
    values = values.detach()
    references.add(name, target, method, values, map=values[0], parameters=parameters)
