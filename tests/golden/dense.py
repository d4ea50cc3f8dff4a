"""Cases of arithmetic, normalisation, convolution, pooling, resizing, padding and reduction, attribute by attribute."""

import numpy as np
from onnx import helper

from cases import BOOL, FLOAT, INT32, INT64, Case, Network, drawn, floats, ints


def functions():
    for operator in ["Sin", "Cos", "Sinh", "Cosh", "Atan", "Asinh", "Sign", "Round", "Ceil", "Floor", "Softsign"]:
        yield Case(operator.lower(), operator, 22 if operator not in ["Sign", "Ceil", "Floor"] else 13, [(2, 6)])
    for operator in ["Asin", "Acos", "Atanh"]:
        yield Case(operator.lower(), operator, 22, [(2, 6)], divisor=4)
    yield Case("tan", "Tan", 22, [(2, 6)], divisor=4)
    yield Network("acosh", 22, [helper.make_node("Acosh", ["x"], ["y"], name="node")],
                  {"x": floats(1.125, 1.5, 2, 2.25, 3, 7.5)})
    yield Case("mish", "Mish", 18, [(2, 6)])
    for name, attributes in [("defaults", {}), ("alpha_gamma", {"alpha": 2.0, "gamma": 0.5})]:
        yield Case(f"selu_{name}", "Selu", 6, [(2, 6)], [], attributes)
    for name, attributes in [("defaults", {}), ("alpha", {"alpha": 2.5})]:
        yield Case(f"celu_{name}", "Celu", 12, [(2, 6)], [], attributes)
        yield Case(f"thresholdedrelu_{name}", "ThresholdedRelu", 10, [(3, 6)], [], attributes)
        yield Case(f"swish_{name}", "Swish", 24, [(2, 6)], [], attributes)
    yield Case("shrink_defaults", "Shrink", 9, [(3, 6)])
    yield Case("shrink_lambd_bias", "Shrink", 9, [(3, 6)], [], {"lambd": 1.2, "bias": 0.7})
    for operator in ["Abs", "Neg", "Sign", "Relu"]:
        yield Case(f"{operator.lower()}_of_integers", operator, 14, [(2, 6)], kind=INT32)
    yield Case("prelu_slope_of_lower_rank", "PRelu", 9, [(2, 3, 4)], [drawn("slopes", (3, 1))])


def arithmetic():
    for operator in ["Add", "Sub", "Mul", "Min", "Max"]:
        yield Case(f"{operator.lower()}_of_integers", operator, 14, [(2, 3), (3,)], kind=INT64)
    yield Case("div_of_integers_rounds_to_zero", "Div", 14, [(2, 6)], [ints(3)], kind=INT64)
    yield Case("mod_of_integers_has_the_divisors_sign", "Mod", 13, [(4, 6)], [ints(5, -5, 3, -7, 2, 4)], kind=INT64)
    yield Case("mod_fmod_of_integers", "Mod", 13, [(4, 6)], [ints(5, -5, 3, -7, 2, 4)], {"fmod": 1}, kind=INT64)
    yield Case("mod_fmod", "Mod", 13, [(4, 6)], [floats(0.75, -0.75, 1.25, -1.5, 2.25, -0.375)], {"fmod": 1})
    yield Case("mod_fmod_both_vary", "Mod", 10, [(2, 3), (2, 3)], [], {"fmod": 1}, positive=True)
    yield Case("pow_both_vary", "Pow", 15, [(2, 3), (3,)], positive=True)
    yield Case("pow_of_negatives_with_whole_exponents", "Pow", 13, [(2, 3)], [floats(2, 3, 1)])
    yield Case("pow_square_root", "Pow", 7, [(2, 3)], [floats(0.5)], positive=True)
    yield Case("pow_integer_base", "Pow", 13, [(2, 3)], [ints(2, 3, 0)], kind=INT32)
    yield Case("clip_of_integers", "Clip", 12, [(2, 6)], [np.array(-5, INT32), np.array(7, INT32)], kind=INT32)
    yield Case("clip_bounds_in_the_wrong_order", "Clip", 13, [(2, 6)], [np.array(2, FLOAT), np.array(-1, FLOAT)])
    for operator in ["Min", "Max"]:
        yield Case(f"{operator.lower()}_both_vary", operator, 13, [(2, 3), (2, 1)])
    yield Network("clip_bounds_vary", 13,
                  [helper.make_node("ReduceMin", ["z"], ["low"], keepdims=0),
                   helper.make_node("ReduceMax", ["z"], ["high"], keepdims=0),
                   helper.make_node("Clip", ["x", "low", "high"], ["y"], name="node")],
                  {"x": drawn("clipped", (2, 6)), "z": floats(-0.5, 0.25, 1)})


def logic():
    for operator in ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"]:
        yield Case(f"{operator.lower()}_broadcasts", operator, 16, [(4, 5), (5,)])
        yield Case(f"{operator.lower()}_of_integers", operator, 16, [(4, 5)], [ints(1, 0, -5, 3, 20)], kind=INT64)
    yield Case("equal_of_booleans", "Equal", 13, [(2, 6), (6,)], kind=BOOL)
    for operator in ["And", "Or", "Xor"]:
        yield Case(f"{operator.lower()}_broadcasts", operator, 7, [(2, 6), (6,)], kind=BOOL)
    yield Case("not", "Not", 1, [(2, 6)], kind=BOOL)
    for operator in ["BitwiseAnd", "BitwiseOr", "BitwiseXor"]:
        yield Case(operator.lower(), operator, 18, [(2, 6), (6,)], kind=INT32)
    yield Case("bitshift_right", "BitShift", 11, [(2, 6)], [np.array(2, np.uint32)], {"direction": "RIGHT"},
               positive=True, kind=np.uint32)
    special = {"x": floats(-1, 0, 2, -3), "zero": floats(0)}
    for name, operator, attributes in [("isnan", "IsNaN", {}), ("isinf", "IsInf", {}),
                                       ("isinf_only_negative", "IsInf", {"detect_positive": 0}),
                                       ("isinf_only_positive", "IsInf", {"detect_negative": 0})]:
        yield Network(name, 20, [helper.make_node("Div", ["x", "zero"], ["special"]),
                                 helper.make_node(operator, ["special"], ["y"], name="node", **attributes)],
                      {"x": special["x"]}, {"zero": special["zero"]})
    yield Network("where_of_three_inputs", 16, [helper.make_node("Where", ["c", "x", "z"], ["y"], name="node")],
                  {"c": drawn("condition", (2, 1), kind=BOOL), "x": drawn("yes", (3,)), "z": drawn("no", (2, 3))})
    yield Network("where_of_integers", 16, [helper.make_node("Where", ["c", "x", "z"], ["y"], name="node")],
                  {"c": drawn("condition", (2, 3), kind=BOOL), "x": drawn("yes", (3,), kind=INT64),
                   "z": drawn("no", (2, 3), kind=INT64)})
    for code, name in [(9, "bool"), (7, "int64"), (6, "int32")]:
        yield Case(f"cast_to_{name}", "Cast", 13, [(3, 6)], [], {"to": code})
    yield Case("cast_integers_to_float", "Cast", 13, [(2, 6)], [], {"to": 1}, kind=INT64)
    yield Case("cast_booleans_to_float", "Cast", 13, [(2, 6)], [], {"to": 1}, kind=BOOL)
    yield Case("castlike_of_integers", "CastLike", 15, [(2, 6)], [floats(0)], kind=INT64)


def normalizations():
    channels = [floats(1, -0.5, 2), floats(0, 1, -1)]
    for name, shape in [("1d", (2, 3, 5)), ("2d", (2, 3, 4, 3)), ("3d", (1, 3, 2, 3, 2))]:
        yield Case(f"instancenormalization_{name}", "InstanceNormalization", 6, [shape], channels, {"epsilon": 1e-2})
    eight = [drawn("scales", (4,)), drawn("biases", (4,))]
    yield Case("groupnormalization_opset_18_per_group", "GroupNormalization", 18, [(2, 4, 3, 2)],
               [floats(1.5, -1), floats(0.5, 2)], {"num_groups": 2})
    yield Case("groupnormalization_opset_21_per_channel", "GroupNormalization", 21, [(2, 4, 3, 2)], eight,
               {"num_groups": 2, "epsilon": 1e-3})
    yield Case("layernormalization_last_axis", "LayerNormalization", 17, [(2, 3, 4)], eight)
    yield Case("layernormalization_without_bias", "LayerNormalization", 17, [(2, 3, 4)], eight[:1], {"epsilon": 0.1})
    yield Case("layernormalization_two_axes", "LayerNormalization", 17, [(2, 3, 4)],
               [drawn("scale", (3, 4)), drawn("bias", (3, 4))], {"axis": 1})
    yield Case("layernormalization_statistics", "LayerNormalization", 17, [(2, 3, 4)], eight, {"axis": -1}, outputs=3)
    for axis, shape in [(-1, (4,)), (1, (3, 4))]:
        yield Case(f"rmsnormalization_axis_{axis}".replace("-", "minus_"), "RMSNormalization", 23, [(2, 3, 4)],
                   [drawn("scale", shape)], {"axis": axis, "epsilon": 1e-2})
    yield Case("lrn_defaults", "LRN", 13, [(1, 5, 2, 3)], [], {"size": 3})
    # As many images as channels: ONNX's reference counts the one for the other.
    yield Case("lrn_even_size", "LRN", 1, [(6, 6, 1, 2)], [], {"size": 4, "alpha": 0.5, "beta": 0.5, "bias": 2.0})
    yield Case("meanvariancenormalization_defaults", "MeanVarianceNormalization", 13, [(2, 3, 4, 3)])
    yield Case("meanvariancenormalization_axes", "MeanVarianceNormalization", 13, [(2, 3, 4, 3)], [], {"axes": [2, 3]})
    for p in [1, 2]:
        yield Case(f"lpnormalization_p_{p}", "LpNormalization", 1, [(2, 3, 4)], [], {"p": p, "axis": 1})
    yield Case("lpnormalization_defaults", "LpNormalization", 22, [(2, 6)])
    statistics = [floats(1, -0.5, 2), floats(0, 1, -1), floats(0.5, 0, -0.5), floats(1, 2, 0.25)]
    yield Case("batchnormalization_opset_7", "BatchNormalization", 7, [(2, 3, 2, 2)], statistics)
    yield Case("batchnormalization_opset_14_1d", "BatchNormalization", 14, [(2, 3, 5)], statistics, {"momentum": 0.5})


def convolutions():
    bias = floats(0.5, -1, 0)
    yield Case("conv_1d", "Conv", 11, [(2, 4, 9)], [drawn("kernel", (3, 4, 3)), bias],
               {"pads": [1, 2], "strides": [2], "dilations": [2]})
    yield Case("conv_1d_groups", "Conv", 11, [(1, 4, 7)], [drawn("kernel", (6, 2, 3))], {"group": 2})
    yield Case("conv_3d", "Conv", 11, [(1, 2, 4, 5, 4)], [drawn("kernel", (3, 2, 2, 3, 2)), bias],
               {"pads": [1, 0, 1, 0, 1, 0], "strides": [1, 2, 1]})
    yield Case("conv_3d_dilated_groups", "Conv", 22, [(1, 2, 5, 4, 5)], [drawn("kernel", (2, 1, 2, 2, 2))],
               {"group": 2, "dilations": [2, 1, 3]})
    yield Case("conv_depthwise_dilated", "Conv", 11, [(1, 3, 7, 7)], [drawn("kernel", (3, 1, 3, 3)), bias],
               {"group": 3, "dilations": [2, 2], "pads": [2, 2, 2, 2]})
    yield Case("conv_both_vary", "Conv", 11, [(1, 2, 4, 4), (3, 2, 2, 2)])


def transposed_convolutions():
    square, bias = drawn("kernel", (2, 3, 3, 3)), floats(0.5, -1, 0)
    for name, attributes in [
        ("defaults", {}),
        ("strides", {"strides": [2, 3]}),
        ("stride_larger_than_kernel", {"strides": [4, 5]}),
        ("pads", {"strides": [2, 2], "pads": [0, 1, 2, 1]}),
        ("output_padding", {"strides": [3, 2], "output_padding": [2, 1], "pads": [1, 0, 0, 1]}),
        ("dilations", {"strides": [2, 1], "dilations": [2, 3]}),
        ("output_shape", {"strides": [3, 2], "output_shape": [10, 8]}),
        ("output_shape_same_upper", {"strides": [3, 2], "output_shape": [10, 8], "auto_pad": "SAME_UPPER"}),
        ("same_upper", {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
        ("same_lower", {"strides": [2, 2], "auto_pad": "SAME_LOWER"}),
        ("valid", {"strides": [2, 2], "auto_pad": "VALID"}),
    ]:
        yield Case(f"convtranspose_{name}", "ConvTranspose", 11, [(1, 2, 3, 4)], [square, bias], attributes)
    yield Case("convtranspose_groups", "ConvTranspose", 11, [(1, 4, 3, 3)], [drawn("kernel", (4, 2, 2, 2))],
               {"group": 2, "strides": [2, 2]})
    yield Case("convtranspose_1d", "ConvTranspose", 11, [(2, 2, 5)], [drawn("kernel", (2, 3, 3)), bias],
               {"strides": [2], "pads": [1, 0], "output_padding": [1]})
    yield Case("convtranspose_3d", "ConvTranspose", 11, [(1, 2, 2, 3, 2)], [drawn("kernel", (2, 1, 2, 2, 3))],
               {"strides": [2, 1, 2], "pads": [0, 1, 0, 1, 0, 1]})


def columns():
    for name, shape, image, block, attributes in [
        ("defaults", (1, 8, 12), (4, 5), (2, 2), {}),
        ("strides_and_pads", (2, 12, 6), (4, 5), (2, 3), {"strides": [2, 2], "pads": [0, 1, 0, 1]}),
        ("dilations", (1, 4, 9), (5, 5), (2, 2), {"dilations": [2, 2], "strides": [1, 1]}),
        ("volume", (1, 16, 8), (3, 3, 3), (2, 2, 2), {}),
    ]:
        yield Case(f"col2im_{name}", "Col2Im", 18, [shape], [ints(*image), ints(*block)], attributes)


def pools():
    volume, line = (1, 2, 5, 4, 6), (2, 2, 9)
    for operator in ["MaxPool", "AveragePool", "LpPool"]:
        stem = operator.lower()
        opset = {"MaxPool": 12, "AveragePool": 19, "LpPool": 18}[operator]
        yield Case(f"{stem}_1d", operator, opset, [line], [], {"kernel_shape": [3], "strides": [2], "pads": [1, 1]})
        yield Case(f"{stem}_1d_dilated", operator, opset, [line], [], {"kernel_shape": [2], "dilations": [3]})
        yield Case(f"{stem}_3d", operator, opset, [volume], [], {"kernel_shape": [2, 3, 2], "strides": [2, 1, 3]})
        yield Case(f"{stem}_3d_pads", operator, opset, [volume], [],
                   {"kernel_shape": [3, 2, 3], "strides": [2, 2, 2], "pads": [1, 0, 1, 1, 1, 0]})
        yield Case(f"{stem}_3d_ceil_mode", operator, opset, [volume], [],
                   {"kernel_shape": [2, 2, 2], "strides": [2, 3, 4], "ceil_mode": 1})
        yield Case(f"{stem}_3d_same_lower", operator, opset, [volume], [],
                   {"kernel_shape": [3, 3, 3], "strides": [2, 2, 2], "auto_pad": "SAME_LOWER"})
        yield Case(f"{stem}_dilated_pads", operator, opset, [(1, 2, 7, 8)], [],
                   {"kernel_shape": [3, 2], "dilations": [2, 3], "strides": [2, 1], "pads": [1, 1, 2, 0]})
    counted = {"kernel_shape": [3, 2], "dilations": [2, 2], "pads": [2, 1, 1, 1], "count_include_pad": 1}
    yield Case("averagepool_dilated_count_include_pad", "AveragePool", 19, [(1, 2, 7, 8)], [], counted)
    yield Case("averagepool_3d_count_include_pad_ceil_mode", "AveragePool", 19, [volume], [],
               {"kernel_shape": [3, 3, 3], "strides": [2, 2, 2], "pads": [1] * 6, "count_include_pad": 1, "ceil_mode": 1})
    yield Case("lppool_2d", "LpPool", 18, [(1, 2, 6, 7)], [], {"kernel_shape": [3, 2], "strides": [2, 2]})
    yield Case("lppool_p_3", "LpPool", 11, [(1, 2, 6, 7)], [], {"kernel_shape": [3, 3], "p": 3, "pads": [1, 1, 1, 1]})
    yield Case("lppool_p_1", "LpPool", 11, [(1, 2, 6, 7)], [], {"kernel_shape": [2, 2], "p": 1})
    for p in [1, 2, 3]:
        yield Case(f"globallppool_p_{p}", "GlobalLpPool", 2, [(2, 3, 4, 3)], [], {"p": p})
    for operator in ["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"]:
        yield Case(f"{operator.lower()}_1d", operator, 2 if operator == "GlobalLpPool" else 1, [(2, 3, 5)])
        yield Case(f"{operator.lower()}_3d", operator, 2 if operator == "GlobalLpPool" else 1, [(1, 2, 3, 2, 4)])
    for name, attributes in [("", {}), ("_pads", {"pads": [1, 1, 1, 1]}), ("_uneven_pads", {"pads": [0, 1, 1, 0]}),
                             ("_column_major", {"storage_order": 1}), ("_dilated", {"dilations": [2, 2]})]:
        yield Case(f"maxpool_with_indices{name}", "MaxPool", 12, [(2, 2, 6, 5)], [],
                   {"kernel_shape": [3, 2], "strides": [2, 2], **attributes}, outputs=2)
    yield Case("maxpool_with_indices_1d", "MaxPool", 12, [(2, 2, 7)], [], {"kernel_shape": [3]}, outputs=2)
    attributes = {"kernel_shape": [2, 2], "strides": [2, 2]}
    pool = helper.make_node("MaxPool", ["x"], ["pooled", "indices"], **attributes)
    yield Network("maxunpool", 12, [pool, helper.make_node("MaxUnpool", ["pooled", "indices"], ["y"], name="node", **attributes)],
                  {"x": drawn("unpooled", (1, 2, 4, 6))})


def resizes():
    for coordinates in ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]:
        for direction, scales in [("up", (2.0, 1.5)), ("down", (0.75, 0.5))]:
            yield Case(f"resize_cubic_{coordinates}_{direction}", "Resize", 13, [(1, 1, 4, 6)],
                       [None, floats(1, 1, *scales)], {"mode": "cubic", "coordinate_transformation_mode": coordinates})
    yield Case("resize_cubic_coeff_a", "Resize", 13, [(1, 1, 4, 6)], [None, floats(1, 1, 1.5, 2)],
               {"mode": "cubic", "cubic_coeff_a": -0.5})
    yield Case("resize_cubic_exclude_outside", "Resize", 13, [(1, 2, 4, 6)], [None, floats(1, 1, 1.5, 2)],
               {"mode": "cubic", "exclude_outside": 1})
    yield Case("resize_cubic_sizes", "Resize", 19, [(1, 2, 4, 6)], [None, None, ints(1, 2, 9, 5)], {"mode": "cubic"})
    for mode in ["nearest", "linear", "cubic"]:
        yield Case(f"resize_{mode}_half_pixel_symmetric", "Resize", 19, [(1, 1, 4, 6)], [None, floats(1, 1, 1.6, 0.7)],
                   {"mode": mode, "coordinate_transformation_mode": "half_pixel_symmetric"})
        yield Case(f"resize_{mode}_three_axes" if mode != "cubic" else "resize_cubic_two_axes", "Resize", 19,
                   [(1, 2, 3, 4, 3)] if mode != "cubic" else [(2, 3, 4)],
                   [None, floats(1, 1, 2, 1.5, 0.7)] if mode != "cubic" else [None, floats(1, 2, 1.5)], {"mode": mode})
        roi = floats(0, 0, 0.2, 0.1, 1, 1, 0.8, 1.3)
        yield Case(f"resize_{mode}_tf_crop_and_resize", "Resize", 13, [(1, 1, 4, 6)], [roi, None, ints(1, 1, 3, 5)],
                   {"mode": mode, "coordinate_transformation_mode": "tf_crop_and_resize", "extrapolation_value": 2.5})
    yield Case("resize_tf_half_pixel_for_nn", "Resize", 11, [(1, 1, 4, 6)], [floats(), floats(1, 1, 1.5, 0.5)],
               {"mode": "nearest", "coordinate_transformation_mode": "tf_half_pixel_for_nn"})
    for mode in ["linear", "cubic"]:
        for name, scales in [("down", (0.6, 0.4)), ("up", (1.5, 2.0)), ("mixed", (0.5, 2.0))]:
            yield Case(f"resize_{mode}_antialias_{name}", "Resize", 18, [(1, 1, 7, 10)], [None, floats(1, 1, *scales)],
                       {"mode": mode, "antialias": 1})
        yield Case(f"resize_{mode}_antialias_exclude_outside", "Resize", 18, [(1, 1, 7, 10)],
                   [None, floats(1, 1, 0.5, 0.3)], {"mode": mode, "antialias": 1, "exclude_outside": 1})
        for policy in ["not_larger", "not_smaller"]:
            yield Case(f"resize_{mode}_{policy}", "Resize", 18, [(1, 1, 4, 6)], [None, None, ints(7, 8)],
                       {"mode": mode, "keep_aspect_ratio_policy": policy, "axes": [2, 3]})
    for mode in ["nearest", "linear"]:
        yield Case(f"resize_opset_10_{mode}_down", "Resize", 10, [(1, 1, 4, 6)], [floats(1, 1, 0.5, 0.7)], {"mode": mode})
        yield Case(f"upsample_opset_7_{mode}", "Upsample", 7, [(1, 2, 3, 4)], [], {"mode": mode, "scales": [1.0, 1, 2, 1.5]})
        yield Case(f"upsample_opset_9_{mode}", "Upsample", 9, [(1, 2, 3, 4)], [floats(1, 1, 2, 3)], {"mode": mode})
    yield Case("resize_nearest_of_integers", "Resize", 13, [(1, 1, 3, 4)], [None, floats(1, 1, 2, 1.5)], kind=INT32)


def pads():
    for mode in ["constant", "reflect", "edge", "wrap"]:
        opset = 19
        yield Case(f"pad_{mode}_opset_19_axes", "Pad", opset, [(2, 4, 5)], [ints(2, 1, 1, 3), None, ints(-1, 1)],
                   {"mode": mode})
    for mode in ["wrap", "edge"]:
        yield Case(f"pad_{mode}_longer_than_the_axis", "Pad", 19, [(1, 2, 3)], [ints(0, 0, 4, 0, 3, 5)], {"mode": mode})
    yield Case("pad_reflect_negative", "Pad", 13, [(1, 2, 4, 5)], [ints(0, 0, -1, 2, 0, 0, 1, -2)], {"mode": "reflect"})
    yield Case("pad_constant_of_integers", "Pad", 13, [(2, 3)], [ints(1, 0, 0, 2), np.array(7, INT64)], kind=INT64)
    yield Case("pad_edge_of_integers", "Pad", 13, [(2, 3)], [ints(1, 0, 0, 2)], {"mode": "edge"}, kind=INT64)
    yield Case("pad_opset_11_reflect", "Pad", 11, [(1, 2, 4, 5)], [ints(0, 0, 1, 2, 0, 0, 3, 4)], {"mode": "reflect"})


def reductions():
    for kind in ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"]:
        name, operator, positive = f"reduce_{kind.lower()}", f"Reduce{kind}", kind == "LogSum"
        by_attribute = 11 if kind == "Sum" else 13
        if kind not in ["Mean", "Sum", "Max", "Min", "L2"]:
            yield Case(f"{name}_attribute_axes", operator, by_attribute, [(2, 3, 4)], [], {"axes": [0, 2], "keepdims": 0},
                       positive=positive)
            yield Case(f"{name}_all_axes", operator, by_attribute, [(2, 3, 4)], [], {"keepdims": 1}, positive=positive)
            yield Case(f"{name}_axes_input", operator, 18, [(2, 3, 4)], [ints(-2)], {"keepdims": 0}, positive=positive)
        yield Case(f"{name}_noop_with_empty_axes_opset_18", operator, 18, [(2, 3)], [ints()],
                   {"noop_with_empty_axes": 1}, positive=positive)
        yield Case(f"{name}_empty_axes_are_all", operator, 18, [(2, 3)], [ints()], {"keepdims": 0}, positive=positive)
        if kind in ["Max", "Mean", "Min", "Prod", "Sum", "L1", "SumSquare"]:
            yield Case(f"{name}_of_integers", operator, 18, [(2, 3)], [ints(1)], kind=INT32)
    yield Case("reduce_prod_of_a_long_axis", "ReduceProd", 18, [(2, 7)], [ints(1)], divisor=2)
    for kind in ["L1", "L2", "LogSum", "LogSumExp", "Max", "Min", "Prod", "Sum", "SumSquare"]:
        yield Network(f"reduce_{kind.lower()}_of_nothing", 18 if kind not in ["Max", "Min"] else 20,
                      [helper.make_node("Slice", ["x", "two", "two", "one"], ["empty"]),
                       helper.make_node(f"Reduce{kind}", ["empty", "one"], ["y"], name="node")],
                      {"x": drawn("empty", (2, 3))}, {"two": ints(2), "one": ints(1)})


def algebra():
    yield Case("matmul_two_vectors", "MatMul", 13, [(3,), (3,)])
    yield Case("matmul_vector_by_matrix", "MatMul", 9, [(3,), (3, 4)])
    yield Case("matmul_vector_by_batched", "MatMul", 9, [(3,), (2, 3, 4)])
    yield Case("matmul_batched_by_vector", "MatMul", 9, [(2, 4, 3), (3,)])
    yield Case("matmul_rank_5_broadcasts", "MatMul", 13, [(2, 1, 2, 2, 3), (3, 1, 3, 2)])
    yield Case("gemm_opset_9_all_transposed_with_alpha", "Gemm", 9, [(3, 2), (4, 3)], [drawn("c", (2, 1))],
               {"transA": 1, "transB": 1, "alpha": 0.25, "beta": 0.5})
    for opset, axis in [(11, 0), (11, 2), (13, 0), (13, -1)]:
        yield Case(f"hardmax_opset_{opset}_axis_{axis}".replace("-", "minus_"), "Hardmax", opset, [(2, 3, 4)], [],
                   {"axis": axis})
    for opset, axis in [(7, 0), (13, 0)]:
        for operator in ["Softmax", "LogSoftmax"]:
            yield Case(f"{operator.lower()}_opset_{opset}_axis_{axis}", operator, opset, [(2, 3, 4)], [], {"axis": axis})
    for rank in [1, 2]:
        yield Case(f"softmax_rank_{rank}", "Softmax", 13, [(2, 3)[:rank]])


FAMILIES = [functions, arithmetic, logic, normalizations, convolutions, transposed_convolutions, columns, pools, resizes, pads,
            reductions, algebra]
