"""Prints how many milliseconds Captum and pytorch-grad-cam take for each method: MODEL LAYER INPUT THREADS FOLDER.

As tests/benches/methods.rs does, which runs it: the same input, the best class, the methods in the same order with the same
samples and steps; batches are as large as the libraries make them. The maps are left in the folder.
"""

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
    }


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
