"""RISE, occlusion, Sobol indices, HSIC, LIME and KernelSHAP as Xplique 2.0.2 computes them, written out in NumPy.

Xplique needs TensorFlow, so its formulas stand here, on masks drawn here. Where they differ from Vitrine's by a known factor or
width, the numbers are converted, and `README.md` says how the two differ.
"""

import numpy as np
import torch
from scipy.stats import qmc
from sklearn.linear_model import LinearRegression, Ridge

import networks
from files import save
from perturbation import by, grid
from references import References

SUBJECTS = [("plain_convnet", 2), ("vision_transformer", 3)]
# Windows that fill 16 x 16 pixels: side by side, and overlapping.
WINDOWS = [(4, 4), (6, 5)]
CELLS = (4, 4)
REGIONS = CELLS[0] * CELLS[1]
RISE_CELLS, RISE_MASKS, RISE_BATCH = 7, 96, 32
DESIGNS, HSIC_MASKS, LIME_SAMPLES, SHAP_SAMPLES = 16, 128, 150, 200
# Every pixel of LIME's picture is as far from the infill, so that the distance of pictures is that of coalitions.
GREY, AWAY, KERNEL_WIDTH = 0.5, 0.75, 45.0


def make():
    references = References("conventions", "Xplique's arithmetic")
    for name, target in SUBJECTS:
        network, images = networks.build(name)
        image = images[0].numpy()

        def scores(pictures):
            with torch.no_grad():
                return network(torch.from_numpy(np.asarray(pictures, np.float32))).double().numpy()[:, target]

        random = np.random.default_rng(11)
        add_occlusion(references, name, target, image, scores)
        add_rise(references, name, target, image, scores, random)
        add_sobol(references, name, target, image, scores)
        add_hsic(references, name, target, image, scores, random)
        add_surrogates(references, name, target, image, scores, random)
    references.write()


def add(references, network, target, method, values, parameters, **given):
    values = torch.from_numpy(np.ascontiguousarray(values, np.float32))
    references.add(network, target, method, values, parameters=parameters, **given)


def over_input(values, image):
    """One number per region as one for every value of the input."""
    labels = grid(*CELLS, *image.shape[1:])[0, 0].numpy()
    return np.broadcast_to(np.asarray(values)[labels], image.shape)


def masked(image, masks, infill=0.0):
    """The image behind masks of the regions."""
    labels = grid(*CELLS, *image.shape[1:])[0, 0].numpy()
    kept = masks[:, labels][:, None]
    return image * kept + infill * (1 - kept)


def add_occlusion(references, name, target, image, scores):
    side = image.shape[1]
    for patch, stride in WINDOWS:
        starts = [stride * step for step in range(int(np.ceil((side - patch + 1) / stride)))]
        whole, sums = scores(image[None])[0], np.zeros(image.shape)
        for top in starts:
            for left in starts:
                occluded = image.copy()
                occluded[:, top : top + patch, left : left + patch] = 0
                sums[:, top : top + patch, left : left + patch] += whole - scores(occluded[None])[0]
        given = {"window": str(patch), "stride": str(stride), "overlap": "sum", "infill": "zero"}
        add(references, name, target, "occlusion", sums, given)


def add_rise(references, name, target, image, scores, random):
    side = image.shape[1]
    cells = (random.random((RISE_MASKS, 1, RISE_CELLS, RISE_CELLS)) < 0.5).astype(np.float32)
    large = int(side * (1 + 1 / RISE_CELLS))
    enlarged = torch.nn.functional.interpolate(torch.from_numpy(cells), (large, large), mode="bilinear").numpy()
    masks = []
    for start in range(0, RISE_MASKS, RISE_BATCH):
        down, across = random.integers(0, large - side + 1, 2)
        masks.append(enlarged[start : start + RISE_BATCH, 0, down : down + side, across : across + side])
    masks = np.concatenate(masks)
    found = scores(image * masks[:, None])
    rise = np.einsum("n,nhw->hw", found, masks) / (masks.sum(axis=0) + 1e-4)
    given = {"normalisation": "per-pixel", "infill": "zero"}
    add(references, name, target, "rise", rise, given, coalitions=torch.from_numpy(masks))


def add_sobol(references, name, target, image, scores):
    points = qmc.Sobol(2 * REGIONS, scramble=False).random(DESIGNS).astype(np.float32)
    a, b = points[:, :REGIONS], points[:, REGIONS:]
    of_a, of_b = scores(masked(image, a)), scores(masked(image, b))
    variance = of_a.var(ddof=1)
    total = []
    for region in range(REGIONS):
        c = a.copy()
        c[:, region] = b[:, region]
        total.append(((of_a - scores(masked(image, c))) ** 2).sum() / (2 * DESIGNS * variance))
    # Vitrine divides by the variance of both designs.
    ours = np.asarray(total) * variance / np.concatenate([of_a, of_b]).var()
    given = {"regions": f"grid:{by(CELLS)}", "infill": "zero", "estimator": "jansen"}
    add(references, name, target, "sobol", over_input(ours, image), given, coalitions=torch.from_numpy(points))


def add_hsic(references, name, target, image, scores, random):
    masks = random.integers(0, 2, (HSIC_MASKS, REGIONS)).astype(np.float32)
    found = scores(masked(image, masks))
    apart = np.abs(found[:, None] - found[None])
    # Vitrine takes the upper middle of the distances of all pairs, where Xplique takes the median of the outputs themselves.
    distances = np.sort(apart[np.tril_indices(HSIC_MASKS, -1)])
    width = distances[len(distances) // 2]
    outputs = np.exp(-(apart**2) / (2 * width**2))
    centre = np.eye(HSIC_MASKS) - 1 / HSIC_MASKS
    score = []
    for region in range(REGIONS):
        kept = masks[:, region]
        inputs = 1 + 0.5 - (kept[:, None] - kept[None]) ** 2
        score.append(((centre @ inputs @ centre) * (centre @ outputs @ centre).T).sum() / HSIC_MASKS)
    ours = np.asarray(score) * HSIC_MASKS / (HSIC_MASKS - 1) ** 2
    given = {"regions": f"grid:{by(CELLS)}", "infill": "zero", "normalised": "false"}
    add(references, name, target, "hsic", over_input(ours, image), given, coalitions=torch.from_numpy(masks))


def add_surrogates(references, name, target, image, scores, random):
    kept = random.integers(0, 2, (LIME_SAMPLES, REGIONS)).astype(np.float32)
    picture = (GREY + AWAY * random.choice([-1, 1], image.shape)).astype(np.float32)
    altered = masked(picture, kept, GREY)
    distance = np.sqrt(((altered - picture) ** 2).reshape(LIME_SAMPLES, -1).sum(axis=1))
    near = np.exp(-(distance**2) / KERNEL_WIDTH**2)
    coefficients = Ridge(alpha=2).fit(kept, scores(altered), sample_weight=near).coef_
    of_region = image.size / REGIONS * AWAY**2
    given = {
        "regions": f"grid:{by(CELLS)}",
        "infill": f"value:{GREY}",
        "alpha": "2",
        "distance": "euclidean",
        "kernel-width": str(float(KERNEL_WIDTH / np.sqrt(2 * of_region))),
    }
    values = over_input(coefficients, image)
    path = save(references.folder / f"{name}_lime_input.npy", torch.from_numpy(picture[None]))
    add(references, name, target, "lime", values, given, name="lime", input=path, coalitions=torch.from_numpy(kept))
    # KernelSHAP: samples by the kernel's sizes, all of one weight, and a height of their own.
    sizes = np.arange(1, REGIONS)
    kernel = (REGIONS - 1) / (sizes * (REGIONS - sizes))
    drawn = np.zeros((SHAP_SAMPLES, REGIONS), np.float32)
    for row in drawn:
        row[random.permutation(REGIONS)[: random.choice(sizes, p=kernel / kernel.sum())]] = 1
    coefficients = LinearRegression().fit(drawn, scores(masked(image, drawn, GREY))).coef_
    given = {"regions": f"grid:{by(CELLS)}", "infill": f"value:{GREY}", "alpha": "0", "kernel-width": "1000"}
    values = over_input(coefficients, image)
    add(references, name, target, "lime", values, given, name="kernel-shap", coalitions=torch.from_numpy(drawn))
