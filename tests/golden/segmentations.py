"""Pictures cut into regions by scikit-image and filled by it, with the parameters in the arrays' names."""

import numpy as np
from PIL import Image
from skimage.color import gray2rgb, rgb2gray
from skimage.filters import sobel
from skimage.restoration import inpaint_biharmonic
from skimage.segmentation import felzenszwalb, quickshift, slic, watershed

from files import fresh_folder

# Regions: one line per array, "method name=value ..."; what is left out has scikit-image's default.
CASES = """
slic
slic n_segments=30
slic n_segments=50 compactness=30 sigma=1
slic n_segments=40 compactness=20 max_num_iter=5 min_size_factor=0.25 max_size_factor=2
slic n_segments=60 slic_zero=1
slic n_segments=40 convert2lab=0 compactness=0.1
slic n_segments=40 enforce_connectivity=0
felzenszwalb
felzenszwalb scale=100 sigma=0.5 min_size=50
felzenszwalb scale=50 min_size=10
felzenszwalb scale=300 sigma=1 min_size=30
quickshift
quickshift kernel_size=3 max_dist=6 ratio=0.5
quickshift kernel_size=4 max_dist=8 sigma=1
quickshift kernel_size=3 max_dist=8 ratio=30.0 convert2lab=0
watershed
watershed markers=20
watershed markers=60
watershed markers=50 compactness=0.01
watershed markers=30 compactness=0.001
""".strip().splitlines()

SAMPLES = ("bimble", "fennick", "wendle")


def shapes(seed, height, width):
    """A disc, a box and a stripe on a shaded ground, each with a texture of its own, and noise over all."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    picture = np.stack([0.35 + 0.3 * x / width, 0.5 - 0.2 * y / height, 0.4 + 0.1 * np.sin(x / 9)], axis=-1)
    parts = [
        (np.hypot(y - 0.4 * height, x - 0.3 * width) < 0.24 * height, [0.85, 0.3, 0.2], np.sin(x * 1.1)),
        ((abs(y - 0.55 * height) < 0.2 * height) & (abs(x - 0.75 * width) < 0.14 * width), [0.2, 0.65, 0.3], np.sin(y * 0.9)),
        (abs(y - 0.9 * height + 0.2 * x) < 4, [0.9, 0.85, 0.3], np.cos(x + y)),
    ]
    for inside, colour, texture in parts:
        picture[inside] = (np.array(colour) + 0.06 * texture[..., None])[inside]
    return levels(picture + random.normal(0, 0.03, picture.shape))


def levels(picture):
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def cut(case, picture):
    """Regions of a picture [H, W, C]; where colours become CIELAB, grey is the grey colour it is."""
    method, *parameters = case.split()
    parameters = {name: float(value) if "." in value else int(value) for name, value in (item.split("=") for item in parameters)}
    for switch in ("slic_zero", "enforce_connectivity", "convert2lab"):
        if switch in parameters:
            parameters[switch] = bool(parameters[switch])
    colours = gray2rgb(picture[..., 0]) if picture.shape[-1] == 1 else picture
    compared = colours if parameters.get("convert2lab", True) else picture
    if method == "slic":
        return slic(compared, start_label=0, **parameters)
    if method == "felzenszwalb":
        return felzenszwalb(picture, **parameters)
    if method == "quickshift":
        return quickshift(compared, **parameters)
    # In steps, as ours: on flat pictures the order of equal edges would be that of their rounding errors.
    edges = np.round(sobel(picture[..., 0] if picture.shape[-1] == 1 else rgb2gray(picture)) * 65536) / 65536
    return watershed(edges, **parameters) - 1


def holes(height, width):
    """A scratch, a box within the picture, a disc and a piece of the border."""
    y, x = np.mgrid[0:height, 0:width]
    return (
        (abs(y - x - 5) < 2)
        | ((abs(y - height // 3) < 7) & (abs(x - 2 * width // 3) < 8))
        | (np.hypot(y - 0.75 * height, x - 0.3 * width) < 6)
        | ((y > height - 5) & (abs(x - width // 2) < 5))
    )


def make():
    folder = fresh_folder("segmentations")
    pictures = {"shapes": shapes(1, 72, 96), "small": shapes(2, 48, 64), "tall": shapes(3, 96, 64)}
    pictures["grey"] = levels(rgb2gray(shapes(4, 64, 64) / 255))[..., None]
    for name in SAMPLES:
        with Image.open(folder.parents[3] / "crates" / "zoo" / "samples" / f"{name}.png") as image:
            pictures[name] = np.array(image.convert("RGB"))
    for name, pixels in pictures.items():
        picture = pixels / 255
        labels = {case: cut(case, picture).astype(np.uint16) for case in CASES}
        removed = holes(*picture.shape[:2])
        filled = inpaint_biharmonic(picture, removed, channel_axis=-1)
        np.savez_compressed(folder / f"{name}.npz", picture=pixels, removed=removed, filled=filled[removed].astype(np.float16), **labels)
        counts = [len(np.unique(regions)) for regions in labels.values()]
        print(f"segmentations: {name}, regions {counts}")


if __name__ == "__main__":
    make()
