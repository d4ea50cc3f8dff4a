"""Path methods: those at layers and neurons and GradientSHAP by Captum, guided and blur integrated gradients by PAIR's
`saliency`, IDGI by its published equation in PyTorch."""

import importlib
import importlib.util
import sys
import types

import numpy as np
import onnx
import torch
from captum.attr import (
    GradientShap,
    IntegratedGradients,
    InternalInfluence,
    LayerConductance,
    LayerIntegratedGradients,
    NeuronConductance,
    NeuronIntegratedGradients,
)

import networks
from attributions import output_of
from files import DATA, save
from references import References

# Networks without max pools, see `attributions.py`: class explained and modules looked at.
SUBJECTS = [
    ("squeeze_excite", 2, ["block1", "block2"]),
    ("residual_batch_norm", 1, ["block1", "block2"]),
    ("vision_transformer", 3, []),
]
NEURON = (3, 2, 5)


def make():
    make_captum()
    make_saliency()
    make_idgi()


def make_captum():
    references = References("paths", "captum")
    for name, target, layers in SUBJECTS:
        network, images = networks.build(name)
        image, baseline = images[:1], given_baseline(images)
        file = save(references.folder / f"{name}_baseline.npy", baseline[0])
        model = onnx.load(DATA / "networks" / name / "torchscript.onnx")
        for layer in layers:
            module = network.get_submodule(layer)
            value = networks.value_of(model, images[0].numpy(), output_of(module, network, image))
            for method, parameters, made in at_layer(network, module, image, baseline, target):
                stem = "_".join([method, layer, *parameters.values()])
                parameters = {"baseline": file, **parameters}
                references.add(name, target, method, made[0].detach(), stem, layers=[value], parameters=parameters)
        if not layers:
            made = IntegratedGradients(network).attribute(image, baseline, target=target, n_steps=20)
            parameters = {"steps": "20", "baseline": file}
            references.add(name, target, "integrated-gradients", made[0].detach(), "ig", parameters=parameters)
        make_gradient_shap(references, name, network, images, target)
    references.write()


def given_baseline(images):
    torch.manual_seed(7)
    return 0.5 * torch.randn(1, *images.shape[1:])


def at_layer(network, module, image, baseline, target):
    """Method, parameters and map, for every method that looks at a layer."""
    shared = {"target": target, "n_steps": 20}
    yield "layer-ig", {"steps": "20"}, LayerIntegratedGradients(network, module).attribute(image, baseline, **shared)
    # With Captum's trapezoid the points of conductance are equally spaced, and each gradient is the one before a change.
    trapezoid = LayerConductance(network, module).attribute(image, baseline, method="riemann_trapezoid", **shared)
    yield "conductance", {"steps": "20", "gradient": "left"}, trapezoid
    yield "internal-influence", {"steps": "20"}, InternalInfluence(network, module).attribute(image, baseline, **shared)
    at = dict(zip(("channel", "row", "column"), map(str, NEURON)))
    neuron = NeuronIntegratedGradients(network, module).attribute(image, NEURON, baseline, n_steps=20)
    yield "neuron-ig", {"steps": "20", **at}, neuron
    # Its rule is the trapezoid if none is named.
    conductance = NeuronConductance(network, module).attribute(image, NEURON, baseline, method="gausslegendre", **shared)
    yield "neuron-conductance", {"steps": "20", **at}, conductance


def make_gradient_shap(references, name, network, images, target):
    """Captum's draws are NumPy's, a reference and a position for each sample; they are written down to be repeated."""
    samples, baselines = 12, 0.5 * torch.randn(3, *images.shape[1:], generator=torch.Generator().manual_seed(5))
    np.random.seed(3)
    made = GradientShap(network).attribute(images[:1], baselines, n_samples=samples, stdevs=0.0, target=target)
    np.random.seed(3)
    # In Captum's order: all references of a sample's batch, then all positions.
    chosen = np.random.choice(len(baselines), samples)
    positions = np.random.uniform(0.0, 1.0, samples).astype(np.float32)
    by_hand = sum(at_draw(network, images[:1], baselines[[c]], float(p), target) for c, p in zip(chosen, positions))
    difference = (by_hand / samples - made).abs().max() / made.abs().max()
    if difference > 1e-4:
        raise ValueError(f"the draws are not Captum's: the maps differ by {difference:.1e}")
    files = [save(references.folder / f"{name}_reference{i}.npy", baseline) for i, baseline in enumerate(baselines)]
    draws = [[int(c), float(p)] for c, p in zip(chosen, positions)]
    references.add(
        name, target, "expected-gradients", made[0].detach(), "gradient_shap", references=files, draws=draws
    )


def at_draw(network, image, reference, position, target):
    point = (reference + position * (image - reference)).requires_grad_()
    return torch.autograd.grad(network(point)[0, target], point)[0] * (image - reference)


def make_saliency():
    guided_ig, blur_ig = saliency_modules("guided_ig", "blur_ig")
    references = References("paths_saliency", "saliency")
    for name, target, _ in SUBJECTS:
        network, images = networks.build(name)
        image, baseline = images[0].numpy(), given_baseline(images)[0]
        file = save(references.folder / f"{name}_baseline.npy", baseline)
        for steps, fraction, distance in [(20, 0.25, 0.02), (30, 0.5, 0.2), (10, 0.1, 1.0)]:
            made = guided_ig.GuidedIG().GetMask(
                image, gradients(network, target), None, baseline.numpy(), steps, fraction, distance
            )
            parameters = {"steps": str(steps), "fraction": str(fraction), "max-distance": str(distance), "baseline": file}
            stem = f"guided_ig_{steps}_{fraction}_{distance}"
            references.add(name, target, "guided-ig", made, stem, parameters=parameters)
        for steps, sigma in [(20, 4.0), (50, 10.0)]:
            # Channels come last there.
            turned = gradients(network, target, channels_last=True)
            made = blur_ig.BlurIG().GetMask(np.moveaxis(image, 0, 2).astype(np.float64), turned, None, sigma, steps)
            parameters = {"steps": str(steps), "max-sigma": str(sigma), "spacing": "even", "rule": "left"}
            references.add(name, target, "blur-ig", np.moveaxis(made, 2, 0), f"blur_ig_{steps}", parameters=parameters)
    references.write()


def make_idgi():
    references = References("paths_equations", "the paper's equation in PyTorch")
    for name, target, _ in SUBJECTS:
        network, images = networks.build(name)
        image, baseline = images[:1], given_baseline(images)
        file = save(references.folder / f"{name}_baseline.npy", baseline[0])
        made = idgi(network, image, baseline, target, 20)
        references.add(name, target, "idgi", made, "idgi", parameters={"steps": "20", "baseline": file})
    references.write()


def idgi(network, image, baseline, target, steps):
    """The sum over the steps of the change of the score, shared by the squares of the gradient before it."""
    positions = torch.linspace(0, 1, steps + 1).reshape(-1, 1, 1, 1)
    points = (baseline + positions * (image - baseline)).requires_grad_()
    scores = network(points)[:, target]
    squares = torch.autograd.grad(scores.sum(), points)[0][:-1] ** 2
    shares = squares / squares.sum(dim=(1, 2, 3), keepdim=True)
    return (scores.diff().detach().reshape(-1, 1, 1, 1) * shares).sum(dim=0)


def saliency_modules(*names):
    """Modules of `saliency` without its package, which needs TensorFlow and scikit-image for other methods."""
    folder = importlib.util.find_spec("saliency").submodule_search_locations[0]
    for package, path in [("saliency", folder), ("saliency.core", f"{folder}/core")]:
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = [path]
    modules = [importlib.import_module(f"saliency.core.{name}") for name in names]
    for module in modules:
        module.np = OlderNumpy()
    return modules


class OlderNumpy:
    """NumPy with the old name of an argument, which `saliency` uses."""

    def __getattr__(self, name):
        return getattr(np, name)

    def quantile(self, values, fraction, interpolation):
        return np.quantile(values, fraction, method=interpolation)


def gradients(network, target, channels_last=False):
    """The function that `saliency` asks for gradients, in float32 as everywhere."""

    def call(batch, call_model_args=None, expected_keys=None):
        batch = torch.tensor(np.asarray(batch), dtype=torch.float32)
        points = (batch.movedim(-1, 1) if channels_last else batch).requires_grad_()
        found = torch.autograd.grad(network(points)[:, target].sum(), points)[0]
        return {"INPUT_OUTPUT_GRADIENTS": (found.movedim(1, -1) if channels_last else found).numpy().astype(np.float64)}

    return call
