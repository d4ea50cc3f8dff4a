//! What tests of small graphs share.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(dead_code, reason = "no test file uses all of it")]

use burn::tensor::Device;
use pollster::block_on;
use vitrine_graph::{Graph, GraphError, InputShapes, Value};
use vitrine_onnx::{Graph as OnnxGraph, Model};

pub(crate) fn load(onnx: OnnxGraph) -> Result<Graph, GraphError> {
    Graph::new(Model::new(17, onnx), &Device::flex(), &InputShapes::new())
}

pub(crate) fn value(data: &[f32], shape: &[usize]) -> Value {
    Value::from_f32(data, shape, &Device::flex())
}

pub(crate) fn read(value: &Value) -> Vec<f32> {
    block_on(value.to_vec()).unwrap()
}
