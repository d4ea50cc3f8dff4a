"""Saliency, input times gradient, guided backpropagation and deconvnet by Captum; FullGrad and NormGrad by their published
equations, in PyTorch."""

import onnx
import torch
from captum.attr import Deconvolution, GuidedBackprop, InputXGradient, Saliency
from torch import nn
from torch.nn import functional as F

import networks
from attributions import output_of
from files import DATA, require_close
from references import References

SUBJECTS = [("plain_convnet", 2), ("residual_batch_norm", 1), ("vision_transformer", 3)]
BIASED = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)


def make():
    by_captum, by_equations = References("gradient", "captum"), References("gradient_equations", "the paper's equations in PyTorch")
    for name, target in SUBJECTS:
        network, images = networks.build(name)
        image = images[:1]
        gradient = Saliency(network).attribute(image.clone(), target, abs=False)[0].detach()
        by_captum.add(name, target, "saliency", gradient, map=gradient.abs().amax(dim=0))
        for method, library in [
            ("input-x-gradient", InputXGradient), ("guided-backprop", GuidedBackprop), ("deconvnet", Deconvolution)
        ]:
            values = library(network).attribute(image.clone(), target)[0].detach()
            by_captum.add(name, target, method, values, map=values.sum(dim=0))
        if name != "vision_transformer":
            by_equations.add(name, target, "full-grad", full_grad(network, image, target))
    add_norm_grad(by_equations, *SUBJECTS[1])
    by_captum.write()
    by_equations.write()


def full_grad(network, image, target):
    """The sum over psi of input times gradient and of each spatial layer's bias times gradient. Of a network of ReLUs all
    shares, those without a place included, sum to the logit."""
    outputs = []
    handles = [
        module.register_forward_hook(lambda module, _, output: outputs.append((module, output)))
        for module in network.modules() if isinstance(module, BIASED)
    ]
    image = image.clone().requires_grad_()
    logit = network(image)[0, target]
    for handle in handles:
        handle.remove()
    gradients = torch.autograd.grad(logit, [image, *(output for _, output in outputs)])
    shares = [image * gradients[0]]
    for (module, output), gradient in zip(outputs, gradients[1:]):
        bias = bias_of(module)
        if bias is not None:
            shares.append(gradient * bias.reshape(1, -1, *[1] * (output.dim() - 2)))
    require_close("the sum of all shares", sum(share.sum() for share in shares).detach(), logit.detach(), 1e-5)
    maps = [psi(share, image.shape[2:]) for share in shares if share.dim() == 4]
    return sum(maps)[0, 0].detach()


def bias_of(module):
    if isinstance(module, nn.BatchNorm2d):
        return module.bias - module.weight * module.running_mean / (module.running_var + module.eps).sqrt()
    return module.bias


def psi(share, size):
    magnitude = share.abs()
    scaled = (magnitude - magnitude.min()) / (magnitude.max() - magnitude.min())
    return F.interpolate(scaled.sum(dim=1, keepdim=True), size, mode="bilinear", align_corners=False)


def add_norm_grad(references, name, target):
    """Two layers of a network, and their product."""
    network, images = networks.build(name)
    image = images[:1]
    model = onnx.load(DATA / f"networks/{name}/torchscript.onnx")
    made = norm_grad(network, image, target, ["block1", "block2"])
    values = {
        module: networks.value_of(model, image[0].numpy(), output_of(network.get_submodule(module), network, image))
        for module in made
    }
    for module, maps in made.items():
        for identity, map in maps.items():
            references.add(
                name, target, "norm-grad", map, name=f"norm_grad_{module}_{identity}",
                parameters={"identity": identity}, layers=[values[module]],
            )
    shares = [maps["convolution"] / maps["convolution"].max() for maps in made.values()]
    enlarged = [
        F.interpolate(share[None, None], image.shape[2:], mode="bilinear", align_corners=False)[0, 0] for share in shares
    ]
    product = enlarged[0] * enlarged[1]
    references.add(name, target, "norm-grad", product, name="norm_grad_product", layers=list(values.values()), map=product)


def norm_grad(network, image, target, modules):
    """For each of some modules' outputs the maps by the identities of the paper, [h, w]."""
    kept = {}
    handles = [
        network.get_submodule(name).register_forward_hook(lambda _m, _i, output, name=name: kept.update({name: output}))
        for name in modules
    ]
    logit = network(image)[0, target]
    for handle in handles:
        handle.remove()
    gradients = torch.autograd.grad(logit, list(kept.values()))
    return {name: identities(kept[name].detach(), gradient) for name, gradient in zip(kept, gradients)}


def identities(activation, gradient):
    height, width = activation.shape[2:]
    unfolded = F.unfold(activation, 3, padding=1).reshape(1, -1, height, width)
    return {
        "convolution": (activation.norm(dim=1) * gradient.norm(dim=1))[0],
        "3x3": (unfolded.norm(dim=1) * gradient.norm(dim=1))[0],
        "scaling": (activation * gradient).norm(dim=1)[0],
        "bias": gradient.norm(dim=1)[0],
    }
