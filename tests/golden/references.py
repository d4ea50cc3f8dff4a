"""How a family's script writes maps that another library made; `README.md` describes the files.

A script makes a `References` for its family, adds one case per map and writes them. No Rust is needed for a new case.
"""

import json

from files import DATA, fresh_folder, save


class References:
    """The cases of one family: `data/references/FAMILY.json` and the arrays in the folder of that name."""

    def __init__(self, family, library):
        (DATA / "references").mkdir(exist_ok=True)
        self.family, self.library = family, library
        self.folder = fresh_folder(f"references/{family}")
        self.cases = []

    def add(self, network, target, method, values, name=None, **given):
        """One map of the first image of a network of `networks.py`.

        `values` has the shape of the attribution (input or layer, without the batch axis). `given` may hold `parameters`
        (names and texts), `layers` (value names), `range` (what black and white are in the input, for methods that ask),
        `tolerance` (relative, if not 1e-4), `coalitions` (samples by regions, for LIME and KernelSHAP) and `map` (one number per
        pixel of the input).
        """
        name = name or "_".join([method, *given.get("parameters", {}).values()])
        stem = f"{network}_{name}".replace("-", "_").replace(".", "_").replace(":", "_")
        case = {
            "name": stem,
            "library": self.library,
            "model": f"networks/{network}/torchscript.onnx",
            "input": f"networks/{network}/input.npy",
            "image": 0,
            "target": target,
            "method": method,
            "expected": save(self.folder / f"{stem}.npy", values),
        }
        for array in ["map", "coalitions"]:
            if array in given:
                given[array] = save(self.folder / f"{stem}_{array}.npy", given[array])
        self.cases.append({**case, **given})

    def write(self):
        path = DATA / "references" / f"{self.family}.json"
        path.write_text(json.dumps(self.cases, indent=1) + "\n")
        print(f"{self.family}: {len(self.cases)} maps by {self.library}")
