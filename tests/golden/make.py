"""Makes the reference data of the golden tests with PyTorch, Captum, ONNX Runtime and others; README.md describes the files.

    python tests/golden/make.py                     everything
    python tests/golden/make.py operators captum    only these parts
"""

import sys

import torch

import attributions
import cams
import conventions
import critters
import evaluations
import gradient
import networks
import operators
import optimised_masks
import paths
import perturbation
import propagation
import rise
import segmentations

# In this order: the parts below `operators` explain networks that `networks` exports.
PARTS = {
    "networks": networks.make,
    "operators": operators.make,
    "captum": attributions.make,
    "rise": rise.make,
    "gradient": gradient.make,
    "propagation": propagation.make,
    "cams": cams.make,
    "paths": paths.make,
    "perturbation": perturbation.make,
    "conventions": conventions.make,
    "optimised_masks": optimised_masks.make,
    "evaluations": evaluations.make,
    "critters": critters.make,
    "segmentations": segmentations.make,
}


def main():
    chosen = sys.argv[1:] or list(PARTS)
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        sys.exit(f"error: unknown part {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    torch.set_num_threads(1)  # one order of summation, and no waiting for busy cores
    for name, make in PARTS.items():
        if name in chosen:
            make()


if __name__ == "__main__":
    main()
