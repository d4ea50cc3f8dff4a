"""An ONNX file as a PyTorch module: one submodule per node, for the few operators of the built-in models."""

import torch
from onnx import helper, numpy_helper
from torch import nn
from torch.nn import functional as F


def convolution(
    x, weight, bias=None, *, strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1), group=1, kernel_shape=None
):
    top, left, bottom, right = pads
    return F.conv2d(F.pad(x, (left, right, top, bottom)), weight, bias, strides, 0, dilations, group)


def max_pool(x, *, kernel_shape, strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1), ceil_mode=0):
    top, left, bottom, right = pads
    padded = F.pad(x, (left, right, top, bottom), value=-torch.inf)
    return F.max_pool2d(padded, kernel_shape, strides, 0, dilations, bool(ceil_mode))


def batch_norm(x, scale, bias, mean, variance, *, epsilon=1e-5, momentum=0.9):
    return F.batch_norm(x, mean, variance, scale, bias, eps=epsilon)


def gemm(a, b, c=None, *, alpha=1.0, beta=1.0, transA=0, transB=0):
    product = alpha * (a.T if transA else a) @ (b.T if transB else b)
    return product if c is None else product + beta * c


OPERATORS = {
    "Add": torch.add,
    "BatchNormalization": batch_norm,
    "Conv": convolution,
    "Flatten": lambda x, axis=1: x.flatten(1) if axis == 1 else x.reshape(x.shape[:axis].numel(), -1),
    "Gemm": gemm,
    "GlobalAveragePool": lambda x: x.mean(dim=(2, 3), keepdim=True),
    "Identity": lambda x: x,
    "MatMul": torch.matmul,
    "MaxPool": max_pool,
    "Mul": torch.mul,
    "Relu": F.relu,
    "Reshape": lambda x, shape: x.reshape([x.shape[i] if size == 0 else size for i, size in enumerate(shape.tolist())]),
}


class Node(nn.Module):
    """One node; its constants come with the call."""

    def __init__(self, node):
        super().__init__()
        self.compute = OPERATORS[node.op_type]
        self.attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}

    def forward(self, *inputs):
        return self.compute(*inputs, **self.attributes)


class OnnxNetwork(nn.Module):
    """A graph with one input and one output, computed node by node."""

    def __init__(self, model):
        super().__init__()
        unknown = {node.op_type for node in model.graph.node} - OPERATORS.keys()
        if unknown:
            raise ValueError(f"operators not known here: {', '.join(sorted(unknown))}")
        self.constants = nn.ParameterList(
            nn.Parameter(torch.from_numpy(numpy_helper.to_array(item).copy()), requires_grad=False)
            for item in model.graph.initializer
        )
        self.constant_names = [item.name for item in model.graph.initializer]
        self.graph = model.graph
        self.nodes = nn.ModuleList(Node(node) for node in model.graph.node)

    def forward(self, x):
        values = dict(zip(self.constant_names, self.constants))
        fed = [item.name for item in self.graph.input if item.name not in values]
        values |= {fed[0]: x, "": None}
        for node, module in zip(self.graph.node, self.nodes):
            values[node.output[0]] = module(*(values[name] for name in node.input))
        return values[self.graph.output[0].name]

    def maker_of(self, value):
        """The submodule whose output is the named value."""
        return next(module for node, module in zip(self.graph.node, self.nodes) if node.output[0] == value)
