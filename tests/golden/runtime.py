"""Running ONNX files with ONNX Runtime."""

import numpy as np
import onnx
import onnxruntime


def session(model):
    """A session on the CPU without graph optimisations: the file as it is written."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    data = model if isinstance(model, bytes) else model.SerializeToString()
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def run(model, images):
    """The first output for a batch of images; a model whose batch is fixed sees them one by one."""
    running = session(model)
    feed = running.get_inputs()[0]
    if feed.shape[0] == 1:
        return np.concatenate([running.run(None, {feed.name: image[None]})[0] for image in images])
    return running.run(None, {feed.name: images})[0]


def inner_values(model, image):
    """Every float value that a node makes from one image, by name, in graph order."""
    names = [name for node in model.graph.node for name in node.output if name]
    probed = onnx.ModelProto()
    probed.CopyFrom(model)
    del probed.graph.output[:]
    probed.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    running = session(probed)
    values = running.run(None, {running.get_inputs()[0].name: image[None]})
    return {name: value for name, value in zip(names, values) if value.dtype == np.float32}
