"""Integrated gradients and Grad-CAM by Captum, on two of the networks."""

import numpy as np
import onnx
import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam
from captum.attr._utils.approximation_methods import approximation_parameters

import networks
from files import DATA, fresh_folder, require_close, save, single_precision, subfolder, write_section

# Captum's names of the quadrature rules, and the project's.
RULES = {
    "gausslegendre": "gauss-legendre",
    "riemann_left": "left",
    "riemann_right": "right",
    "riemann_middle": "middle",
    "riemann_trapezoid": "trapezoid",
}
STEPS = [50, 7]
# The class explained and the modules that Grad-CAM looks at, so that every map has both signs. Networks with a max pool
# would be a bad choice: where a window's values are equal (zeros after a ReLU, anything for a constant baseline), the
# gradient goes to whichever an implementation takes for the largest.
SUBJECTS = [("squeeze_excite", 2, ["block1", "block2"]), ("residual_batch_norm", 1, ["block1", "block2"])]


def make():
    cases = []
    part = fresh_folder("captum")
    for name, target, layers in SUBJECTS:
        network, images = networks.build(name)
        folder = subfolder(part, name)
        torch.manual_seed(7)
        given = 0.5 * torch.randn(1, *images.shape[1:])
        baselines = [("zero", torch.zeros_like(given), None), ("given", given, save(folder / "baseline.npy", given[0]))]
        shared = {"model": f"networks/{name}/torchscript.onnx", "input": f"networks/{name}/input.npy", "image": 0}
        for kind, baseline, baseline_file in baselines:
            for rule in RULES:
                for steps in STEPS:
                    stem = f"integrated_gradients_{RULES[rule]}_{steps}_{kind}".replace("-", "_")
                    made = integrated_gradients(network, images[:1], baseline, target, rule, steps, folder / stem)
                    cases.append({"name": f"{name}_{stem}", **shared, "baseline": baseline_file, **made})
        model = onnx.load(DATA / shared["model"])
        for layer in layers:
            stem = f"grad_cam_{layer}".replace(".", "_")
            module = network.get_submodule(layer)
            value = networks.value_of(model, images[0].numpy(), output_of(module, network, images[:1]))
            made = grad_cam(network, images[:1], module, target, folder / stem)
            cases.append({"name": f"{name}_{stem}", **shared, "layer": value, **made})
    write_section("captum", cases)


def output_of(module, network, image):
    kept = []
    handle = module.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    with torch.no_grad():
        network(image)
    handle.remove()
    return kept[0][0].numpy()


def integrated_gradients(network, image, baseline, target, rule, steps, stem):
    """One map, with the sum of the rule's weights and the completeness gap as Captum computes it."""
    attribution, gap = IntegratedGradients(network).attribute(
        image, baseline, target=target, n_steps=steps, method=rule, return_convergence_delta=True
    )
    weights, points = (compute(steps) for compute in approximation_parameters(rule))
    require_close(stem.name, attribution, by_hand(network, image, baseline, target, weights, points), 5e-5)
    with torch.no_grad():
        at_image, at_baseline = (network(x)[0, target].item() for x in (image, baseline))
    return {
        "method": "integrated-gradients",
        "target": target,
        "rule": RULES[rule],
        "steps": steps,
        "weight_sum": float(np.sum(weights)),
        "prediction": single_precision(at_image),
        "baseline_prediction": single_precision(at_baseline),
        "completeness_gap": single_precision(gap.item()),
        "attribution": save(stem.with_suffix(".npy"), attribution[0].detach()),
    }


def by_hand(network, image, baseline, target, weights, points):
    """The rule written out in double precision, a hair beside the path: the result must not hinge on ties or kinks."""
    network, image, baseline = network.double(), image.double(), baseline.double()
    beside = 1e-7 * torch.randn(image.shape, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    weights, points = (torch.tensor(values, dtype=torch.double).reshape(-1, 1, 1, 1) for values in (weights, points))
    path = (baseline + points * (image - baseline) + beside).requires_grad_()
    gradients = torch.autograd.grad(network(path)[:, target].sum(), path)[0]
    network.float()
    return (weights * gradients).sum(dim=0, keepdim=True) * (image - baseline)


def grad_cam(network, image, module, target, stem):
    """The map at a module without and with ReLU, and the latter enlarged to the image's size."""
    method = LayerGradCam(network, module)
    raw, rectified = (method.attribute(image, target, relu_attributions=relu).detach() for relu in (False, True))
    if not (rectified > 0).any() or not (raw < 0).any():
        print(f"  {stem.name}: the map has one sign only, so its two versions say little about ReLU")
    enlarged = LayerAttribution.interpolate(rectified, image.shape[2:], "bilinear")
    return {
        "method": "grad-cam",
        "target": target,
        "without_relu": save(stem.with_name(f"{stem.name}_without_relu.npy"), raw[0, 0]),
        "with_relu": save(stem.with_name(f"{stem.name}_with_relu.npy"), rectified[0, 0]),
        "enlarged": save(stem.with_name(f"{stem.name}_enlarged.npy"), enlarged[0, 0]),
    }
