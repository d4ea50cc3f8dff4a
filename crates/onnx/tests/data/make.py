"""Writes the ONNX files of this folder with the reference implementation (Python package onnx, 1.23).

Run from this folder: python make.py
"""

import numpy as np
import onnx
from onnx import TensorProto, helper

FLOATS = [-1.5, 0.0, 0.25, 3.0]
SIGNED = [-3, 0, 7, 100]
UNSIGNED = [0, 1, 7, 200]
BOOLS = [1, 0, 1, 1]
COMPLEX = [1.0 - 2.0j, 0.5j]

STORED = {
    "float": FLOATS, "double": FLOATS, "float16": FLOATS, "bfloat16": FLOATS,
    "float8e4m3fn": FLOATS, "float8e4m3fnuz": FLOATS, "float8e5m2": FLOATS, "float8e5m2fnuz": FLOATS,
    "float8e8m0": [0.25, 1.0, 2.0, 4.0],
    "int8": SIGNED, "int16": SIGNED, "int32": SIGNED, "int64": SIGNED,
    "uint8": UNSIGNED, "uint16": UNSIGNED, "uint32": UNSIGNED, "uint64": UNSIGNED,
    "bool": BOOLS, "complex64": COMPLEX, "complex128": COMPLEX,
}


def model(nodes, inputs, outputs, opset=17, ir_version=10, check=True, **graph):
    functions = graph.pop("functions", [])
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, 1) for d in sorted({f.domain for f in functions})]
    made = helper.make_model(
        helper.make_graph(nodes, "graph", inputs, outputs, **graph),
        opset_imports=opsets, functions=functions, ir_version=ir_version, producer_name="make.py",
    )
    if check:
        onnx.checker.check_model(made, full_check=True)
    return made


def save(made, name):
    with open(f"{name}.onnx", "wb") as file:
        file.write(made.SerializeToString(deterministic=True))


def value(name, shape=(4,), element_type=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, element_type, shape)


def storage_forms():
    tensors = []
    for name, values in STORED.items():
        code = onnx.TensorProto.DataType.Value(name.replace("double", "DOUBLE").upper())
        dtype = helper.tensor_dtype_to_np_dtype(code)
        array = np.array(values).astype(dtype)
        typed = helper.make_tensor(f"{name}_typed", code, array.shape, values)
        assert not typed.HasField("raw_data"), name
        tensors += [typed, helper.make_tensor(f"{name}_raw", code, array.shape, array.tobytes(), raw=True)]
    return model([helper.make_node("Identity", ["float_raw"], ["y"])], [], [value("y")], initializer=tensors)


def control_flow():
    """y = if condition: x else: x + one, where both bodies use values of the graph around them."""
    body = lambda name, node: helper.make_graph([node], name, [], [value(name)])
    node = helper.make_node(
        "If", ["condition"], ["y"], name="choose",
        then_branch=body("kept", helper.make_node("Identity", ["x"], ["kept"], name="kept")),
        else_branch=body("more", helper.make_node("Add", ["x", "one"], ["more"], name="more")),
    )
    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    return model([node], [value("condition", (), TensorProto.BOOL), value("x")], [value("y")], initializer=[one])


def functions():
    """A function whose body takes an attribute from its caller."""
    leak = helper.make_node("LeakyRelu", ["x"], ["y"])
    reference = onnx.AttributeProto(name="alpha", type=onnx.AttributeProto.FLOAT, ref_attr_name="slope")
    leak.attribute.append(reference)
    function = helper.make_function("own", "Leak", ["x"], ["y"], [leak], [helper.make_opsetid("", 17)], ["slope"])
    call = helper.make_node("Leak", ["x"], ["y"], domain="own", slope=0.5)
    return model([call], [value("x")], [value("y")], functions=[function])


def nested():
    """Functions that call functions: attributes handed on and with defaults, overloads, branches within a body."""
    def refer(node, name, to):
        node.attribute.append(onnx.AttributeProto(name=name, type=onnx.AttributeProto.FLOAT, ref_attr_name=to))
        return node

    opset = [helper.make_opsetid("", 17)]
    leak = refer(helper.make_node("LeakyRelu", ["x"], ["y"], name="leak"), "alpha", "slope")
    inner = helper.make_function("own", "Leak", ["x"], ["y"], [leak], opset,
                                 attribute_protos=[helper.make_attribute("slope", 0.25)])
    sharp = helper.make_function("own", "Leak", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"], name="sharp")],
                                 opset)
    sharp.overload = "sharp"
    handed_on = refer(helper.make_node("Leak", ["x"], ["once"], name="first", domain="own"), "slope", "slope")
    sharpened = helper.make_node("Leak", ["once"], ["twice"], name="second", domain="own")
    sharpened.overload = "sharp"
    body = lambda name, node: helper.make_graph([node], name, [], [onnx.ValueInfoProto(name="made")])
    choose = helper.make_node(
        "If", ["condition"], ["y"], name="choose",
        then_branch=body("then", helper.make_node("Leak", ["twice"], ["made"], domain="own")),
        else_branch=body("else", helper.make_node("Neg", ["once"], ["made"])),
    )
    block = helper.make_function("own", "Block", ["x", "condition"], ["y"], [handed_on, sharpened, choose],
                                 opset + [helper.make_opsetid("own", 1)], ["slope"])
    calls = [
        helper.make_node("Block", ["x", "condition"], ["h"], name="one", domain="own", slope=0.5),
        helper.make_node("Block", ["h", "condition"], ["y"], name="two", domain="own"),
    ]
    inputs = [value("x"), value("condition", (), TensorProto.BOOL)]
    return model(calls, inputs, [value("y")], functions=[block, sharp, inner])


def attributes():
    """Every kind of attribute, on an operator that nobody has."""
    tensor = helper.make_tensor("", TensorProto.FLOAT, [2], [1.0, 2.0])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["inner"])], "body", [], [value("inner")])
    node = helper.make_node(
        "Everything", ["x", "", "x"], ["y", ""], name="all", domain="own", doc_string="seen",
        float=0.5, int=-7, string="text", tensor=tensor, graph=graph, floats=[1.0, -2.0], ints=[1, -1],
        strings=["a", ""], tensors=[tensor, tensor], graphs=[graph],
    )
    made = model([node], [value("x", ("batch", None, 3))], [onnx.ValueInfoProto(name="y")], check=False)
    made.opset_import.append(helper.make_opsetid("own", 3))
    helper.set_model_props(made, {"labels": "cat,dog", "empty": ""})
    made.model_version = 5
    made.doc_string = "attributes"
    made.domain = "org.example"
    made.producer_version = "1"
    return made


def old_file():
    """IR version 3: every initializer is an input too."""
    weight = helper.make_tensor("w", TensorProto.FLOAT, [4], FLOATS)
    node = helper.make_node("Add", ["x", "w"], ["y"])
    return model([node], [value("x"), value("w")], [value("y")], opset=7, ir_version=3, initializer=[weight])


def external():
    weight = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[4])
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="weights.bin")
    node = helper.make_node("Add", ["x", "weights"], ["y"])
    return model([node], [value("x")], [value("y")], initializer=[weight], check=False)


def text():
    words = helper.make_tensor("words", TensorProto.STRING, [2], ["cat", "dog"])
    node = helper.make_node("Identity", ["words"], ["y"])
    return model([node], [], [value("y", (2,), TensorProto.STRING)], initializer=[words])


def narrow():
    bits = helper.make_tensor("bits", TensorProto.INT4, [2], [1, -2])
    node = helper.make_node("Identity", ["bits"], ["y"])
    return model([node], [], [value("y", (2,), TensorProto.INT4)], opset=21, initializer=[bits])


def sparse():
    values = helper.make_tensor("thin", TensorProto.FLOAT, [1], [1.0])
    indices = helper.make_tensor("thin_indices", TensorProto.INT64, [1], [2])
    thin = helper.make_sparse_tensor(values, indices, [4])
    node = helper.make_node("Identity", ["thin"], ["y"])
    return model([node], [], [value("y")], sparse_initializer=[thin], check=False)


def sequence():
    """An output that is no tensor."""
    node = helper.make_node("SequenceConstruct", ["x"], ["y"])
    return model([node], [value("x")], [helper.make_tensor_sequence_value_info("y", TensorProto.FLOAT, [4])])


for make in [storage_forms, control_flow, functions, nested, attributes, old_file, external, text, narrow, sparse,
             sequence]:
    save(make(), make.__name__)
