"""The built-in model on its sample images: probabilities, input gradients, integrated gradients, Grad-CAM."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from PIL import Image

from attributions import grad_cam, integrated_gradients
from files import Disagreement, fresh_folder, require_close, save, write_section
from onnx_network import OnnxNetwork
from rise import softmax
from runtime import run

ZOO = Path(__file__).parents[2] / "crates" / "zoo"
EXPLAINED = 2  # not all images, to keep the data small


def make():
    path = ZOO / "models" / "critters.onnx"
    samples = sorted((ZOO / "samples").glob("*.png"))
    if not path.exists() or not samples:
        raise SystemExit(f"error: the built-in model or its samples are missing from {ZOO.name}; train it first")
    card = json.loads(path.with_suffix(".card.json").read_text())
    model = onnx.load(path)
    network = OnnxNetwork(model).eval()
    images = np.stack([preprocess(sample, card["input"]) for sample in samples])
    logits = run(model, images)
    with torch.no_grad():
        require_close("PyTorch and ONNX Runtime", network(torch.from_numpy(images)), logits, 1e-6)

    folder = fresh_folder("critters")
    cases = {
        "model": "crates/zoo/models/critters.onnx",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "samples": [f"crates/zoo/samples/{sample.name}" for sample in samples],
        "logits": save(folder / "logits.npy", logits),
        "probabilities": save(folder / "probabilities.npy", softmax(logits)),
        "explained": [],
    }
    black = torch.from_numpy(normalise(np.zeros_like(images[:1].transpose(0, 2, 3, 1)), card["input"]))
    for index, sample in enumerate(samples):
        if len(cases["explained"]) == EXPLAINED:
            break
        # A ReLU input so near zero that single precision may take either side changes a whole patch of the gradient;
        # with some hundred thousand of them at 50 points of a path that happens, and then there is no golden value.
        try:
            image, target = torch.from_numpy(images[index : index + 1]), int(logits[index].argmax())
            explained = explain(network, image, black, target, card["target-layer"], folder / sample.stem)
            cases["explained"].append({"sample": index, "target": target} | explained)
        except Disagreement as reason:
            print(f"  {sample.name} is passed over: {reason}")
    if len(cases["explained"]) < EXPLAINED:
        raise ValueError("too few samples have well-defined explanations")
    write_section("critters", cases)


def explain(network, image, black, target, layer, stem):
    """Everything about one image; files are written only when all checks have passed."""
    gradient = input_gradient(network, image, target)
    double = input_gradient(network.double(), image.double(), target)
    network.float()
    require_close(f"{stem.name}: gradient in single and double precision", gradient, double, 1e-5)
    named = lambda what: stem.with_name(f"{stem.name}_{what}")
    integrated = integrated_gradients(
        network, image, black, target, "gausslegendre", 50, named("integrated_gradients")
    )
    return {
        "input_gradient": save(named("input_gradient.npy"), gradient[0]),
        "integrated_gradients": integrated,
        "grad_cam": {"layer": layer} | grad_cam(network, image, network.maker_of(layer), target, named("grad_cam")),
    }


def preprocess(path, card):
    """Pixels to the input tensor, as the model card says; the samples have the input's size already."""
    picture = Image.open(path).convert("RGB")
    if picture.size != (card["width"], card["height"]):
        raise ValueError(f"{path.name} is {picture.size}, the model takes {card['width']}x{card['height']}")
    return normalise(np.asarray(picture, np.float32)[None], card)[0]


def normalise(pixels, card):
    """[N, H, W, 3] of 0 to 255 becomes [N, 3, H, W]: scaled to the card's range, minus its mean, over its deviation."""
    if card.get("layout", "NCHW") != "NCHW" or card.get("channels", "rgb") != "rgb":
        raise ValueError("only RGB images in NCHW order are written here")
    low, high = card.get("range", [0.0, 1.0])
    mean, deviation = card.get("mean") or [0.0] * 3, card.get("std") or [1.0] * 3
    scaled = low + pixels.astype(np.float64) / 255.0 * (high - low)
    return np.ascontiguousarray(((scaled - mean) / deviation).transpose(0, 3, 1, 2), dtype=np.float32)


def input_gradient(network, image, target):
    image = image.clone().requires_grad_()
    return torch.autograd.grad(network(image)[0, target], image)[0].detach()
