"""Prints how many milliseconds Captum and pytorch-grad-cam take for each method: MODEL LAYER INPUT THREADS FOLDER.

As tests/benches/methods.rs does, which runs it: the same input, the best class, the methods in the same order with the same
samples and steps; batches are as large as the libraries make them. RISE, which they do not have, is the loop that one would
write in PyTorch. The maps are left in the folder.
"""

import math
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import torch
from captum.attr import LRP, IntegratedGradients, NoiseTunnel, Saliency
from pytorch_grad_cam import GradCAM, ScoreCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from network import Network

# Runs after the first, and the seconds from which the first one counts.
RUNS = 3
LONG = 5

# Masks of RISE, images in one of its batches, cells along each side, and the probability that a cell is kept.
MASKS = 256
BATCH = 16
GRID = 7
KEEP = 0.5


def main():
    path, layer, file, threads, folder = sys.argv[1:]
    if int(threads):
        torch.set_num_threads(int(threads))
    model = onnx.load(path)
    shape = [dimension.dim_value or 1 for dimension in model.graph.input[0].type.tensor_type.shape.dim]
    network = Network(model).eval()
    image = torch.from_numpy(np.fromfile(file, np.float32).reshape(shape))
    with torch.no_grad():
        target = network(image).argmax().item()
    times = []
    for name, method in methods(network, image, target, network.layer(layer)).items():
        made, milliseconds = quickest(method)
        np.asarray(made, np.float32).tofile(Path(folder) / f"{name}.f32")
        times.append(milliseconds)
    print(*times)


def methods(network, image, target, layer):
    classes = [ClassifierOutputTarget(target)]
    return {
        "saliency": lambda: Saliency(network).attribute(image, target, abs=False).detach(),
        "smooth-grad": lambda: NoiseTunnel(Saliency(network)).attribute(
            image, nt_samples=50, stdevs=0.01, target=target, abs=False
        ).detach(),
        "integrated-gradients": lambda: IntegratedGradients(network).attribute(image, target=target, n_steps=50).detach(),
        "grad-cam": lambda: GradCAM(network, [layer])(image, classes),
        "score-cam": lambda: ScoreCAM(network, [layer])(image, classes),
        "lrp": lambda: LRP(network).attribute(image, target).detach(),
        "rise": lambda: rise(network, image, target),
    }


@torch.no_grad()
def rise(network, image, target):
    sides = image.shape[2:]
    cells = [math.ceil(side / GRID) for side in sides]
    total = torch.zeros(1, 1, *sides)
    for _ in range(0, MASKS, BATCH):
        coarse = (torch.rand(BATCH, 1, GRID + 1, GRID + 1) < KEEP).float()
        fine = torch.nn.functional.interpolate(coarse, size=[(GRID + 1) * cell for cell in cells], mode="bilinear")
        starts = [torch.randint(cell, (BATCH,)).tolist() for cell in cells]
        masks = torch.stack(
            [mask[:, y : y + sides[0], x : x + sides[1]] for mask, y, x in zip(fine, *starts, strict=True)]
        )
        scores = network(image * masks)[:, target]
        total += (scores[:, None, None, None] * masks).sum(0, keepdim=True)
    return total / (MASKS * KEEP)


def quickest(method):
    made, best = timed(method)
    if best < LONG * 1000:
        best = min(timed(method)[1] for _ in range(RUNS))
    return made, best


def timed(method):
    started = time.perf_counter()
    made = method()
    return made, 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    main()
