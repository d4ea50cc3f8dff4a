"""Models of one operator or a few: how a case is described, run, compared and written.

Each model computes `y` from `x` (and `z` where a second input varies); everything else is an initializer. Inputs are
multiples of 1/8, so that they print short and exactly.
"""

import zlib
from dataclasses import dataclass, field

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from files import relative, relative_error, single_precision
from runtime import session

FLOAT, INT64, INT32, BOOL = np.float32, np.int64, np.int32, np.bool_
INVALID = onnxruntime.capi.onnxruntime_pybind11_state


@dataclass
class Case:
    """One node; `inputs` are shapes of graph inputs, then constants follow in the operator's order (None skips one)."""

    name: str
    operator: str
    opset: int
    inputs: list
    constants: list = field(default_factory=list)
    attributes: dict = field(default_factory=dict)
    outputs: int = 1
    positive: bool = False
    #: Element type of the inputs, or of each of them.
    kind: object = FLOAT
    #: The inputs are divided by it, for functions of a small domain.
    divisor: int = 1


@dataclass
class Network:
    """Several nodes, with the arrays of the graph inputs."""

    name: str
    opset: int
    nodes: list
    arrays: dict
    constants: dict = field(default_factory=dict)
    outputs: tuple = ("y",)


def floats(*values):
    return np.array(values, FLOAT)


def ints(*values):
    return np.array(values, INT64)


def drawn(name, shape, positive=False, kind=FLOAT):
    """Reproducible multiples of 1/8 between -3 and 3, or between 1/8 and 3; integers between -24 and 24."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    numbers = random.integers(1 if positive else -24, 25, shape)
    if kind is FLOAT:
        return (numbers / 8).astype(FLOAT)
    return numbers > 0 if kind is BOOL else numbers.astype(kind)


def make_case(case, folder):
    """Runs and writes one case of either form, and returns its entry of the index."""
    if isinstance(case, Network):
        constants = [numpy_helper.from_array(value, name) for name, value in case.constants.items()]
        return finish(case.name, folder, case.nodes, case.arrays, list(case.outputs), constants, case.opset)
    variable = ["x", "z"][: len(case.inputs)]
    constants = [f"c{index}" if value is not None else "" for index, value in enumerate(case.constants)]
    outputs = ["y"] if case.outputs == 1 else [f"y{index}" for index in range(case.outputs)]
    node = helper.make_node(case.operator, variable + constants, outputs, name="node", **case.attributes)
    initializers = [numpy_helper.from_array(value, name) for value, name in zip(case.constants, constants) if name]
    kinds = case.kind if isinstance(case.kind, list) else [case.kind] * len(case.inputs)
    arrays = {name: drawn(case.name + name, shape, case.positive, kind)
              for name, shape, kind in zip(variable, case.inputs, kinds)}
    if case.divisor != 1:
        arrays = {name: array / FLOAT(case.divisor) for name, array in arrays.items()}
    return finish(case.name, folder, [node], arrays, outputs, initializers, case.opset)


def finish(name, folder, nodes, arrays, outputs, initializers, opset):
    """Computes the outputs, compares ONNX Runtime with ONNX's own reference, writes the file and the index entry."""
    def model_with(values):
        graph = helper.make_graph(
            nodes, name,
            [tensor_info(key, array.dtype, array.shape) for key, array in arrays.items()],
            [helper.make_empty_tensor_value_info(key) if value is None else tensor_info(key, value.dtype, value.shape)
             for key, value in zip(outputs, values)],
            initializers,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)

    unknown = model_with([None] * len(outputs))
    try:
        expected = session(unknown).run(None, arrays)
    except (INVALID.NotImplemented, INVALID.Fail, INVALID.InvalidGraph) as error:
        print(f"  {name}: ONNX's reference evaluator alone, ONNX Runtime refuses: {str(error).strip()[:120]}")
        typed = model_with([np.zeros((), FLOAT)] * len(outputs))
        expected = [np.asarray(value) for value in ReferenceEvaluator(typed).run(None, arrays)]
    model = model_with(expected)
    check(model)
    compare_with_reference(name, model, arrays, expected)
    path = folder / f"{name}.onnx"
    onnx.save(model, path)
    return {
        "name": name,
        "model": relative(path),
        "operator": nodes[-1].op_type,
        "opset": opset,
        "inputs": [tensor_entry(key, value) for key, value in arrays.items()],
        "outputs": [tensor_entry(key, value) for key, value in zip(outputs, expected)],
    }


def check(model):
    """ONNX's checker; old versions of an operator may be deprecated and are in files all the same."""
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        if "deprecated" not in str(error):
            raise


def tensor_info(name, dtype, shape):
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)


def compare_with_reference(name, model, arrays, expected):
    try:
        reference = ReferenceEvaluator(model).run(None, arrays)
        worst = max(relative_error(found, value) for found, value in zip(reference, expected))
        verdict = "" if worst < 1e-5 else f"differs by {worst:.1e}"
    except Exception as error:  # the reference does not know every old opset
        verdict = f"not computed: {type(error).__name__}: {str(error)[:90]}"
    if verdict:
        print(f"  {name}: ONNX's reference evaluator {verdict}")


def tensor_entry(name, value):
    """The values in JSON, with the kind where it is not float; numbers too large for float32 read back as infinite."""
    kind = {"f": {}, "i": {"kind": "int"}, "u": {"kind": "int"}, "b": {"kind": "bool"}}[value.dtype.kind]
    values = [number(item) for item in value.ravel()]
    return {"name": name, "shape": list(value.shape), **kind, "values": values}


def number(value):
    if np.isnan(value):
        raise ValueError("no value may be NaN")
    return float(np.sign(value)) * 1e39 if np.isinf(value) else single_precision(value)
