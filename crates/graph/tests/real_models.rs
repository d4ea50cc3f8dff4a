//! Models from elsewhere, where a checkout has them beside it; the project does not contain them.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{fs, path::Path};

use burn::tensor::Device;
use pollster::block_on;
use vitrine_graph::{Graph, GraphError, InputShapes, Probe, Run, Value};
use vitrine_onnx::Model;

/// The number of largest magnitude in a model's first output, and its gradient there.
fn largest(graph: &Graph, input: &[f32]) -> Result<(f32, Vec<f32>), GraphError> {
    let (inputs, outputs) = (graph.inputs(), graph.outputs());
    let (name, shape) = &inputs[0];
    let fed = Value::from_f32(input, shape, graph.device());
    let trace = graph.run(&Run::of([outputs[0]]).feed(name, fed).probe(name, Probe::Gradient))?;
    let output = trace.value(outputs[0])?;
    let values = block_on(output.to_vec())?;
    let at = (0..values.len()).max_by(|&a, &b| values[a].abs().total_cmp(&values[b].abs())).unwrap();
    let gradients = trace.gradients(&output.reshape(&[values.len()])?.narrow(0, at, 1)?)?;
    Ok((values[at], block_on(gradients[*name].to_vec())?))
}

#[test]
fn models_from_elsewhere_run_and_have_the_slope_of_their_gradients() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let Ok(entries) = folder.read_dir() else { return };
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "onnx"));
    for path in paths {
        let name = path.display();
        let model = Model::decode(&fs::read(&path).unwrap()).unwrap();
        let graph = Graph::new(model, &Device::flex(), &InputShapes::new()).unwrap();
        let length: usize = graph.inputs()[0].1.iter().product();
        let input: Vec<f32> = (0..length).map(|at| 127.5 + 127.5 * (at as f32 * 0.37).sin()).collect();
        let (value, gradient) = largest(&graph, &input).unwrap();
        let slope = gradient.iter().map(|part| part * part).sum::<f32>().sqrt();
        assert!(value.is_finite() && slope.is_finite() && slope > 0.0, "{name}: {value} with the slope {slope}");
        // Straight up the gradient the value grows by the gradient's length per step.
        let step = 0.001 * value.abs() / slope;
        let beside = |way: f32| {
            let moved: Vec<f32> = input.iter().zip(&gradient).map(|(at, up)| at + way * step * up / slope).collect();
            largest(&graph, &moved).unwrap().0
        };
        let found = (beside(1.0) - beside(-1.0)) / (2.0 * step);
        assert!((found - slope).abs() < 0.05 * slope, "{name}: grows by {found} per step, not {slope}");
    }
}
