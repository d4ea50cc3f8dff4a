"""Exports well-known architectures by both exporters of PyTorch, with what PyTorch and ONNX Runtime compute; README.md
describes the files.

    python tests/conformance/architectures.py                               all, into tests/conformance/architectures
    python tests/conformance/architectures.py --only resnet18 --folder DIR  one (or several) of them, somewhere else
"""

import argparse
import json
import re
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np
import onnx
import onnxruntime
import timm
import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torchvision import models
from torchvision.models import detection, segmentation

LIBRARIES = (torch, torchvision, timm, onnx, onnxruntime)
IMAGES = 200  # tried until two are well conditioned
BESIDE = 6  # images tried around each
CONDITIONED = 1e-4  # relative difference of input gradients that are a rounding error apart


class Selected(nn.Module):
    """A segmentation network whose outputs are a tuple instead of a dictionary."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return tuple(self.network(x).values())


class DetectorHeads(nn.Module):
    """A detector's backbone and heads, before anchors are decoded and overlaps removed."""

    def __init__(self, detector):
        super().__init__()
        self.backbone, self.head = detector.backbone, detector.head

    def forward(self, x):
        outputs = self.head(list(self.backbone(x).values()))
        return outputs["bbox_regression"], outputs["cls_logits"]


class Detector(nn.Module):
    """A whole detector on one image: resizing, backbone, heads, anchors, suppression of overlaps."""

    def __init__(self, detector):
        super().__init__()
        self.detector = detector

    def forward(self, x):
        found = self.detector([x[0]])[0]
        return found["boxes"], found["scores"], found["labels"]


def ssdlite():
    return detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None)


@dataclass
class Architecture:
    """A network, the side of its square images, and what its outputs are called."""

    build: Callable
    side: int = 64
    outputs: tuple = ("logits",)
    whole_batch: bool = True  # whether several images can be given at once
    shift: float = 0.0  # mean of batch norm's biases: the higher, the fewer ReLUs are near zero


def classifier(name, side=64, shift=0.0, **options):
    return Architecture(lambda: getattr(models, name)(weights=None, **options), side, shift=shift)


# Adaptive pooling to 6x6 or 7x7 exports only from multiples of that size: AlexNet and VGG keep their 224 pixels. Swin at
# 112 has shifted windows in its first two stages and padded ones in its last; MaxViT's windows divide every stage. Deep
# networks of batch norm and ReLU get 32 or 48 pixels, some a shift too: otherwise one of so many ReLUs is always at zero.
ARCHITECTURES = {
    "alexnet": classifier("alexnet", 224),
    "vgg11_bn": classifier("vgg11_bn", 224, shift=1.5),
    "resnet18": classifier("resnet18"),
    "resnet50": classifier("resnet50", 32),
    "resnext50_32x4d": classifier("resnext50_32x4d", 32),
    "wide_resnet50_2": classifier("wide_resnet50_2", 32, shift=1.0),
    "densenet121": classifier("densenet121", 32),
    "inception_v3": classifier("inception_v3", 96, 1.5, aux_logits=False, init_weights=False),
    "googlenet": classifier("googlenet", 48, aux_logits=False, init_weights=False),
    "mobilenet_v2": classifier("mobilenet_v2"),
    "mobilenet_v3_small": classifier("mobilenet_v3_small"),
    "shufflenet_v2_x1_0": classifier("shufflenet_v2_x1_0"),
    "squeezenet1_1": classifier("squeezenet1_1"),
    "mnasnet1_0": classifier("mnasnet1_0"),
    "efficientnet_b0": classifier("efficientnet_b0"),
    "efficientnet_v2_s": classifier("efficientnet_v2_s"),
    "regnet_x_400mf": classifier("regnet_x_400mf", 32),
    "regnet_y_400mf": classifier("regnet_y_400mf", 32),
    "convnext_tiny": classifier("convnext_tiny"),
    "vit_b_16": classifier("vit_b_16", image_size=64),
    "swin_t": classifier("swin_t", 112),
    "swin_v2_t": classifier("swin_v2_t", 112),
    "maxvit_t": Architecture(
        lambda: models.MaxVit(
            (96, 96), stem_channels=64, partition_size=3, block_channels=[64, 128, 256, 512],
            block_layers=[2, 2, 5, 2], head_dim=32, stochastic_depth_prob=0.2,
        ),
        96,
    ),
    "fcn_resnet50": Architecture(
        lambda: Selected(segmentation.fcn_resnet50(weights=None, weights_backbone=None, aux_loss=True)),
        32,
        outputs=("out", "aux"),
        shift=1.5,
    ),
    "deeplabv3_mobilenet_v3_large": Architecture(
        lambda: Selected(segmentation.deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None)),
        outputs=("out",),
    ),
    "lraspp_mobilenet_v3_large": Architecture(
        lambda: Selected(segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None)),
        outputs=("out",),
    ),
    "ssdlite320_mobilenet_v3_large_heads": Architecture(
        lambda: DetectorHeads(ssdlite()), 64, outputs=("bbox_regression", "cls_logits")
    ),
    "ssdlite320_mobilenet_v3_large": Architecture(
        lambda: Detector(ssdlite()), 320, outputs=("boxes", "scores", "labels"), whole_batch=False
    ),
    "deit_tiny_patch16": Architecture(lambda: timm.create_model("deit_tiny_patch16_224", img_size=64)),
    "mixer_s16": Architecture(lambda: timm.create_model("mixer_s16_224", img_size=64)),
    "poolformer_s12": Architecture(lambda: timm.create_model("poolformer_s12")),
}


def build(name):
    """An architecture in evaluation mode with seeded weights."""
    torch.manual_seed(list(ARCHITECTURES).index(name))
    architecture = ARCHITECTURES[name]
    network = architecture.build()
    enliven(network, architecture.shift)
    if architecture.whole_batch:
        settle_batch_norm(network, architecture.side)
    return network.eval()


def enliven(network, shift):
    """Weights under which no block is idle: several architectures start with zero or tiny scales, heads and positions,
    behind which a wrong block would not be noticed."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            gain = 2.0 if isinstance(module, nn.Conv2d) else 1.0
            nn.init.normal_(module.weight, std=(gain / module.weight[0].numel()) ** 0.5)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.05)
        elif isinstance(module, (nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)) and module.weight is not None:
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, mean=shift if isinstance(module, nn.BatchNorm2d) else 0.0, std=0.2)
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # statistics are the average over all passes
        for name, parameter in module.named_parameters(recurse=False):
            if "scale" in name or name in ("gamma", "gamma_1", "gamma_2"):
                if name != "logit_scale":
                    nn.init.uniform_(parameter, 0.3, 0.7)
            elif any(part in name for part in ("token", "position", "pos_embed", "pos_embedding")):
                nn.init.normal_(parameter, std=0.3)


@torch.no_grad()
def settle_batch_norm(network, side):
    """Statistics of the activations that the seeded weights give, over three batches."""
    network.train()
    for _ in range(3):
        network(torch.randn(8, 3, side, side))


def flat(outputs):
    return list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]


def objective_weights(outputs):
    """What the explained scalar weighs the outputs with, per image: the top logit counts alone; maps, boxes and scores
    all count, with random weights."""
    weights = []
    for output in outputs:
        if output.dim() == 2:
            weights.append(F.one_hot(output.argmax(dim=1), output.shape[1]).float())
        elif output.is_floating_point():
            weights.append(torch.randn(output.shape))
        else:
            weights.append(torch.zeros(output.shape))
    return weights


def explained(network, images, weights):
    """The explained scalar of each image, and its gradient at the image."""
    images = images.clone().requires_grad_()
    outputs = flat(network(images))
    terms = [(output * weight.to(output.dtype)).flatten(1).sum(dim=1) for output, weight in zip(outputs, weights)]
    scalars = torch.stack(terms).sum(dim=0)
    return scalars.detach(), torch.autograd.grad(scalars.sum(), images)[0]


def relative_error(found, expected):
    found, expected = (np.asarray(array, np.float64) for array in (found, expected))
    if found.shape != expected.shape:
        return float("inf")
    return float(np.abs(found - expected).max(initial=0) / max(np.abs(expected).max(initial=0), 1e-12))


def conditioning(network, image, weights, gradient):
    """How far the gradient moves under other roundings: in double precision, by PyTorch's own convolutions, and a hair
    beside the image. Ends at the first that is too far."""
    with torch.backends.mkldnn.flags(enabled=False):
        worst = relative_error(gradient, explained(network, image, weights)[1])
    for _ in range(BESIDE):
        if worst < CONDITIONED:
            beside = image + 1e-6 * torch.randn(image.shape)
            worst = max(worst, relative_error(gradient, explained(network, beside, weights)[1]))
    if worst < CONDITIONED:
        worst = max(worst, relative_error(gradient, explained(network.double(), image.double(), weights)[1]))
        network.float()
    return worst


def reference(name, network):
    """Two images at which rounding does not decide the gradient (a ReLU at zero, a tie in a max pool), with weights of
    the outputs, scalars and gradients by PyTorch."""
    side = ARCHITECTURES[name].side
    found = []
    for seed in range(IMAGES):
        torch.manual_seed(1000 + seed)
        image = torch.randn(1, 3, side, side)
        with torch.no_grad():
            weights = objective_weights(flat(network(image)))
        scalars, gradient = explained(network, image, weights)
        found.append((conditioning(network, image, weights, gradient), seed, image, weights, scalars, gradient))
        found = sorted(found, key=lambda candidate: candidate[:2])[:2]
        if len(found) == 2 and found[1][0] < CONDITIONED:
            break
    worst, _, images, weights, scalars, gradients = zip(*found)
    return max(worst), torch.cat(images), [torch.cat(both) for both in zip(*weights)], torch.cat(scalars), torch.cat(gradients)


def torchscript(network, images, path, names, fixed):
    axes = {} if fixed else {"dynamic_axes": {name: {0: "batch"} for name in ("input", *names)}}
    torch.onnx.export(
        network, (images[:1] if fixed else images,), path, dynamo=False, input_names=["input"], output_names=names, **axes
    )


def dynamo(network, images, path, names, fixed):
    shapes = {} if fixed else {"dynamic_shapes": ({0: torch.export.Dim("batch")},)}
    program = torch.onnx.export(
        network, (images[:1] if fixed else images,), dynamo=True, verbose=False, input_names=["input"],
        output_names=names, **shapes,
    )
    program.save(path, external_data=False)


EXPORTERS = {"torchscript": torchscript, "dynamo": dynamo}
SELECTING = {"NonMaxSuppression", "NonZero"}
ONE_IMAGE = "_one_image"  # after an exporter's name: for one image, as both export unless told otherwise


def first_line(error):
    while error.__cause__:  # an exporter wraps what was raised in advice
        error = error.__cause__
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error))  # colours for a terminal
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300] if lines else ''}"


def export(exporter, network, images, path, architecture):
    """Writes the file: for any batch size, or, where that cannot be, for one image. Returns why not for any."""
    reason = None
    exporter, one_image = exporter.removesuffix(ONE_IMAGE), exporter.endswith(ONE_IMAGE)
    for fixed in (False, True):
        if not fixed and (one_image or not architecture.whole_batch):
            reason = None if one_image else "takes one image"
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                EXPORTERS[exporter](network, images, path, list(architecture.outputs), fixed)
            if not fixed:
                run(path, images)  # a baked-in batch size shows here
                run(path, images[:1])
            return fixed, reason
        except Exception as error:  # whatever an exporter raises is the finding
            if fixed:
                raise
            reason = first_line(error)
    raise AssertionError("unreachable")


def run(model, images):
    """Every output of a file or model by ONNX Runtime, without graph optimisations: the file as it is written."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    model = model.SerializeToString() if isinstance(model, onnx.ModelProto) else str(model)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images.numpy()})


def make(name, exporters, folder):
    """One architecture's files and its entries of the index."""
    architecture = ARCHITECTURES[name]
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    network = build(name)
    shared = {}
    if architecture.whole_batch:
        conditioning, images, weights, scalars, gradient = reference(name, network)
        shared = {
            "weights": [save(folder, place / f"weights_{at}.npy", weight) for at, weight in enumerate(weights)],
            "scalars": scalars.tolist(),
            "input_gradient": save(folder, place / "input_gradient.npy", gradient),
            "conditioning": conditioning,
        }
    else:
        images = torch.rand(2, 3, architecture.side, architecture.side)
    shared["input"] = save(folder, place / "input.npy", images)
    entries = []
    for exporter in exporters:
        path = place / f"{exporter}.onnx"
        path.unlink(missing_ok=True)
        entry = {"architecture": name, "exporter": exporter, "side": architecture.side, **shared}
        entries.append(entry)
        try:
            entry["fixed_batch"], reason = export(exporter, network, images, path, architecture)
        except Exception as error:
            entry["not_exported"] = first_line(error)
            continue
        if reason:
            entry["fixed_because"] = reason
        graph = onnx.load(path)
        entry |= {
            "model": path.relative_to(folder).as_posix(),
            "opset": max(opset.version for opset in graph.opset_import if opset.domain in ("", "ai.onnx")),
            "operators": operators(graph),
            "parameters": int(sum(np.prod(tensor.dims) for tensor in graph.graph.initializer)),
        }
        single = [run(path, images[at : at + 1]) for at in range(2)]
        entry["outputs"] = []
        for at, output in enumerate(architecture.outputs):
            if single[0][at].shape[1:] != single[1][at].shape[1:]:
                entry["uncompared"] = "the number of detections depends on the image"
                continue
            values = np.concatenate([outputs[at] for outputs in single])
            entry["outputs"].append({"name": output, "values": save(folder, place / f"{exporter}_{at}.npy", values)})
        entry["before_selection"] = [
            {"name": inner, "values": save(folder, place / f"{exporter}_before_{at}.npy", values)}
            for at, (inner, values) in enumerate(before_selection(graph, images).items())
        ]
        if architecture.whole_batch:
            with torch.no_grad():
                expected = [output.numpy() for output in flat(network(images))]
            found = [np.load(folder / output["values"]) for output in entry["outputs"]]
            entry["runtime_error"] = max(relative_error(a, b) for a, b in zip(found, expected))
    return entries


def before_selection(model, images):
    """The numbers from which a detector selects: what is read by the first nodes whose outputs are as long as what they
    find, and by every node behind them; each image alone, stacked."""
    moving, behind, read = {model.graph.input[0].name}, set(), {}
    for node in model.graph.node:
        if node.op_type in SELECTING or behind.intersection(node.input):
            behind.update(node.output)
            read |= dict.fromkeys(name for name in node.input if name in moving)
        elif moving.intersection(node.input):
            moving.update(node.output)
    if not read:
        return {}
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in read)
    single = [run(model, images[at : at + 1]) for at in range(2)]
    floats = {name: values for name, *values in zip(read, *single) if values[0].dtype == np.float32 and values[0].ndim}
    return {name: np.concatenate(values) for name, values in floats.items()}


def operators(model):
    """Every operator of the file and of its functions, with its domain unless it is ONNX's own."""
    names = set()

    def walk(nodes):
        for node in nodes:
            names.add(node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}")
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.GRAPH:
                    walk(attribute.g.node)

    walk(model.graph.node)
    for function in model.functions:
        walk(function.node)
    return sorted(names)


def save(folder, path, array):
    np.save(path, np.ascontiguousarray(np.asarray(array), dtype=np.float32))
    return path.relative_to(folder).as_posix()


def write_index(folder, entries):
    """Replaces the entries of the architectures just made and keeps the others."""
    path = folder / "index.json"
    old = json.loads(path.read_text())["entries"] if path.exists() else []
    made = {(entry["architecture"], entry["exporter"]) for entry in entries}
    kept = [entry for entry in old if (entry["architecture"], entry["exporter"]) not in made]
    order = list(ARCHITECTURES)
    both = sorted(kept + entries, key=lambda entry: (order.index(entry["architecture"]), entry["exporter"]))
    versions = {library.__name__: library.__version__ for library in LIBRARIES}
    not_made = [name for name in order if not any(entry["architecture"] == name for entry in both)]
    path.write_text(json.dumps({"versions": versions, "not_made": not_made, "entries": both}, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(ARCHITECTURES), default=list(ARCHITECTURES), metavar="NAME")
    parser.add_argument(
        "--exporter", nargs="+", choices=[*EXPORTERS, *(name + ONE_IMAGE for name in EXPORTERS)], default=list(EXPORTERS)
    )
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "architectures")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # one order of summation, and no waiting for busy cores
    for name in arguments.only:
        start = time.monotonic()
        entries = make(name, arguments.exporter, arguments.folder)
        write_index(arguments.folder, entries)
        for entry in entries:
            state = entry.get("not_exported") or (
                f"{'fixed' if entry['fixed_batch'] else 'any'} batch, opset {entry['opset']}, "
                f"runtime differs by {entry.get('runtime_error', 0):.1e}, conditioning {entry.get('conditioning', 0):.1e}"
                f" {entry.get('fixed_because', '')}"
            )
            print(f"{name} by {entry['exporter']}: {state}", flush=True)
        print(f"  {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
