"""A classifier's ONNX file as a PyTorch module of layers that Captum's relevance propagation knows, for the few operators of
the models that are measured."""

import torch
from captum.attr._utils.custom_modules import Addition_Module
from onnx import helper, numpy_helper
from torch import nn


class Network(nn.Module):
    """A graph with one input and one output, one layer for each node, under the name of the value that it makes."""

    def __init__(self, model):
        super().__init__()
        graph = model.graph
        weights = {item.name: torch.from_numpy(numpy_helper.to_array(item).copy()) for item in graph.initializer}
        self.input = next(item.name for item in graph.input if item.name not in weights)
        self.output = graph.output[0].name
        # The layer's position, what it reads and what it makes; nothing for what is no layer to Captum.
        self.steps = []
        self.layers = nn.ModuleList()
        for node in graph.node:
            attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
            layer = LAYERS[node.op_type](attributes, *(weights[name] for name in node.input if name in weights))
            inputs = [name for name in node.input if name not in weights]
            self.steps.append((len(self.layers) if layer else None, inputs, node.output[0]))
            if layer:
                self.layers.append(layer)

    def forward(self, x):
        values = {self.input: x}
        for position, inputs, output in self.steps:
            read = [values[name] for name in inputs]
            values[output] = read[0].flatten(1) if position is None else self.layers[position](*read)
        return values[self.output]

    def layer(self, value):
        """The layer that makes a value."""
        return next(self.layers[position] for position, _, output in self.steps if output == value)


def convolution(attributes, weight, bias=None):
    top, left, bottom, right = attributes["pads"]
    if (top, left) != (bottom, right):
        raise ValueError("padding that differs from side to side is not known here")
    layer = nn.Conv2d(
        weight.shape[1], weight.shape[0], weight.shape[2:], attributes.get("strides", 1), (top, left), bias=bias is not None
    )
    return with_weights(layer, weight=weight, bias=bias)


def batch_norm(attributes, weight, bias, running_mean, running_var):
    layer = nn.BatchNorm2d(len(weight), attributes.get("epsilon", 1e-5))
    return with_weights(layer, weight=weight, bias=bias, running_mean=running_mean, running_var=running_var)


def linear(attributes, weight, bias):
    weight = weight if attributes.get("transB", 0) else weight.T
    return with_weights(nn.Linear(weight.shape[1], weight.shape[0]), weight=weight, bias=bias)


def max_pool(attributes):
    return nn.MaxPool2d(attributes["kernel_shape"], attributes.get("strides", 1), attributes["pads"][:2])


def with_weights(layer, **weights):
    state = layer.state_dict() | {name: weight for name, weight in weights.items() if weight is not None}
    layer.load_state_dict(state)
    return layer


LAYERS = {
    "Add": lambda _: Addition_Module(),
    "BatchNormalization": batch_norm,
    "Conv": convolution,
    "Flatten": lambda _: None,
    "Gemm": linear,
    "GlobalAveragePool": lambda _: nn.AdaptiveAvgPool2d(1),
    "MaxPool": max_pool,
    "Relu": lambda _: nn.ReLU(),
}
