"""Small PyTorch networks, exported by both exporters, with their outputs and gradients."""

from dataclasses import dataclass

import numpy as np
import onnx
import torch

import architectures
from exporting import export_dynamo, export_torchscript
from files import fresh_folder, relative, require_close, save, subfolder, write_section
from runtime import inner_values, run

TARGETS = [1, 3]  # the class explained, per image


@dataclass
class Case:
    """One network and how it is exported."""

    name: str
    build: type
    image: tuple  # channels, height, width
    inner: str  # the module whose output gets its gradient recorded
    fixed_batch: bool = False  # exported for one image at a time
    keep_batch_norm: bool = False  # by the TorchScript exporter; the other one always folds what it can


CASES = [
    Case("plain_convnet", architectures.PlainConvnet, (3, 16, 16), inner="stage1"),
    Case("residual_batch_norm", architectures.ResidualBatchNorm, (3, 16, 16), inner="block2", keep_batch_norm=True),
    Case("grouped_dilated_conv", architectures.GroupedDilatedConv, (3, 20, 24), inner="dilated"),
    Case("pooling_variants", architectures.PoolingVariants, (3, 20, 24), inner="ceil_max"),
    Case("squeeze_excite", architectures.SqueezeExcite, (3, 16, 16), inner="block1"),
    Case("pixel_attention", architectures.PixelAttention, (3, 16, 16), inner="stem"),
    Case("fixed_batch_reshape", architectures.FixedBatchReshape, (3, 16, 16), inner="shuffled", fixed_batch=True),
    Case("upsampling_head", architectures.UpsamplingHead, (3, 20, 24), inner="bottom"),
    Case("dense_concat", architectures.DenseConcat, (3, 16, 16), inner="dense2", fixed_batch=True),
    Case("activation_functions", architectures.ActivationFunctions, (3, 16, 16), inner="stem"),
    Case("reductions", architectures.Reductions, (3, 16, 16), inner="stem"),
    Case("vision_transformer", architectures.VisionTransformer, (3, 16, 16), inner="blocks.0"),
]


def build(name):
    """A case's network in evaluation mode and its two images, the same on every call."""
    case = next(case for case in CASES if case.name == name)
    torch.manual_seed(CASES.index(case))
    network = architectures.with_lively_batch_norm(case.build()).eval()
    return network, torch.randn(2, *case.image)


def make():
    cases = []
    part = fresh_folder("networks")
    for case in CASES:
        cases.extend(make_case(case, part))
    write_section("networks", cases)


def make_case(case, part):
    network, images = build(case.name)
    folder = subfolder(part, case.name)

    output, gradient, inner, inner_gradient = gradients(network, images, case.inner)
    check_conditioning(case, network, images, gradient)
    shared = {
        "input": save(folder / "input.npy", images),
        "output": save(folder / "output.npy", output),
        "input_gradient": save(folder / "input_gradient.npy", gradient),
        "inner_output": save(folder / "inner_output.npy", inner),
        "inner_gradient": save(folder / "inner_gradient.npy", inner_gradient),
        "targets": TARGETS,
    }
    cases = []
    for exporter, export in [("torchscript", export_torchscript), ("dynamo", export_dynamo)]:
        model = export(network, images, case)
        require_close(f"{case.name} by {exporter}", run(model, images.numpy()), output, 1e-5)
        path = folder / f"{exporter}.onnx"
        onnx.save(model, path)
        operators = sorted({node.op_type for node in model.graph.node})
        cases.append({
            "name": f"{case.name}_{exporter}",
            "model": relative(path),
            "fixed_batch": case.fixed_batch,
            "operators": operators,
            **shared,
            "inner_value": value_of(model, images[0].numpy(), inner[0]),
        })
    return cases


def gradients(network, images, inner_name):
    """Outputs, the gradient of the sum of the targets' outputs at the images, and the same at an inner module."""
    kept = {}
    handle = network.get_submodule(inner_name).register_forward_hook(lambda _m, _i, output: kept.update(inner=output))
    images = images.clone().requires_grad_()
    output = network(images)
    handle.remove()
    total = output[torch.arange(len(images)), torch.tensor(TARGETS)].sum()
    at_images, at_inner = torch.autograd.grad(total, [images, kept["inner"]])
    return [tensor.detach().numpy() for tensor in (output, at_images, kept["inner"], at_inner)]


def check_conditioning(case, network, images, gradient):
    """The gradient must not hinge on rounding (a ReLU at zero, a tie in a max pool): in double precision and a hair
    beside the images it is the same."""
    beside = images.double() + 1e-7 * torch.randn(images.shape, dtype=torch.double)
    _, double, _, _ = gradients(network.double(), beside, case.inner)
    network.float()
    require_close(f"{case.name}: gradient in single and double precision", gradient, double, 1e-5)


def value_of(model, image, expected):
    """Name of the first value in the graph that holds what a PyTorch module returned."""
    for name, value in inner_values(model, image).items():
        if value.shape[1:] == expected.shape and np.allclose(value[0], expected, rtol=1e-4, atol=1e-5):
            return name
    raise ValueError("no value of the graph equals the module's output")
