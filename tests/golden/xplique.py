"""Xplique's deletion, insertion, mu-fidelity and average stability, written out in NumPy: the library itself needs TensorFlow.

What is the same here and there is computed as there; where the two differ by definition, README.md says how.
"""

import numpy as np
from scipy.stats import spearmanr

CELLS, SUBSET = 8, 0.2


def scores(predict, probability, explain, image, map_, infill, draw, moves):
    """`predict` and `probability` of inputs [N, C, H, W], `explain` one of them, `draw` the permutation of a set's number."""
    given = {"infill": f"value:{infill}"}
    for steps in [8, 16]:
        for scalar, words in [(predict, "target"), (probability, "probability")]:
            settings = {**given, "steps": str(steps), "scale": words}
            full, empty = image, np.full_like(image, infill)
            yield "deletion", settings, causal(scalar, full, empty, map_, steps)
            yield "insertion", settings, causal(scalar, empty, full, map_, steps)
    samples = len(moves)
    settings = {**given, "samples": str(samples), "size": str(SUBSET), "regions": f"grid:{CELLS}x{CELLS}", "scale": "target"}
    yield "mu-fidelity", settings, mu_fidelity(predict, image, map_, infill, [draw(number) for number in range(samples)])
    own = explain(image)
    # Xplique takes any function as the distance; its own "l2" is the square of this.
    distances = [np.sqrt(np.sum((explain(image + move) - own) ** 2)) for move in moves]
    length = np.sqrt(np.sum(own**2))
    yield "sensitivity-avg", {"samples": str(samples), "radius": "0.02"}, float(np.mean(distances) / length)


def causal(predict, start, end, map_, steps):
    """The area under the curve of scores while pixels go from start to end, the most important first."""
    order = np.argsort(map_.ravel())[::-1]
    channels = start.shape[0]
    found = []
    for mark in np.linspace(0, map_.size, steps + 1, dtype=np.int32):
        inputs = start.reshape(channels, -1).copy()
        inputs[:, order[:mark]] = end.reshape(channels, -1)[:, order[:mark]]
        found.append(predict(inputs.reshape(1, *start.shape))[0])
    found = np.array(found, np.float64)
    return float(np.mean(found[:-1] + found[1:]) * 0.5)


def mu_fidelity(predict, image, map_, infill, orders):
    """The rank correlation of what sets of cells sum up to in the map and what their removal costs."""
    count = round(SUBSET * CELLS * CELLS)
    kept = np.ones((len(orders), CELLS * CELLS), np.float32)
    for cells, order in zip(kept, orders):
        cells[order[:count]] = 0.0
    height, width = map_.shape
    kept = kept.reshape(-1, CELLS, CELLS).repeat(height // CELLS, 1).repeat(width // CELLS, 2)
    changed = image[None] * kept[:, None] + (1.0 - kept[:, None]) * np.float32(infill)
    falls = predict(image[None])[0] - predict(changed)
    sums = np.sum(map_[None] * (1.0 - kept), axis=(1, 2))
    found = spearmanr(falls, sums)[0]
    return 0.0 if np.isnan(found) else float(found)
