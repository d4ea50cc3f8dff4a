"""The two ONNX exporters of PyTorch, each leaving one small file without comments."""

import io
import warnings

import onnx
import torch


def export_torchscript(network, images, case):
    """The TorchScript exporter, opset 13: what most ONNX files in circulation were made by."""
    options = {} if case.fixed_batch else {"dynamic_axes": {"input": {0: "batch"}, "logits": {0: "batch"}}}
    if case.keep_batch_norm:
        options |= {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, (images[:1] if case.fixed_batch else images,), buffer, dynamo=False, opset_version=13,
            input_names=["input"], output_names=["logits"], **options,
        )
    return without_comments(onnx.load_from_string(buffer.getvalue()))


def export_dynamo(network, images, case):
    """The torch.export-based exporter at its default opset; it folds batch norm into a convolution before it."""
    options = {} if case.fixed_batch else {"dynamic_shapes": ({0: torch.export.Dim("batch")},)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network, (images[:1] if case.fixed_batch else images,), dynamo=True, verbose=False,
            input_names=["input"], output_names=["logits"], **options,
        )
    return without_comments(program.model_proto)


def without_comments(model):
    """Drops the exporter's notes: they hold source lines and paths, and are larger than the weights."""
    graph = model.graph
    for item in [model, graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output]:
        item.ClearField("doc_string")
        item.ClearField("metadata_props")
    del graph.value_info[:]
    onnx.checker.check_model(model)
    return model
