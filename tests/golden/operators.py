"""Single-operator models for the attributes and opset versions that PyTorch's exporters do not write."""

import numpy as np
from onnx import helper

import dense
import indexing
from cases import BOOL, FLOAT, INT64, Case, Network, drawn, floats, ints, make_case
from files import fresh_folder, write_lines


def convolutions():
    for pad in ["SAME_UPPER", "SAME_LOWER", "VALID"]:
        for kernel, stride in [((3, 3), 1), ((3, 3), 2), ((2, 4), 3), ((4, 1), 1)]:
            name = f"conv_{pad.lower()}_{kernel[0]}x{kernel[1]}_stride_{stride}"
            yield Case(name, "Conv", 11, [(1, 2, 7, 8)], [drawn(name, (3, 2, *kernel)), floats(0.5, -1, 0)],
                       {"auto_pad": pad, "strides": [stride, stride]})
    weights = drawn("weights", (4, 1, 3, 3))
    yield Case("conv_four_different_pads", "Conv", 11, [(1, 2, 5, 6)], [weights], {"group": 2, "pads": [0, 1, 2, 3]})
    yield Case("conv_kernel_shape_inferred", "Conv", 22, [(1, 2, 5, 6)], [weights], {"group": 2})
    yield Case("conv_auto_pad_notset_with_pads", "Conv", 1, [(1, 1, 5, 5)], [weights],
               {"auto_pad": "NOTSET", "kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})


def pools():
    for operator, opset in [("MaxPool", 12), ("AveragePool", 19)]:
        stem = operator.lower()
        for pad in ["SAME_UPPER", "SAME_LOWER", "VALID"]:
            for kernel, stride in [((3, 3), 2), ((2, 3), 3)]:
                yield Case(f"{stem}_{pad.lower()}_{kernel[0]}x{kernel[1]}_stride_{stride}", operator, opset,
                           [(1, 2, 7, 8)], [],
                           {"auto_pad": pad, "kernel_shape": list(kernel), "strides": [stride, stride]})
        for name, shape, pads in [("exact", (7, 9), [0, 0, 0, 0]), ("partial", (8, 6), [0, 0, 0, 0]),
                                  ("padded", (8, 6), [1, 1, 1, 1]), ("uneven_pads", (7, 6), [0, 1, 1, 0])]:
            yield Case(f"{stem}_ceil_mode_{name}", operator, opset, [(1, 2, *shape)], [],
                       {"ceil_mode": 1, "kernel_shape": [3, 3], "strides": [2, 2], "pads": pads})
        yield Case(f"{stem}_dilated", operator, opset, [(1, 2, 8, 9)], [],
                   {"kernel_shape": [3, 2], "dilations": [2, 3], "strides": [1, 2]})
        yield Case(f"{stem}_default_strides_are_one", operator, opset, [(1, 2, 5, 5)], [], {"kernel_shape": [2, 3]})
    counted = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1}
    yield Case("averagepool_count_include_pad", "AveragePool", 7, [(1, 2, 7, 8)], [], counted)
    yield Case("averagepool_count_include_pad_ceil_mode", "AveragePool", 19, [(1, 2, 7, 8)], [],
               counted | {"ceil_mode": 1})
    yield Case("averagepool_same_upper_count_include_pad", "AveragePool", 11, [(1, 2, 7, 8)], [],
               {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER", "count_include_pad": 1})
    yield Case("globalaveragepool", "GlobalAveragePool", 1, [(2, 3, 4, 5)])
    yield Case("globalmaxpool", "GlobalMaxPool", 1, [(2, 3, 4, 5)])


def resizes():
    nearest = [("floor", "asymmetric"), ("round_prefer_floor", "half_pixel"), ("round_prefer_ceil", "half_pixel"),
               ("ceil", "half_pixel"), ("round_prefer_floor", "align_corners"), ("floor", "align_corners"),
               ("ceil", "asymmetric"), ("round_prefer_floor", "pytorch_half_pixel")]
    for rounding, coordinates in nearest:
        for direction, scales in [("up", (2.0, 1.5)), ("down", (0.75, 0.5))]:
            yield Case(f"resize_nearest_{rounding}_{coordinates}_{direction}", "Resize", 13, [(1, 1, 4, 6)],
                       [None, floats(1, 1, *scales)],
                       {"mode": "nearest", "nearest_mode": rounding, "coordinate_transformation_mode": coordinates})
    for coordinates in ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]:
        attributes = {"mode": "linear", "coordinate_transformation_mode": coordinates}
        for name, scales in [("up", (2.0, 1.5)), ("down", (0.75, 0.5))]:
            yield Case(f"resize_linear_{coordinates}_{name}", "Resize", 11, [(1, 1, 4, 6)],
                       [floats(), floats(1, 1, *scales)], attributes)
        yield Case(f"resize_linear_{coordinates}_sizes", "Resize", 18, [(1, 2, 4, 6)],
                   [None, None, ints(1, 2, 7, 4)], attributes)
        yield Case(f"resize_linear_{coordinates}_to_one_pixel", "Resize", 13, [(1, 1, 4, 6)],
                   [None, None, ints(1, 1, 1, 1)], attributes)
    yield Case("resize_sizes_of_some_axes", "Resize", 18, [(1, 1, 4, 6)], [None, None, ints(10, 9)],
               {"mode": "nearest", "axes": [2, 3]})
    yield Case("resize_scales_of_some_axes", "Resize", 18, [(1, 2, 4, 6)], [None, floats(2, 3)],
               {"mode": "linear", "axes": [3, 2]})
    yield Case("resize_opset_10", "Resize", 10, [(1, 1, 3, 4)], [floats(1, 1, 2, 2)], {"mode": "nearest"})


def reductions():
    for kind in ["Mean", "Sum", "Max", "Min", "L2"]:
        name, operator = f"reduce_{kind.lower()}", f"Reduce{kind}"
        yield Case(f"{name}_keepdims_opset_11", operator, 11, [(2, 3, 4)], [], {"axes": [1], "keepdims": 1})
        by_attribute = 11 if kind == "Sum" else 13
        yield Case(f"{name}_drops_axes_opset_{by_attribute}", operator, by_attribute, [(2, 3, 4)], [],
                   {"axes": [0, 2], "keepdims": 0})
        yield Case(f"{name}_all_axes", operator, by_attribute, [(2, 3, 4)], [], {"keepdims": 1})
        yield Case(f"{name}_negative_axis", operator, by_attribute, [(2, 3, 4)], [], {"axes": [-1]})
        yield Case(f"{name}_axes_input", operator, 18, [(2, 3, 4)], [ints(-2)], {"keepdims": 0})
        yield Case(f"{name}_no_axes_input_is_all", operator, 18, [(2, 3, 4)], [], {"keepdims": 1})
    yield Case("reduce_sum_axes_input_opset_13", "ReduceSum", 13, [(2, 3, 4)], [ints(0, 2)], {"keepdims": 1})
    yield Case("reduce_mean_noop_with_empty_axes", "ReduceMean", 18, [(2, 3, 4)], [ints()],
               {"noop_with_empty_axes": 1})


def softmaxes():
    for operator in ["Softmax", "LogSoftmax"]:
        stem = operator.lower()
        yield Case(f"{stem}_opset_11_joins_the_axes_after", operator, 11, [(2, 3, 4)], [], {"axis": 1})
        yield Case(f"{stem}_opset_11_default_axis", operator, 11, [(2, 3, 4)])
        yield Case(f"{stem}_opset_11_last_axis", operator, 11, [(2, 3, 4)], [], {"axis": -1})
        yield Case(f"{stem}_opset_13_one_axis", operator, 13, [(2, 3, 4)], [], {"axis": 1})
        yield Case(f"{stem}_opset_13_default_axis", operator, 13, [(2, 3, 4)])


def ranges_and_pads():
    yield Case("clip_opset_6_attributes", "Clip", 6, [(2, 6)], [], {"min": -0.5, "max": 1.25})
    yield Case("clip_opset_6_only_max", "Clip", 6, [(2, 6)], [], {"max": 0.5})
    yield Case("clip_opset_11_inputs", "Clip", 11, [(2, 6)], [np.array(-0.5, FLOAT), np.array(1.25, FLOAT)])
    yield Case("clip_opset_13_only_max", "Clip", 13, [(2, 6)], [None, np.array(0.5, FLOAT)])
    yield Case("clip_opset_13_only_min", "Clip", 13, [(2, 6)], [np.array(0.0, FLOAT)])
    pads = [0, 0, 1, 2, 0, 1, 3, 0]
    yield Case("pad_opset_2_constant", "Pad", 2, [(1, 2, 4, 5)], [], {"pads": pads, "value": 1.5})
    yield Case("pad_opset_2_reflect", "Pad", 2, [(1, 2, 4, 5)], [],
               {"pads": [0, 0, 1, 2, 0, 0, 3, 0], "mode": "reflect"})
    yield Case("pad_opset_11_constant", "Pad", 11, [(1, 2, 4, 5)], [ints(*pads), np.array(1.5, FLOAT)])
    yield Case("pad_opset_13_default_is_zero", "Pad", 13, [(1, 2, 4, 5)], [ints(*pads)], {"mode": "constant"})
    yield Case("pad_negative_crops", "Pad", 13, [(1, 2, 4, 5)], [ints(0, 0, -1, 1, 0, 0, 1, -2)])
    for mode in ["reflect", "edge"]:
        yield Case(f"pad_{mode}", "Pad", 13, [(1, 2, 4, 5)], [ints(0, 0, 2, 1, 0, 0, 3, 4)], {"mode": mode})
    yield Case("pad_some_axes", "Pad", 18, [(1, 2, 4, 5)], [ints(1, 0, 2, 3), None, ints(3, 1)])


def shapes():
    yield Case("slice_opset_9_attributes", "Slice", 9, [(3, 5, 6)], [],
               {"axes": [1, 2], "starts": [1, -4], "ends": [1000, -1]})
    yield Case("slice_all_axes_in_order", "Slice", 10, [(3, 5)], [ints(1, 0), ints(3, 4)])
    yield Case("slice_negative_step", "Slice", 13, [(3, 5, 6)], [ints(-1, 4), ints(-1000, 0), ints(0, 2), ints(-1, -2)])
    yield Case("slice_negative_axis_and_step", "Slice", 13, [(3, 5, 6)], [ints(0), ints(100), ints(-1), ints(4)])
    yield Case("squeeze_opset_11", "Squeeze", 11, [(1, 3, 1, 4)], [], {"axes": [2]})
    yield Case("squeeze_opset_13", "Squeeze", 13, [(1, 3, 1, 4)], [ints(0, -2)])
    yield Case("squeeze_every_axis_of_size_one", "Squeeze", 13, [(1, 3, 1, 4)])
    yield Case("unsqueeze_opset_11", "Unsqueeze", 11, [(3, 4)], [], {"axes": [0, 3]})
    yield Case("unsqueeze_opset_13", "Unsqueeze", 13, [(3, 4)], [ints(-1, 1)])
    for axis in [0, 1, 2, 3, -1]:
        yield Case(f"flatten_axis_{axis}".replace("-", "minus_"), "Flatten", 13, [(2, 3, 4)], [], {"axis": axis})
    yield Case("flatten_default_axis", "Flatten", 1, [(2, 3, 4)])
    yield Case("transpose_default_reverses", "Transpose", 13, [(2, 3, 4)])
    yield Case("transpose_perm", "Transpose", 1, [(2, 3, 4, 2)], [], {"perm": [0, 2, 3, 1]})
    yield Case("reshape_zero_keeps_and_minus_one_infers", "Reshape", 13, [(2, 3, 4)], [ints(0, -1, 2)])
    yield Case("reshape_allowzero_off_to_scalar_axes", "Reshape", 14, [(1, 1, 1)], [ints()])
    yield Case("concat_negative_axis", "Concat", 13, [(2, 3), (2, 2)], [drawn("joined", (2, 1))], {"axis": -1})
    yield Case("split_even_opset_11", "Split", 11, [(4, 3)], [], {"axis": 0}, outputs=2)
    yield Case("split_sizes_input", "Split", 13, [(2, 6)], [ints(1, 3, 2)], {"axis": -1}, outputs=3)
    yield Case("split_num_outputs_last_is_smaller", "Split", 18, [(2, 5)], [], {"axis": 1, "num_outputs": 2}, outputs=2)
    yield Case("expand", "Expand", 13, [(3, 1)], [ints(2, 1, 4)])
    yield Case("gather_rows_with_negative_index", "Gather", 13, [(4, 3)], [ints(2, -1, 0)], {"axis": 0})
    yield Case("gather_scalar_index_drops_axis", "Gather", 13, [(2, 4, 3)], [np.array(-2, INT64)], {"axis": 1})


def algebra():
    for trans_a, trans_b in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        a, b = (3, 2) if trans_a else (2, 3), (4, 3) if trans_b else (3, 4)
        yield Case(f"gemm_trans_a_{trans_a}_trans_b_{trans_b}", "Gemm", 13, [a], [drawn("b", b), drawn("c", (4,))],
                   {"transA": trans_a, "transB": trans_b})
    for name, c in [("scalar", np.array(2.0, FLOAT)), ("row", drawn("row", (1, 4))), ("column", drawn("col", (2, 1))),
                    ("matrix", drawn("matrix", (2, 4)))]:
        yield Case(f"gemm_alpha_beta_c_{name}", "Gemm", 11, [(2, 3)], [drawn("b", (3, 4)), c],
                   {"alpha": 0.5, "beta": -2.0})
    yield Case("gemm_without_c", "Gemm", 11, [(2, 3)], [drawn("b", (3, 4))], {"alpha": 1.5})
    yield Case("gemm_opset_7_both_inputs_vary", "Gemm", 7, [(2, 3), (3, 4)], [drawn("c", (4,))])
    yield Case("matmul_matrix_by_vector", "MatMul", 13, [(2, 3)], [drawn("vector", (3,))])
    yield Case("matmul_batched_by_matrix", "MatMul", 13, [(2, 2, 3)], [drawn("matrix", (3, 4))])
    yield Case("matmul_batched_both_broadcast", "MatMul", 13, [(2, 1, 2, 3), (3, 3, 2)])
    norm = [floats(1, -0.5, 2), floats(0, 1, -1), floats(0.5, 0, -0.5), floats(1, 2, 0.25)]
    yield Case("batchnormalization_epsilon", "BatchNormalization", 9, [(2, 3, 2, 2)], norm, {"epsilon": 0.1})
    yield Case("batchnormalization_opset_15_rank_2", "BatchNormalization", 15, [(4, 3)], norm)
    yield Case("dropout_opset_7", "Dropout", 7, [(2, 3)], [], {"ratio": 0.9})
    yield Case("dropout_opset_13", "Dropout", 13, [(2, 3)], [np.array(0.9, FLOAT), np.array(False, BOOL)])
    yield Case("identity", "Identity", 1, [(2, 3)])


def elementwise():
    for operator in ["Add", "Sub", "Mul", "Div"]:
        yield Case(f"{operator.lower()}_broadcasts_both_ways", operator, 13, [(2, 1, 3), (4, 1)], positive=True)
        yield Case(f"{operator.lower()}_constant_of_lower_rank", operator, 7, [(2, 3, 4)],
                   [drawn("divisor", (4,), positive=True)])
    for operator in ["Min", "Max", "Sum", "Mean"]:
        yield Case(f"{operator.lower()}_of_three", operator, 13, [(2, 3), (3,)], [drawn("third", (2, 1))])
        yield Case(f"{operator.lower()}_of_one", operator, 8, [(2, 3)])
    yield Case("pow_square", "Pow", 13, [(2, 3)], [np.array(2.0, FLOAT)])
    yield Case("pow_cube_of_negatives", "Pow", 12, [(2, 3)], [np.array(3.0, FLOAT)])
    yield Case("pow_broadcasts_exponents", "Pow", 13, [(2, 3)], [floats(0.5, -1, 2.5)], positive=True)
    yield Case("pow_integer_exponent", "Pow", 13, [(2, 3)], [np.array(2, INT64)])
    for operator in ["Sqrt", "Log", "Reciprocal"]:
        yield Case(operator.lower(), operator, 13, [(2, 6)], positive=True)
    for operator in ["Exp", "Abs", "Neg", "Relu", "Sigmoid", "Tanh", "Erf"]:
        yield Case(operator.lower(), operator, 13, [(2, 6)])
    for operator, opset in [("Softplus", 1), ("Elu", 6), ("LeakyRelu", 6), ("HardSigmoid", 6)]:
        yield Case(f"{operator.lower()}_defaults", operator, opset, [(2, 6)])
    yield Case("leakyrelu_alpha", "LeakyRelu", 16, [(2, 6)], [], {"alpha": 0.3})
    yield Case("elu_alpha", "Elu", 6, [(2, 6)], [], {"alpha": 0.5})
    yield Case("hardsigmoid_alpha_beta", "HardSigmoid", 6, [(2, 6)], [], {"alpha": 0.5, "beta": 0.25})
    yield Case("hardswish", "HardSwish", 14, [(2, 6)])
    yield Case("gelu_exact", "Gelu", 20, [(2, 6)])
    yield Case("gelu_tanh", "Gelu", 20, [(2, 6)], [], {"approximate": "tanh"})
    yield Case("prelu_slope_per_channel", "PRelu", 9, [(2, 3, 2, 2)], [drawn("slope", (3, 1, 1))])
    yield Case("prelu_one_slope", "PRelu", 16, [(2, 3)], [floats(0.25)])


def choices():
    """Where needs a condition, so this model has two nodes."""
    nodes = [helper.make_node("Greater", ["x", "zero"], ["positive"], name="compare"),
             helper.make_node("Where", ["positive", "x", "other"], ["y"], name="node")]
    yield Network("where_broadcasts", 13, nodes, {"x": drawn("where", (2, 3))},
                  {"zero": floats(0), "other": floats(7, 8, 9)})


FAMILIES = [convolutions, pools, resizes, reductions, softmaxes, ranges_and_pads, shapes, algebra, elementwise, choices,
            *dense.FAMILIES, *indexing.FAMILIES]


def make():
    folder = fresh_folder("operators")
    write_lines("operators.json", [make_case(case, folder) for family in FAMILIES for case in family()])
