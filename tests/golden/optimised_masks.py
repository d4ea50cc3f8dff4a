"""Optimised masks by their equations, written out in PyTorch, whose autograd finds every gradient: meaningful and extremal
perturbations on networks of `networks.py`, a few steps from the usual start. No library has these conventions."""

import numpy as np
import torch
from torch.nn import functional

import networks
from references import References

SUBJECTS = [("plain_convnet", 2), ("vision_transformer", 3)]
INFILL = 0.25
STEPS = 8
# Cells move by the sign of their gradient, more or less, so that small differences grow from step to step.
TOLERANCE = 2e-3


def make():
    references = References("optimised_masks", "PyTorch")
    for name, target in SUBJECTS:
        network, images = networks.build(name)
        for parameter in network.parameters():
            parameter.requires_grad_(False)
        score = normalised(network, images[:1], target)
        for game, start in [("delete", 0.0), ("preserve", 1.0), ("dual", 0.0)]:
            mask = meaningful(score, images.shape[2:], game, start)
            add(references, name, target, "meaningful-perturbation", mask, {
                "game": game, "grid": "4", "blur": "0.5", "area-weight": "0.2", "variation-weight": "3", "learning-rate": "0.05",
            })
        mask = extremal(score, images.shape[2:])
        add(references, name, target, "extremal-perturbation", mask, {
            "game": "dual", "areas": "1", "grid": "8", "radius": "1.5", "area-weight": "0", "learning-rate": "0.05",
        })
    references.write()


def add(references, name, target, method, mask, parameters):
    fixed = {"steps": str(STEPS), "jitter": "0", "infill": f"value:{INFILL}"}
    mask = mask.detach().numpy().astype(np.float32)
    label = f"{method}_{parameters['game']}"
    references.add(name, target, method, mask, name=label, map=mask, parameters={**parameters, **fixed}, tolerance=TOLERANCE)


def normalised(network, image, target):
    """The target where so much of each pixel is kept, over what the whole picture changes it."""
    infill = torch.full_like(image, INFILL)
    value = lambda kept: network(image * kept + infill * (1 - kept))[0, target]
    span = (value(torch.ones(1)) - value(torch.zeros(1))).abs()
    return lambda kept: value(kept) / span


def played(score, game, marked):
    shown, removed = score(marked), -score(1 - marked)
    return {"preserve": shown, "delete": removed, "dual": shown + removed}[game]


def meaningful(score, size, game, start):
    sigma = 0.5 * size[0] / 4

    def mask(cells):
        large = functional.interpolate(cells[None, None], size=tuple(size), mode="bilinear", align_corners=False)[0, 0]
        return gaussian(size[0], sigma) @ large @ gaussian(size[1], sigma).T

    def objective(cells):
        across, down = cells[:, 1:] - cells[:, :-1], cells[1:] - cells[:-1]
        variation = (across.abs() ** 3).sum() + (down.abs() ** 3).sum()
        return played(score, game, mask(cells)) - 0.2 * cells.mean() - 3 * variation / cells.numel()

    return mask(climbed(objective, torch.full((4, 4), start), 0.05))


def extremal(score, size):
    radius, coldness = 1.5, 20
    reach = 1 + int(np.ceil(radius))
    steps = torch.arange(-reach, reach + 1).float()
    away = torch.sqrt(steps[:, None] ** 2 + steps[None] ** 2)
    bump = torch.exp(-2 * (away / radius - 0.5).clamp(min=0) ** 2).reshape(1, -1, 1)
    seen = bump > 1e-6

    def mask(cells):
        patches = functional.unfold(cells[None, None], 2 * reach + 1, padding=reach)
        products = (patches * bump)[:, seen[0, :, 0]]
        spread = (products * torch.softmax(coldness * products, dim=1)).sum(dim=1).reshape(1, 1, *cells.shape)
        return functional.interpolate(spread, size=tuple(size), mode="bilinear", align_corners=False)[0, 0]

    return mask(climbed(lambda cells: played(score, "dual", mask(cells)), torch.ones(8, 8), 0.05))


def gaussian(length, sigma):
    """Each row a Gaussian around its own place, cut at the ends."""
    places = torch.arange(length).double()
    weights = torch.exp(-0.5 * ((places[:, None] - places[None]) / sigma) ** 2)
    return (weights / weights.sum(dim=1, keepdim=True)).float()


def climbed(objective, cells, rate):
    """Adam with Nesterov's momentum as Dozat writes it, with a constant decay; cells stay from 0 to 1."""
    mean, square = torch.zeros_like(cells), torch.zeros_like(cells)
    for step in range(1, STEPS + 1):
        cells.requires_grad_(True)
        (gradient,) = torch.autograd.grad(objective(cells), cells)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        size = (square / (1 - 0.999**step)).sqrt()
        move = 0.9 * mean / (1 - 0.9 ** (step + 1)) + 0.1 * gradient / (1 - 0.9**step)
        cells = (cells.detach() + rate * move / (size + 1e-6 * size.max())).clamp(0, 1)
    return cells
