"""Writes the ONNX project's backend node tests into data/, where the conformance test reads them; README.md describes the files."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases

HERE = Path(__file__).parent
DATA = HERE / "data"
REQUIREMENTS = "requirements.txt"

# What Vitrine's reader refuses; one such tensor would make a whole file unreadable.
UNREADABLE = {
    TensorProto.DataType.Value(name)
    for name in ["STRING", "UINT4", "INT4", "FLOAT4E2M1", "UINT2", "INT2", "FLOAT6E2M3", "FLOAT6E3M2"]
    if name in TensorProto.DataType.keys()
}


def main():
    shutil.rmtree(DATA, ignore_errors=True)
    (DATA / "cases").mkdir(parents=True)
    with np.errstate(all="ignore"):
        cases = collect_testcases(None)
    operators = {case.name: case.model.graph.node[0] for case in cases if "_expanded" not in case.name}
    entries = [write(case, operators[case.name.split("_expanded")[0]]) for case in cases]
    entries.sort(key=lambda entry: entry["name"])
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    (DATA / "index.json").write_text(f'{{"onnx": "{onnx.__version__}", "cases": [\n{lines}\n]}}\n')
    # Last, so that an interrupted run is not taken for a finished one.
    shutil.copy(HERE / REQUIREMENTS, DATA / REQUIREMENTS)
    print(f"{len(entries)} cases of onnx {onnx.__version__}")


def write(case, tested):
    """Writes a case's model, with its inputs and outputs as further constants, and returns its entry in the index."""
    [(inputs, outputs)] = case.data_sets
    model = case.model
    left_out = {}
    for part, values, infos in [("input", inputs, model.graph.input), ("output", outputs, model.graph.output)]:
        if len(values) != len(infos):
            sys.exit(f"error: {case.name} has {len(values)} {part}s and its model {len(infos)}")
        for value, info in zip(values, infos):
            tensor, why_not = readable(value, info)
            if why_not:
                left_out[info.name] = why_not
            else:
                tensor.name = f"case/{part}/{info.name}"
                model.graph.initializer.append(tensor)
    (DATA / "cases" / f"{case.name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
    opsets = {"ai.onnx" if opset.domain == "" else opset.domain: opset.version for opset in model.opset_import}
    domain = tested.domain or "ai.onnx"
    return {
        "name": case.name,
        "operator": tested.op_type if domain == "ai.onnx" else f"{domain}.{tested.op_type}",
        "opset": opsets.get(domain, 0),
        "rtol": case.rtol,
        "atol": case.atol,
        "left_out": left_out,
    }


def readable(value, info):
    """The value as a tensor, or why Vitrine could not read it."""
    kind = info.type.WhichOneof("value")
    if kind != "tensor_type":
        return None, kind.removesuffix("_type")
    tensor = value if isinstance(value, TensorProto) else numpy_helper.from_array(np.asarray(value))
    if tensor.data_type in UNREADABLE:
        return None, TensorProto.DataType.Name(tensor.data_type).lower()
    return tensor, None


if __name__ == "__main__":
    main()
