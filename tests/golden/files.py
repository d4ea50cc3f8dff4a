"""Where the data lie, and how arrays and the index are written."""

import json
import shutil
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data"
INDEX = DATA / "cases.json"


def fresh_folder(part):
    """The empty folder of one part, so that no file of an earlier run stays behind."""
    folder = DATA / part
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def subfolder(part, name):
    folder = part / name
    folder.mkdir()
    return folder


def save(path, array):
    """Writes float32 in C order and returns the path as the index names it."""
    array = np.ascontiguousarray(np.asarray(array), dtype=np.float32)
    if not np.isfinite(array).all():
        raise ValueError(f"{path} would hold a value that is not finite")
    np.save(path, array)
    return relative(path)


def relative(path):
    return path.relative_to(DATA).as_posix()


def write_section(name, cases):
    """Replaces one section of cases.json and leaves the others as they are."""
    index = json.loads(INDEX.read_text()) if INDEX.exists() else {}
    index[name] = cases
    INDEX.write_text(json.dumps(index, indent=1) + "\n")
    print(f"{name}: written")


def write_lines(name, cases):
    """Writes an index of its own, one case per line, for cases that carry their values with them."""
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (DATA / name).write_text(f"[\n{lines}\n]\n")
    print(f"{name}: {len(cases)} cases")


def single_precision(value):
    """The shortest decimal number that reads back as this float32."""
    return float(np.format_float_positional(np.float32(value), unique=True))


def relative_error(found, expected):
    """Largest absolute difference over the largest absolute expected value, as the tests measure it."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if found.shape != expected.shape:
        raise ValueError(f"shapes {found.shape} and {expected.shape} differ")
    return np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-12)


class Disagreement(ValueError):
    """Two ways to compute the same thing give different results."""


def require_close(what, found, expected, tolerance):
    error = relative_error(found, expected)
    if not error <= tolerance:
        raise Disagreement(f"{what}: relative error {error:.2e} exceeds {tolerance:.0e}")
