"""Scores of maps by Captum, Quantus, Xplique's arithmetic, SciPy and scikit-image, on networks of `networks.py`.

Random perturbations are drawn as this project draws them (`chacha.py`), so that both score the same changes. Every map is
the gradient times the input, summed over the channels; where Captum scores attributions, it is that before the sum.
"""

import json

import numpy as np
import torch
from captum.metrics import infidelity, sensitivity_max
from scipy.stats import kendalltau, pearsonr, spearmanr
from skimage.feature import hog
from skimage.metrics import structural_similarity

import networks
import xplique
from chacha import Random
from files import DATA, fresh_folder, save

SUBJECTS = [("plain_convnet", 2), ("residual_batch_norm", 1)]
INFILL = 0.25
SAMPLES, SEED = 10, 3


def make():
    folder = fresh_folder("evaluations")
    cases = []
    for name, target in SUBJECTS:
        network, images = networks.build(name)
        image = images[:1]
        product = gradient(image, network, target) * image
        other = product.abs() + image
        attribution, map_, second = product[0], product[0].sum(0), other[0].sum(0)
        mask = (torch.arange(16)[:, None] + torch.arange(16)[None] < 15).float()
        case = {
            "model": f"networks/{name}/torchscript.onnx",
            "input": f"networks/{name}/input.npy",
            "image": 0,
            "target": target,
            "seed": SEED,
            "attribution": save(folder / f"{name}_attribution.npy", attribution),
            "map": save(folder / f"{name}_map.npy", map_),
            "other": save(folder / f"{name}_other.npy", second),
            "mask": save(folder / f"{name}_mask.npy", mask),
        }

        def add(library, metric, parameters, value=None, curve=None):
            given = {"name": f"{name}_{metric}_{len(cases)}", "library": library, "metric": metric}
            expected = {key: found for key, found in [("value", value), ("curve", curve)] if found is not None}
            cases.append({**case, **given, "parameters": parameters, **expected})

        for metric, parameters, value in by_captum(network, image, target, product):
            add("captum", metric, parameters, value)
        for metric, parameters, value, curve in by_quantus(network, image, target, map_, mask):
            add("quantus", metric, parameters, value, curve)
        for metric, parameters, value in by_xplique(network, image, target, map_):
            add("xplique", metric, parameters, value)
        for library, similarity, value in by_class(network, image, target, map_):
            add(library, "class-sensitivity", {"similarity": similarity}, value)
        a, b = map_.double().numpy(), second.double().numpy()
        add("scipy", "spearman-agreement", {}, float(spearmanr(a.ravel(), b.ravel()).statistic))
        add("scipy", "kendall-agreement", {}, float(kendalltau(a.ravel(), b.ravel()).statistic))
        a, b = a / np.abs(a).max(), b / np.abs(b).max()
        span = max(a.max(), b.max()) - min(a.min(), b.min())
        add("scikit-image", "ssim-agreement", {}, float(structural_similarity(a, b, data_range=span)))
    (DATA / "evaluations.json").write_text(json.dumps(cases, indent=1) + "\n")
    print(f"evaluations: {len(cases)} scores")


def gradient(images, network, target):
    with torch.enable_grad():
        images = images.detach().requires_grad_()
        return torch.autograd.grad(network(images)[:, target].sum(), images)[0]


def draws(image, draw):
    """One tensor of the image's shape for every sample."""
    samples = []
    for number in range(SAMPLES):
        random = Random(SEED, "metrics", number)
        samples.append([draw(random) for _ in range(image.numel())])
    return torch.tensor(np.array(samples, np.float32)).reshape(SAMPLES, *image.shape[1:])


def by_captum(network, image, target, product):
    noise = draws(image, lambda random: np.float32(0.1) * random.normal())

    def noisy(inputs):
        return noise, inputs - noise

    def by_way(inputs):
        return noise / (inputs - INFILL), inputs - noise

    settings = dict(target=target, n_perturb_samples=SAMPLES, max_examples_per_batch=SAMPLES)
    given = {"samples": str(SAMPLES), "perturbation": "noise", "noise": "0.1", "infill": f"value:{INFILL}"}
    for function, contributions in [(noisy, "false"), (by_way, "true")]:
        for normalize, optimal in [(False, "false"), (True, "true")]:
            found = infidelity(network, function, image, product, normalize=normalize, **settings)
            yield "infidelity", {**given, "contributions": contributions, "optimal-scale": optimal}, float(found)
    moves = draws(image, lambda random: np.float32(0.02) * (np.float32(2) * random.uniform() - np.float32(1)))

    def explain(inputs):
        inputs = inputs[0] if isinstance(inputs, tuple) else inputs
        return (gradient(inputs, network, target) * inputs,)

    found = sensitivity_max(explain, image, lambda inputs: inputs + moves, n_perturb_samples=SAMPLES)
    yield "sensitivity-max", {"samples": str(SAMPLES), "radius": "0.02"}, float(found)


def by_quantus(network, image, target, map_, mask):
    """Quantus removes single numbers, so that three at a time are the channels of one pixel."""
    import quantus  # only here: it is slow to load
    from quantus.helpers import asserts

    # It asks for steps that divide the pixels, and then takes them from the numbers.
    asserts.assert_features_in_step = lambda **_: None

    arrays = dict(x_batch=image.numpy(), y_batch=np.array([target]), a_batch=map_[None, None].numpy())
    quiet = dict(disable_warnings=True, display_progressbar=False)
    plain = dict(abs=False, normalise=False, **quiet)

    def score(metric, **more):
        found = metric(model=network, **arrays, softmax=False, channel_first=True, device="cpu", **more)
        return np.asarray(found[0] if isinstance(found, list) else found, np.float64)

    # It adds 1e-7 to every value, which counts in a map of small numbers; the coefficient does not depend on the unit.
    arrays["a_batch"] = arrays["a_batch"] * 1e5
    yield "sparseness", {}, float(score(quantus.Sparseness(abs=True, normalise=False, **quiet))), None
    arrays["a_batch"] = map_[None, None].numpy()
    yield "complexity", {}, float(score(quantus.Complexity(abs=True, normalise=False, **quiet))), None
    threshold = 0.1 * float(map_.abs().max())
    found = score(quantus.EffectiveComplexity(eps=threshold, abs=True, normalise=False, **quiet))
    yield "effective-complexity", {"threshold": "0.1"}, float(found), None
    found = score(quantus.FaithfulnessEstimate(features_in_step=3, perturb_baseline=INFILL, **plain))
    given = {"infill": f"value:{INFILL}"}
    yield "faithfulness-estimate", {"regions": "elements", **given}, float(found), None
    found = score(quantus.PixelFlipping(features_in_step=24, perturb_baseline=INFILL, **plain))
    yield "pixel-flipping", {"steps": "32", **given}, None, list(found.ravel())
    place = dict(s_batch=mask[None, None].numpy().astype(bool))
    yield "relevance-rank", {}, float(score(quantus.RelevanceRankAccuracy(**plain), **place)), None
    found = score(quantus.RelevanceMassAccuracy(abs=True, normalise=False, **quiet), **place)
    yield "relevance-mass", {}, float(found), None
    yield "pointing-game", {}, float(score(quantus.PointingGame(**plain), **place)), None
    found = score(quantus.TopKIntersection(k=32, **plain), **place)
    yield "top-k-intersection", {"part": "0.125"}, float(found), None


def by_xplique(network, image, target, map_):
    def logits(inputs):
        return network(torch.tensor(np.asarray(inputs, np.float32))).detach()

    def explain(inputs):
        inputs = torch.tensor(inputs)[None]
        return (gradient(inputs, network, target) * inputs)[0].double().numpy()

    return xplique.scores(
        predict=lambda inputs: logits(inputs)[:, target].numpy(),
        probability=lambda inputs: logits(inputs).softmax(1)[:, target].numpy(),
        explain=explain,
        image=image[0].numpy(),
        map_=map_.numpy(),
        infill=INFILL,
        draw=lambda number: Random(SEED, "metrics", number).permutation(xplique.CELLS**2),
        moves=draws(image, lambda random: np.float32(0.02) * (np.float32(2) * random.uniform() - np.float32(1))).numpy(),
    )


def by_class(network, image, target, map_):
    """The map beside that of the class whose score is farthest away, by their correlation and by that of their histograms
    of oriented gradients."""
    logits = network(image)[0]
    other = int((logits - logits[target]).abs().argmax())
    other = (gradient(image, network, other) * image)[0].sum(0)
    a, b = (np.abs(map_.double().numpy()) / np.abs(map_.numpy()).max() for map_ in (map_, other))
    yield "scipy", "pearson", float(pearsonr(a.ravel(), b.ravel()).statistic)
    # Cells as large as fit three times.
    side = min(map_.shape) // 3
    a, b = (hog(values, orientations=9, pixels_per_cell=(side, side), cells_per_block=(3, 3)) for values in (a, b))
    yield "scikit-image", "hog", float(pearsonr(a, b).statistic)
