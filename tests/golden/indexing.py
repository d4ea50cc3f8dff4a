"""Single-operator cases for the operators that move, select and combine elements, and for attention and quantisation.

Indices that come when the model runs are the input `i`; constant ones are initializers.
"""

import numpy as np
from onnx import helper, numpy_helper

from cases import FLOAT, INT64, Case, Network, drawn, floats, ints

INT8, UINT8, INT16, UINT16, INT32 = np.int8, np.uint8, np.int16, np.uint16, np.int32


def array(values, kind=INT64):
    return np.array(values, kind)


def network(name, opset, nodes, arrays, constants=None, outputs=("y",)):
    """Several nodes, or one whose inputs are not in the order of graph inputs first."""
    nodes = [helper.make_node(*node[:3], name=f"node{index}", **(node[3] if len(node) > 3 else {}))
             for index, node in enumerate(nodes)]
    return Network(name, opset, nodes, arrays, constants or {}, outputs)


def distinct(name, shape):
    """Multiples of 1/8 that differ from one another, so that small changes keep their order."""
    count = int(np.prod(shape))
    order = np.random.default_rng(len(name)).permutation(count)
    return ((order - count // 2) / 8).astype(FLOAT).reshape(shape)


def gathers():
    yield Case("gather_matrix_of_indices", "Gather", 13, [(4, 3, 2)], [array([[0, -1], [2, 2]])], {"axis": 1})
    yield Case("gather_last_axis", "Gather", 11, [(2, 5)], [array([4, 0, 4], INT32)], {"axis": -1})
    yield Case("gather_opset_1", "Gather", 1, [(5, 2)], [array([3])])
    for axis in [0, 1, -1]:
        yield network(f"gather_runtime_indices_axis_{axis}".replace("-", "minus_"), 13,
                      [("Gather", ["x", "i"], ["y"], {"axis": axis})],
                      {"x": drawn(f"gather{axis}", (3, 3, 4)), "i": array([[0, -3], [2, 2]])})
    yield network("gather_runtime_scalar_index", 13, [("Gather", ["x", "i"], ["y"])],
                  {"x": drawn("gather scalar", (3, 4)), "i": array(-1)})
    yield network("gather_of_integers_by_computed_index", 13,
                  [("ArgMax", ["x"], ["best"], {"axis": 1, "keepdims": 0}), ("Gather", ["labels", "best"], ["y"])],
                  {"x": distinct("labels", (2, 3))}, {"labels": ints(7, 8, 9)})
    yield network("gather_of_booleans", 13, [("Gather", ["flags", "i"], ["f"]), ("Cast", ["f"], ["y"], {"to": 1})],
                  {"i": array([1, 0, 2])}, {"flags": np.array([True, False, True])})
    elements = array([[0, -1, 1, 0], [2, 0, 0, -2]])
    yield Case("gatherelements_axis_0", "GatherElements", 13, [(3, 4)], [elements], {"axis": 0})
    yield Case("gatherelements_axis_1", "GatherElements", 11, [(2, 5)], [elements], {"axis": 1})
    yield Case("gatherelements_fewer_indices_than_rows", "GatherElements", 13, [(3, 4, 2)],
               [array([[[0, 1]], [[3, -1]]])], {"axis": 1})
    yield network("gatherelements_runtime_indices", 13, [("GatherElements", ["x", "i"], ["y"], {"axis": -1})],
                  {"x": drawn("elements", (2, 5)), "i": elements})
    yield Case("gathernd_elements", "GatherND", 13, [(2, 3, 4)], [array([[0, 1, 2], [-1, -1, -1]])])
    yield Case("gathernd_slices", "GatherND", 11, [(2, 3, 4)], [array([[[0, 1]], [[1, -3]]])])
    yield Case("gathernd_batch_dims", "GatherND", 12, [(2, 3, 4)], [array([[1], [-1]])], {"batch_dims": 1})
    yield Case("gathernd_two_batch_dims", "GatherND", 13, [(2, 3, 4, 2)], [array([[[1], [0], [2]], [[3], [-1], [0]]])],
               {"batch_dims": 2})
    yield network("gathernd_runtime_indices", 13, [("GatherND", ["x", "i"], ["y"], {"batch_dims": 1})],
                  {"x": drawn("nd", (2, 3, 4)), "i": array([[[1, 2], [0, -1]], [[-1, 0], [2, 2]]])})
    for axis in [0, 1, None]:
        yield Case(f"compress_axis_{axis}".lower(), "Compress", 11, [(3, 4)], [np.array([False, True, True])],
                   {} if axis is None else {"axis": axis})


def scatters():
    rows = array([[2], [0]])
    yield Case("scatternd_rows", "ScatterND", 16, [(3, 4)], [rows, drawn("rows", (2, 4))])
    yield Case("scatternd_elements_with_negative_indices", "ScatterND", 13, [(3, 4)],
               [array([[0, -1], [-3, 0]]), floats(10, 20)])
    yield Case("scatternd_opset_11_matrix_of_tuples", "ScatterND", 11, [(2, 3, 2)],
               [array([[[0, 0], [1, 2]], [[0, 2], [1, 0]]]), drawn("matrix of tuples", (2, 2, 2))])
    for reduction, opset in [("add", 16), ("mul", 16), ("max", 18), ("min", 18)]:
        yield Case(f"scatternd_{reduction}_of_repeated_rows", "ScatterND", opset, [(3, 2)],
                   [array([[1], [2], [1], [1]]), drawn(f"repeated {reduction}", (4, 2)) + FLOAT(1 / 16)],
                   {"reduction": reduction})
    yield network("scatternd_both_vary", 18, [("ScatterND", ["x", "indices", "z"], ["y"])],
                  {"x": drawn("both vary", (3, 4)), "z": drawn("both vary z", (2, 4))}, {"indices": rows})
    for reduction in ["none", "add"]:
        yield network(f"scatternd_{reduction}_at_runtime_indices", 18,
                      [("ScatterND", ["x", "i", "z"], ["y"], {"reduction": reduction})],
                      {"x": drawn("runtime", (3, 4)), "i": array([[2, 1], [-3, 0]]), "z": drawn("runtime z", (2,))})
    picks = array([[1, 0, 2], [0, 2, 1]])
    yield Case("scatterelements_axis_0", "ScatterElements", 11, [(3, 3)], [picks, drawn("picks", (2, 3))], {"axis": 0})
    yield Case("scatterelements_axis_1", "ScatterElements", 13, [(2, 5)], [picks, drawn("columns", (2, 3))],
               {"axis": -1})
    yield Case("scatterelements_fewer_rows", "ScatterElements", 18, [(3, 4)],
               [array([[-1, 0]]), floats(9, 8).reshape(1, 2)],
               {"axis": 1})
    for reduction, opset in [("add", 16), ("mul", 16), ("max", 18), ("min", 18)]:
        yield Case(f"scatterelements_{reduction}_of_repeats", "ScatterElements", opset, [(2, 3)],
                   [array([[0, 0, 0], [2, 1, 2]]), drawn(f"repeats {reduction}", (2, 3)) + FLOAT(1 / 16)],
                   {"axis": 1, "reduction": reduction})
    yield network("scatterelements_runtime_indices_both_vary", 18,
                  [("ScatterElements", ["x", "i", "z"], ["y"], {"axis": 1})],
                  {"x": drawn("e", (2, 4)), "i": array([[3, 0], [1, -2]]), "z": drawn("ez", (2, 2))})
    yield Case("scatter_opset_9", "Scatter", 9, [(3, 3)], [picks, drawn("old", (2, 3))], {"axis": 0})


def rearrangements():
    yield Case("tile", "Tile", 13, [(2, 3)], [ints(2, 3)])
    yield Case("tile_of_four_axes", "Tile", 6, [(1, 2, 1, 3)], [ints(2, 1, 3, 2)])
    for mode in ["DCR", "CRD"]:
        yield Case(f"depthtospace_{mode.lower()}", "DepthToSpace", 13, [(2, 8, 2, 3)], [],
                   {"blocksize": 2, "mode": mode})
    yield Case("depthtospace_opset_1", "DepthToSpace", 1, [(1, 9, 2, 2)], [], {"blocksize": 3})
    yield Case("spacetodepth", "SpaceToDepth", 13, [(2, 3, 4, 6)], [], {"blocksize": 2})
    for upper in [0, 1]:
        side = "upper" if upper else "lower"
        yield Case(f"trilu_{side}", "Trilu", 14, [(2, 3, 4)], [], {"upper": upper})
        yield Case(f"trilu_{side}_two_above", "Trilu", 14, [(4, 4)], [np.array(2)], {"upper": upper})
        yield Case(f"trilu_{side}_one_below", "Trilu", 14, [(4, 3)], [np.array(-1)], {"upper": upper})
    for operator, opset in [("CumSum", 14), ("CumProd", 26)]:
        stem = operator.lower()
        for exclusive, reverse in [(0, 0), (1, 0), (0, 1), (1, 1)]:
            yield Case(f"{stem}_exclusive_{exclusive}_reverse_{reverse}", operator, opset, [(2, 4, 3)], [np.array(1)],
                       {"exclusive": exclusive, "reverse": reverse})
        yield Case(f"{stem}_last_axis", operator, opset, [(2, 5)], [np.array(-1)])
    yield Case("cumsum_opset_11", "CumSum", 11, [(6,)], [np.array(0)])
    yield Case("reversesequence_time_first", "ReverseSequence", 10, [(4, 3, 2)], [ints(4, 1, 2)])
    yield Case("reversesequence_batch_first", "ReverseSequence", 10, [(3, 4)], [ints(0, 3, 4)],
               {"time_axis": 1, "batch_axis": 0})
    yield Case("centercroppad_both", "CenterCropPad", 18, [(5, 4, 3)], [ints(2, 7, 3)])
    yield Case("centercroppad_axes", "CenterCropPad", 18, [(1, 2, 7, 4)], [ints(4, 9)], {"axes": [-2, -1]})
    yield network("eyelike", 9, [("EyeLike", ["x"], ["e"], {"k": 1}), ("Add", ["x", "e"], ["y"])],
                  {"x": drawn("eye", (3, 4))})
    for axis in [0, 1, -1]:
        yield network(f"onehot_of_integers_axis_{axis}".replace("-", "minus_"), 11,
                      [("OneHot", ["i", "depth", "values"], ["y"], {"axis": axis})],
                      {"i": array([[0, -1], [5, 2]])}, {"depth": np.array(4), "values": floats(-0.5, 2)})
    yield network("onehot_values_vary", 11, [("OneHot", ["indices", "depth", "x"], ["y"])], {"x": floats(0.25, 3)},
                  {"indices": ints(2, 0), "depth": np.array(3)})
    yield Case("split_uneven_opset_18", "Split", 18, [(7, 2)], [], {"num_outputs": 3}, outputs=3)
    yield Case("split_opset_2_sizes", "Split", 2, [(2, 5)], [], {"axis": 1, "split": [2, 3]}, outputs=2)
    yield Case("expand_prepends_axes", "Expand", 8, [(3, 1)], [ints(2, 1, 3, 4)])
    yield Case("reshape_allowzero", "Reshape", 14, [(2, 3)], [ints(3, 2)], {"allowzero": 1})


def folded():
    """Values that depend on the input's shape alone, added to it, so that folding is what is tested."""
    def constants(name, nodes, opset=13, values=None, shape=(2, 3)):
        return network(f"folded_{name}", opset,
                       [*nodes, ("Cast", ["k"], ["f"], {"to": 1}), ("Add", ["x", "f"], ["y"])],
                       {"x": drawn(name, shape)}, values)

    shape = ("Shape", ["x"], ["s"])
    yield constants("shape_start_end", [("Shape", ["x"], ["k"], {"start": -2, "end": 2})], 15, shape=(4, 3, 2))
    yield constants("size", [("Size", ["x"], ["k"])])
    yield constants("range_of_whole_numbers", [("Range", ["a", "b", "c"], ["k"])], 11,
                    {"a": np.array(7), "b": np.array(-2), "c": np.array(-3)})
    yield constants("range_of_floats", [("Range", ["a", "b", "c"], ["k"])], 11,
                    {"a": np.array(0.5, FLOAT), "b": np.array(2.0, FLOAT), "c": np.array(0.5, FLOAT)})
    yield constants("constantofshape_and_nonzero",
                    [shape, ("ConstantOfShape", ["s"], ["ones"], {"value": numpy_helper.from_array(ints(1))}),
                     ("NonZero", ["ones"], ["n"]), ("ReduceMax", ["n"], ["k"], {"keepdims": 0, "axes": [1]})],
                    shape=(3, 2))
    yield constants("split_and_concat",
                    [shape, ("Split", ["s"], ["a", "b"]), ("Concat", ["b", "a", "b"], ["k"], {"axis": 0})])
    yield constants("concat_of_matrices", [("Concat", ["a", "b"], ["k"], {"axis": 1})], 13,
                    {"a": array([[1], [2]]), "b": array([[3, 4], [5, 6]])})
    yield constants("tile", [("Tile", ["a", "r"], ["k"])], 13, {"a": array([[1], [2]]), "r": ints(1, 3)})
    yield constants("gatherelements", [("GatherElements", ["a", "i"], ["k"], {"axis": 1})], 13,
                    {"a": array([[1, 2, 3], [4, 5, 6]]), "i": array([[0, -1, 0], [2, 2, 1]])})
    yield constants("gathernd", [("GatherND", ["a", "i"], ["k"])], 13,
                    {"a": array([[1, 2, 3], [4, 5, 6]]), "i": array([[1], [0]])})
    for reduction in ["none", "add", "mul", "max"]:
        yield constants(f"scatternd_{reduction}", [("ScatterND", ["a", "i", "u"], ["k"], {"reduction": reduction})], 18,
                        {"a": array([[1, 2, 3], [4, 5, 6]]), "i": array([[1]]), "u": array([[7, 1, 9]])})
    yield constants("scatterelements", [("ScatterElements", ["a", "i", "u"], ["k"], {"axis": 1})], 18,
                    {"a": array([[1, 2, 3], [4, 5, 6]]), "i": array([[1], [-1]]), "u": array([[7], [9]])})
    yield constants("trilu", [("Trilu", ["a"], ["k"])], 14, {"a": array([[1, 2, 3], [4, 5, 6]])})
    yield constants("cumsum", [("CumSum", ["a", "axis"], ["k"], {"exclusive": 1, "reverse": 1})], 14,
                    {"a": array([[1, 2, 3], [4, 5, 6]]), "axis": np.array(1)})
    yield constants("argmax", [("ArgMax", ["a"], ["k"], {"axis": 0, "select_last_index": 1})], 13,
                    {"a": array([[1, 5, 3], [1, 2, 6]])})
    yield constants("topk", [("TopK", ["a", "two"], ["v", "p"]), ("Add", ["v", "p"], ["s"]),
                             ("ReduceMax", ["s"], ["k"], {"axes": [1]})], 11,
                    {"a": array([[1, 5, 5], [1, 2, 6]]), "two": ints(2)})
    yield constants("onehot", [("OneHot", ["i", "depth", "v"], ["k"])], 11,
                    {"i": ints(2, -3), "depth": np.array(3), "v": ints(0, 4)})
    yield constants("compress", [("Compress", ["a", "c"], ["k"], {"axis": 1})], 11,
                    {"a": array([[1, 2, 3, 4], [5, 6, 7, 8]]), "c": np.array([True, False, True, True])})
    yield constants("unique", [("Unique", ["a"], ["u", "first", "inverse", "counts"]),
                               ("Concat", ["first", "counts"], ["k"], {"axis": 0})], 11, {"a": ints(2, 1, 1, 3, 4, 3)},
                    shape=(8,))
    yield constants("unique_rows_unsorted",
                    [("Unique", ["a"], ["k", "first", "inverse", "c"], {"axis": 0, "sorted": 0})], 11,
                    {"a": array([[3, 1, 2], [0, 0, 0], [3, 1, 2]])})
    yield constants("where", [shape, ("Equal", ["s", "three"], ["is"]), ("Where", ["is", "s", "m"], ["t"]),
                              ("ReduceSum", ["t"], ["k"], {"keepdims": 0})], 13, {"three": ints(3), "m": ints(-1)})


def rankings():
    for operator in ["ArgMax", "ArgMin"]:
        stem = operator.lower()
        for keep in [0, 1]:
            yield network(f"{stem}_keepdims_{keep}", 13, [(operator, ["x"], ["y"], {"axis": 1, "keepdims": keep})],
                          {"x": distinct(stem, (2, 4, 3))})
        for last in [0, 1]:
            yield network(f"{stem}_of_equals_last_{last}", 12,
                          [(operator, ["x"], ["y"], {"axis": -1, "select_last_index": last})],
                          {"x": array([[1, 3, 3, 1], [2, 2, 2, 2]], FLOAT)})
    yield network("argmax_default_axis_opset_1", 1, [("ArgMax", ["x"], ["y"])], {"x": distinct("default", (3, 2))})
    for largest in [0, 1]:
        yield network(f"topk_largest_{largest}", 11,
                      [("TopK", ["x", "k"], ["y", "p"], {"axis": 1, "largest": largest})],
                      {"x": distinct("topk", (2, 5, 3))}, {"k": ints(3)}, ("y", "p"))
    yield network("topk_of_equals_takes_the_first", 11, [("TopK", ["x", "k"], ["y", "p"])],
                  {"x": array([[1, 3, 3, 1], [2, 2, 2, 2]], FLOAT)}, {"k": ints(3)}, ("y", "p"))
    yield network("topk_opset_10", 10, [("TopK", ["x", "k"], ["y", "p"], {"axis": 0})], {"x": distinct("ten", (4, 2))},
                  {"k": ints(2)}, ("y", "p"))
    yield network("topk_opset_1", 1, [("TopK", ["x"], ["y", "p"], {"k": 4})], {"x": distinct("one", (2, 4))}, {},
                  ("y", "p"))
    yield network("topk_of_many", 11, [("TopK", ["x", "k"], ["y", "p"])], {"x": distinct("many", (1, 300))},
                  {"k": ints(40)},
                  ("y", "p"))


def einsums():
    cases = [("matmul", "ij,jk->ik", [(2, 3), (3, 4)]), ("batched", "bij,bjk->bik", [(2, 3, 4), (2, 4, 2)]),
             ("implicit", "bi, ij", [(2, 3), (3, 4)]), ("ellipsis", "...ij,...jk->...ik", [(2, 1, 2, 3), (4, 3, 2)]),
             ("attention", "bhqd,bkhd->bhqk", [(2, 2, 3, 4), (2, 5, 2, 4)]), ("transpose", "abc->cab", [(2, 3, 4)]),
             ("sum", "ij->", [(2, 3)]), ("row_sums", "ij->i", [(2, 3)]), ("diagonal", "bii->bi", [(2, 3, 3)]),
             ("trace", "ii", [(4, 4)]), ("outer", "i,j->ij", [(3,), (4,)]), ("inner", "i,i->", [(5,), (5,)]),
             ("elementwise", "ij,ij->ij", [(2, 3), (2, 3)]), ("sum_of_the_other", "ij,k->i", [(2, 3), (4,)]),
             ("relative_position", "bhwc,hkc->bhwk", [(1, 3, 2, 4), (3, 5, 4)])]
    for name, equation, shapes in cases:
        yield Case(f"einsum_{name}", "Einsum", 12, shapes, [], {"equation": equation})
    yield Case("einsum_of_three", "Einsum", 12, [(2, 3), (3, 4)], [drawn("third", (4, 2, 5))],
               {"equation": "ij,jk,kil->lj"})


def quantization():
    def quantize(name, opset, scale, zero, shape=(2, 3, 4), **attributes):
        constants = {"scale": scale} | ({} if zero is None else {"zero": zero})
        inputs = ["scale"] + ([] if zero is None else ["zero"])
        x = drawn(name, shape) * FLOAT(8) + FLOAT(1 / 16)
        yield network(f"quantizelinear_{name}", opset, [("QuantizeLinear", ["x", *inputs], ["y"], attributes)],
                      {"x": x},
                      constants)
        yield network(f"qdq_{name}", opset, [("QuantizeLinear", ["x", *inputs], ["q"], attributes),
                                             ("DequantizeLinear", ["q", *inputs], ["y"],
                                              attributes)], {"x": x}, constants)

    yield from quantize("uint8", 10, np.array(0.25, FLOAT), np.array(128, UINT8))
    yield from quantize("int8_saturates", 13, np.array(0.125, FLOAT), np.array(-20, INT8))
    yield from quantize("without_zero_point", 13, np.array(0.5, FLOAT), None)
    yield from quantize("int16", 21, np.array(0.0625, FLOAT), np.array(-3, INT16))
    yield from quantize("uint16", 21, np.array(0.0625, FLOAT), np.array(30000, UINT16))
    yield from quantize("per_axis", 13, floats(0.25, 0.5, 1), array([0, 100, 200], UINT8), axis=1)
    yield from quantize("per_last_axis", 13, floats(0.25, 0.5, 1, 2), array([0, 1, 2, -3], INT8), axis=-1)
    yield from quantize("blocks", 21, (2.0 ** -np.arange(12)).astype(FLOAT).reshape(2, 3, 2), np.zeros((2, 3, 2), INT8),
                        axis=2, block_size=2)
    halves = array([[-2.5, -1.5, -0.5, 0.5], [1.5, 2.5, 3.5, 300]], FLOAT)
    yield network("quantizelinear_rounds_half_to_even", 13, [("QuantizeLinear", ["x", "scale", "zero"], ["y"])],
                  {"x": halves}, {"scale": np.array(1, FLOAT), "zero": np.array(0, INT8)})
    weights = np.random.default_rng(3).integers(-128, 128, (3, 2, 2, 2)).astype(INT8)
    yield network("dequantizelinear_weights_per_channel", 13,
                  [("DequantizeLinear", ["w", "scale", "zero"], ["k"], {"axis": 0}), ("Conv", ["x", "k"], ["y"])],
                  {"x": drawn("dq conv", (1, 2, 4, 4))},
                  {"w": weights, "scale": floats(0.01, 0.02, 0.03), "zero": array([0, 1, -2], INT8)})
    yield network("dequantizelinear_int32_bias", 13,
                  [("DequantizeLinear", ["b", "scale"], ["k"]), ("Add", ["x", "k"], ["y"])],
                  {"x": drawn("dq bias", (2, 3))}, {"b": array([1000, -70000, 3], INT32),
                              "scale": np.array(0.001, FLOAT)})
    yield network("dynamicquantizelinear", 11, [("DynamicQuantizeLinear", ["x"], ["q", "s", "zp"]),
                                                ("DequantizeLinear", ["q", "s", "zp"], ["y"])],
                  {"x": array([[0.3, -1.7, 2.55], [0.9, 1.3, -0.4]], FLOAT)}, {}, ("y", "s"))
    one = {"xs": np.array(0.25, FLOAT), "xz": np.array(100, UINT8), "ys": np.array(0.5, FLOAT),
                          "yz": np.array(120, UINT8)}
    quantized = ("QuantizeLinear", ["x", "xs", "xz"], ["q"])
    back = ("DequantizeLinear", ["r", "ys", "yz"], ["y"])
    yield network("qlinearconv", 10,
                  [quantized, ("QLinearConv", ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"], ["r"], {"pads": [1,
                               0, 1, 0]}),
                   back], {"x": drawn("qlinearconv", (1, 2, 4, 5))},
                  one | {"w": weights, "ws": floats(0.01, 0.02, 0.005), "wz": array([0, 0, 0], INT8),
                         "b": array([10, -200, 3], INT32)})
    yield network("qlinearmatmul", 10,
                  [quantized, ("QLinearMatMul", ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz"], ["r"]), back],
                  {"x": drawn("qlinearmatmul", (2, 3))},
                  one | {"w": array([[1, 2], [3, 250], [100, 7]], UINT8), "ws": np.array(0.03, FLOAT),
                                    "wz": np.array(9, UINT8)})
    yield network("matmulinteger", 10, [quantized, ("MatMulInteger", ["q", "w", "xz", "wz"], ["r"]),
                                        ("Cast", ["r"], ["y"], {"to": 1})], {"x": drawn("matmulinteger", (2, 3))},
                  one | {"w": array([[1, 2], [3, -5], [100, 7]], INT8), "wz": np.array(-3, INT8)})
    yield network("convinteger", 10,
                  [quantized, ("ConvInteger", ["q", "w", "xz"], ["r"]), ("Cast", ["r"], ["y"], {"to": 1})],
                  {"x": drawn("convinteger", (1, 2, 3, 4))}, one | {"w": weights.astype(INT32).clip(0,
                              100).astype(UINT8)})


def samples():
    """Positions between pixels and outside the image, none of them near an edge where a derivative jumps."""
    def grid(name, shape):
        return (np.random.default_rng(len(name)).integers(-13, 13, shape) / 10 + 0.0371).astype(FLOAT)

    for mode in ["bilinear", "nearest", "bicubic"]:
        for padding in ["zeros", "border", "reflection"]:
            for corners in [0, 1]:
                name = f"gridsample_{mode}_{padding}_corners_{corners}"
                # The nearest pixel does not change with the position: those are constants.
                positions = {"z": grid(name, (2, 3, 2, 2))}
                inputs, constants = ({}, positions) if mode == "nearest" else (positions, {})
                yield network(name, 16, [("GridSample", ["x", "z"], ["y"],
                                          {"mode": mode, "padding_mode": padding, "align_corners": corners})],
                              {"x": drawn(name, (2, 2, 4, 5))} | inputs, constants)
    yield network("gridsample_opset_20_cubic", 20, [("GridSample", ["x", "grid"], ["y"], {"mode": "cubic"})],
                  {"x": drawn("cubic", (1, 2, 4, 4))}, {"grid": grid("cubic", (1, 2, 2, 2))})
    for mode in ["linear", "nearest"]:
        yield network(f"gridsample_3d_{mode}", 20,
                      [("GridSample", ["x", "grid"], ["y"], {"mode": mode, "padding_mode": "border"})],
                      {"x": drawn(f"3d {mode}", (1, 2, 3, 4, 3))}, {"grid": grid(f"3d {mode}", (1, 2, 2, 2, 3))})
    for corners in [0, 1]:
        yield Case(f"affinegrid_corners_{corners}", "AffineGrid", 20, [(2, 2, 3)], [ints(2, 3, 3, 4)],
                   {"align_corners": corners})
        yield Case(f"affinegrid_3d_corners_{corners}", "AffineGrid", 20, [(1, 3, 4)], [ints(1, 2, 2, 3, 4)],
                   {"align_corners": corners})
    rois = array([[0.6, 1.1, 5.3, 4.2], [2.1, 0.3, 3.3, 6.9], [-1.2, 4.1, 2.2, 9.4]], FLOAT)
    forms = [("average", 16, {}), ("average_opset_10", 10, {}), ("adaptive", 16, {"sampling_ratio": 0}),
             ("output_half_pixel", 16, {"coordinate_transformation_mode": "output_half_pixel"}),
             ("maximum", 16, {"mode": "max"}), ("maximum_adaptive_opset_22", 22, {"mode": "max", "sampling_ratio": 0})]
    for name, opset, attributes in forms:
        settings = {"output_height": 2, "output_width": 3, "sampling_ratio": 2, "spatial_scale": 0.75} | attributes
        yield Case(f"roialign_{name}", "RoiAlign", opset, [(2, 2, 5, 6)], [rois, ints(0, 1, 0)], settings)
    yield network("roialign_runtime_regions", 16,
                  [("Cast", ["r"], ["regions"], {"to": 1}),
                   ("RoiAlign", ["x", "regions", "i"], ["y"],
                    {"output_height": 2, "output_width": 2, "sampling_ratio": 2, "spatial_scale": 0.7})],
                  {"x": drawn("roi", (2, 2, 5, 6)), "r": rois.astype(INT64), "i": ints(1, 0, 1)})


def attention():
    shapes = {"x": (1, 2, 3, 4), "k": (1, 2, 5, 4), "v": (1, 2, 5, 3)}

    def attend(name, inputs, attributes=None, constants=None, opset=23, shapes=shapes, outputs=("y",)):
        arrays = {key: drawn(name + key, shape) for key, shape in shapes.items()}
        return network(f"attention_{name}", opset, [("Attention", inputs, list(outputs), attributes or {})], arrays,
                       constants, tuple(output for output in outputs if output))

    qkv = ["x", "k", "v"]
    yield attend("four_axes", qkv)
    yield attend("scale_and_softcap", qkv, {"scale": 0.3, "softcap": 2.0})
    yield attend("causal", qkv, {"is_causal": 1})
    yield attend("float_mask", [*qkv, "mask"], None, {"mask": drawn("mask", (3, 5))})
    yield attend("boolean_mask", [*qkv, "mask"], None, {"mask": drawn("boolean mask", (1, 1, 3, 5)) > 0})
    three = {"x": (2, 3, 8), "k": (2, 4, 8), "v": (2, 4, 6)}
    heads = {"q_num_heads": 2, "kv_num_heads": 2}
    yield attend("three_axes", qkv, heads, shapes=three)
    yield attend("three_axes_grouped", qkv, {"q_num_heads": 4, "kv_num_heads": 2},
                 shapes={"x": (2, 3, 16), "k": (2, 4, 8), "v": (2, 4, 6)})
    yield attend("grouped", qkv, None, shapes={"x": (1, 6, 3, 4), "k": (1, 2, 5, 4), "v": (1, 2, 5, 4)})
    past = shapes | {"pk": (1, 2, 2, 4), "pv": (1, 2, 2, 3)}
    yield attend("past", [*qkv, "", "pk", "pv"], None, None, 23, past, ("y", "present_key", "present_value"))
    yield attend("past_causal", [*qkv, "", "pk", "pv"], {"is_causal": 1}, None, 23, past,
                 ("y", "present_key", "present_value"))
    for mode in [0, 1, 2, 3]:
        yield attend(f"scores_mode_{mode}", [*qkv, "mask"], {"softcap": 3.0, "qk_matmul_output_mode": mode},
                     {"mask": drawn("scores", (3, 5))}, 24, shapes, ("y", "", "", "scores"))
    rotary = {"x": (2, 3, 4, 6)}
    angles = {"c": drawn("c", (10, 3)), "s": drawn("s", (10, 3))}
    places = array([[0, 1, 2, 3], [9, 4, 0, 5]])
    for interleaved in [0, 1]:
        x = drawn(f"rotary{interleaved}", rotary["x"])
        yield network(f"rotaryembedding_interleaved_{interleaved}", 23,
                      [("RotaryEmbedding", ["x", "c", "s", "places"], ["y"], {"interleaved": interleaved})], {"x": x},
                      angles | {"places": places})
    yield network("rotaryembedding_runtime_positions", 23, [("RotaryEmbedding", ["x", "c", "s", "i"], ["y"])],
                  {"x": drawn("rotary runtime", rotary["x"]), "i": places}, angles)
    yield network("rotaryembedding_three_axes_partial", 23,
                  [("RotaryEmbedding", ["x", "c", "s"], ["y"], {"num_heads": 2, "rotary_embedding_dim": 4})],
                  {"x": drawn("partial", (2, 3, 12))}, {"c": drawn("pc", (2, 3, 2)), "s": drawn("ps", (2, 3, 2))})


FAMILIES = [gathers, scatters, rearrangements, folded, rankings, einsums, quantization, samples, attention]
