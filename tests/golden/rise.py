"""RISE written straight from its definition (Petsiuk, Das, Saenko 2018), for given masks, scores by ONNX Runtime."""

import numpy as np
import onnx

import networks
from files import DATA, fresh_folder, save, subfolder, write_section
from runtime import run

# Network, number of masks, cells per side, probability to keep a cell.
CASES = [("residual_batch_norm", 64, 4, 0.5), ("grouped_dilated_conv", 32, 5, 0.3)]


def make():
    cases = []
    part = fresh_folder("rise")
    for name, count, grid, keep in CASES:
        folder = subfolder(part, name)
        model = onnx.load(DATA / "networks" / name / "torchscript.onnx")
        image = np.load(DATA / "networks" / name / "input.npy")[0]
        target = networks.TARGETS[0]
        masks = draw_masks(np.random.default_rng(11), count, grid, keep, *image.shape[1:])
        if (masks.sum(axis=0) == 0).any():
            raise ValueError("a pixel that no mask keeps has no per-pixel score")
        logits = run(model, masks[:, None] * image)
        shared = {
            "model": f"networks/{name}/torchscript.onnx",
            "input": f"networks/{name}/input.npy",
            "image": 0,
            "target": target,
            "keep": keep,
            "masks": save(folder / "masks.npy", masks),
        }
        for scalar, scores in [("logit", logits[:, target]), ("probability", softmax(logits)[:, target])]:
            maps = {
                normalisation: save(folder / f"{scalar}_{normalisation}.npy", values)
                for normalisation, values in saliency(masks, scores, keep).items()
            }
            saved = save(folder / f"{scalar}_scores.npy", scores)
            cases.append({"name": f"{name}_{scalar}", **shared, "scalar": scalar, "scores": saved, **maps})
    write_section("rise", cases)


def draw_masks(random, count, grid, keep, height, width):
    """Random cells enlarged bilinearly to one cell more than the image, then cropped at a random shift."""
    masks = []
    for _ in range(count):
        cells = (random.random((grid + 1, grid + 1)) < keep).astype(np.float64)
        cell_height, cell_width = -(-height // grid), -(-width // grid)
        rows = enlarge(grid + 1, (grid + 1) * cell_height)[random.integers(cell_height):][:height]
        columns = enlarge(grid + 1, (grid + 1) * cell_width)[random.integers(cell_width):][:width]
        masks.append(rows @ cells @ columns.T)
    return np.array(masks, np.float32)


def enlarge(size, larger):
    """The matrix of linear interpolation from `size` to `larger` pixels whose centres are aligned (half-pixel)."""
    position = np.clip((np.arange(larger) + 0.5) * size / larger - 0.5, 0, size - 1)
    return np.maximum(0, 1 - np.abs(position[:, None] - np.arange(size)))


def softmax(logits):
    exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def saliency(masks, scores, keep):
    """The three ways to divide the sum of masks weighted by their scores, in double precision."""
    masks, scores = masks.astype(np.float64), scores.astype(np.float64)
    weighted = (scores[:, None, None] * masks).sum(axis=0)
    return {
        "unbiased": weighted / (len(masks) * keep),
        "per_pixel": weighted / masks.sum(axis=0),
        "mean": weighted / len(masks),
    }
