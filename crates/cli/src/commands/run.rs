//! `vitrine run`.

use std::path::Path;

use vitrine_engine::{EngineError, LoadedModel};
use vitrine_graph::{Probe, Run as GraphRun, Value};
use vitrine_image::{Array, decode, to_tensor, write_npz};

use crate::{arguments::Run, failure::Failure, files, output::say, setup};

pub(crate) async fn run(arguments: &Run) -> Result<(), Failure> {
    let session = setup::with_model(arguments.subject.model.as_deref(), &arguments.common).await?;
    let model = session.model()?;
    let mut wanted: Vec<String> = model.graph.outputs().iter().map(|name| (*name).to_owned()).collect();
    let mut run = GraphRun::of(wanted.iter().map(String::as_str));
    for (index, (name, shape)) in model.graph.inputs().into_iter().enumerate() {
        let (values, shape) = input_tensor(model, arguments, index, name, shape)?;
        run = run.feed(name, Value::from_f32(&values, &shape, model.graph.device()));
    }
    for probe in &arguments.probe {
        model.graph.check_value(probe)?;
        run = run.probe(probe, Probe::Record);
        if !wanted.contains(probe) {
            wanted.push(probe.clone());
        }
    }
    let trace = model.graph.run(&run)?;
    let mut arrays = Vec::new();
    for name in &wanted {
        let value = trace.value(name)?;
        arrays.push((name.as_str(), Array { shape: value.shape().to_vec(), values: value.to_vec().await? }));
    }
    model.place.check()?;
    let npz = write_npz(arrays.iter().map(|(name, array)| (*name, array)))?;
    files::write(&arguments.out, &npz)?;
    for (name, array) in &arrays {
        say!("{name}  {:?}", array.shape);
    }
    Ok(())
}

/// The tensor for a graph input, with its shape: a batch of any size where a ready-made tensor has one.
fn input_tensor(
    model: &LoadedModel,
    arguments: &Run,
    index: usize,
    name: &str,
    shape: Vec<usize>,
) -> Result<(Vec<f32>, Vec<usize>), Failure> {
    let prefix = format!("{name}=");
    let given = &arguments.subject.input;
    let text = given.iter().find(|text| text.starts_with(&prefix)).or(match given.as_slice() {
        [only] if index == 0 => Some(only),
        _ => None,
    });
    let Some(text) = text else {
        return match vitrine_zoo::samples().first().filter(|_| given.is_empty() && index == 0) {
            Some(sample) => Ok((image_tensor(model, sample.label, sample.png)?, shape)),
            None => Err(Failure::Usage(format!("The model's input {name:?} was not given; add --input {name}=PATH."))),
        };
    };
    let path = setup::named_path(text, name);
    match files::array(&path, name)? {
        Some(array) => fit(&path, name, array, shape),
        None => Ok((image_tensor(model, &files::name(&path), &files::read(&path)?)?, shape)),
    }
}

/// Accepts an array of the input's shape, without the batch axis, or with a batch of any size.
fn fit(path: &Path, name: &str, array: Array, expected: Vec<usize>) -> Result<(Vec<f32>, Vec<usize>), Failure> {
    if expected.get(1..) == Some(&array.shape[..]) {
        return Ok((array.values, expected));
    }
    let batched = array.shape.len() == expected.len() && array.shape.get(1..) == expected.get(1..);
    if array.shape == expected || batched {
        return Ok((array.values, array.shape));
    }
    let (name, input, found) = (files::name(path), name.to_owned(), array.shape);
    Err(EngineError::InputShape { name, input, found, expected }.into())
}

fn image_tensor(model: &LoadedModel, name: &str, bytes: &[u8]) -> Result<Vec<f32>, Failure> {
    let refused = |source| EngineError::Image { name: name.to_owned(), source };
    let pixels = decode(bytes).map_err(refused)?;
    Ok(to_tensor(&pixels, model.pixels()?).map_err(refused)?)
}
