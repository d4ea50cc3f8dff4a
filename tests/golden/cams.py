"""Class activation maps by pytorch-grad-cam, CAM by its definition, Guided Grad-CAM by Captum."""

from unittest import mock

import numpy as np
import torch
from captum.attr import GuidedGradCam
from pytorch_grad_cam import (
    AblationCAM, EigenCAM, EigenGradCAM, FinerCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM, XGradCAM,
)
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

import networks
import onnx
from attributions import output_of
from files import DATA
from references import References

LIBRARY = "pytorch-grad-cam"
# Channels times a thousand and gradients over a thousand have the same weights as they are, up to a factor, but for the
# small numbers that the library adds to divisors.
SCALE = 1e3
SIGNED = {"relu": "false"}


class PlainGradCAMPlusPlus(GradCAMPlusPlus):
    """Without the small number in the divisor, next to which the squares of small gradients vanish."""

    def get_cam_weights(self, tensor, layers, targets, activations, gradients):
        return super().get_cam_weights(tensor, layers, targets, activations / SCALE, gradients * SCALE) / SCALE


class PlainXGradCAM(XGradCAM):
    """The same for sums of activations."""

    def get_cam_weights(self, tensor, layers, targets, activations, gradients):
        return super().get_cam_weights(tensor, layers, targets, activations * SCALE, gradients)


GRADIENT_METHODS = {
    "grad-cam": GradCAM,
    "grad-cam-plus-plus": PlainGradCAMPlusPlus,
    "x-grad-cam": PlainXGradCAM,
    "layer-cam": LayerCAM,
    "hires-cam": HiResCAM,
}


def half_pixels(size):
    """The library enlarges masks with the corners aligned; the project with pixel centres at half-integers, everywhere."""
    return torch.nn.Upsample(size=size, mode="bilinear")


def raw_map(method, call):
    """What a method returns for its one layer, before ReLU, scaling and enlarging; with the layer's values and gradients."""
    kept = []
    base = getattr(method, "base_cam", method)
    inner = base.get_cam_image

    def keep(*arguments):
        kept.append((inner(*arguments)[0], arguments[3], arguments[4]))
        return kept[-1][0][None]

    with mock.patch.object(base, "get_cam_image", keep):
        call(method)
    return kept[0]


def with_sign(values, toward):
    """A singular vector has no sign; the project's is the one with which the map's product with `toward` is not negative."""
    return values if (values * toward).sum() >= 0 else -values


def make_layer(references, name, network, image, target, module, layers, reshape=None):
    """Every method at one layer of a network."""

    def of(method):
        return raw_map(method(network, [module], reshape), lambda cam: cam(image, [ClassifierOutputTarget(target)]))

    def add(method, values, label=None, **given):
        stem = f"{label or method}_{module_names[module]}"
        references.add(name, target, method, values, name=stem, parameters={**SIGNED, **given}, **layers)

    module_names = {module: path for path, module in network.named_modules()}
    for method, implementation in GRADIENT_METHODS.items():
        add(method, of(implementation)[0])
    add("counterfactual-grad-cam", -of(GradCAM)[0])
    values, activations, _ = of(EigenCAM)
    add("eigen-cam", with_sign(values, (activations[0] ** 2).sum(axis=0)), centred="true")
    values, activations, gradients = of(EigenGradCAM)
    add("eigen-grad-cam", with_sign(values, (activations * gradients)[0].sum(axis=0)), centred="true")
    with mock.patch("torch.nn.UpsamplingBilinear2d", half_pixels):
        add("score-cam", of(ScoreCAM)[0], infill="zero")
    finer = FinerCAM(network, [module], reshape)
    values, _, _ = raw_map(finer, lambda cam: cam(image, target_idx=target))
    add("finer-cam", values, comparison="probability")
    if reshape is None:
        with torch.no_grad():
            score = network(image)[0, target].item()
        add("ablation-cam", of(AblationCAM)[0] * np.sign(score))


def several_layers(network, image, target, modules):
    """The mean of the layers' maps, before the library stretches it to 0..1 once more."""
    method = GradCAM(network, modules)
    kept = []

    def keep(maps):
        kept.append(np.concatenate(maps, axis=1).mean(axis=1)[0])
        return kept[0][None]

    with mock.patch.object(method, "aggregate_multi_layers", keep):
        method(image, [ClassifierOutputTarget(target)])
    return kept[0]


def tokens_as_planes(values):
    batch, tokens, channels = values.shape
    side = int((tokens - 1) ** 0.5)
    return values[:, 1:].reshape(batch, side, side, channels).permute(0, 3, 1, 2)


def make():
    references = References("cam", LIBRARY)
    name, target = "residual_batch_norm", 1
    network, images = networks.build(name)
    image = images[:1]
    model = onnx.load(DATA / f"networks/{name}/torchscript.onnx")
    values = {}
    for path in ["block1", "block2"]:
        module = network.get_submodule(path)
        values[path] = networks.value_of(model, image[0].numpy(), output_of(module, network, image))
        make_layer(references, name, network, image, target, module, {"layers": [values[path]]})
    both = [network.block1, network.block2]
    # The library adds 1e-7 to the largest value before dividing by it, which is much where that is small.
    layers = {"layers": list(values.values()), "tolerance": 1e-3}
    references.add(name, target, "grad-cam", several_layers(network, image, target, both), name="grad_cam_both", **layers)

    references.library = "definition"
    planes = torch.tensor(output_of(network.block2, network, image))
    cam = torch.einsum("k,khw->hw", network.head[-1].weight[target].detach(), planes)
    references.add(name, target, "cam", cam)
    references.library = "captum"
    guided = GuidedGradCam(network, network.block1).attribute(image.clone(), target, interpolate_mode="bilinear")
    references.add(name, target, "guided-grad-cam", guided[0].detach(), layers=[values["block1"]])

    references.library = LIBRARY
    name = "vision_transformer"
    network, images = networks.build(name)
    # The layer that is looked at without being named.
    module = network.get_submodule("blocks.1.norm1")
    make_layer(references, name, network, images[:1], target, module, {}, tokens_as_planes)
    references.write()
