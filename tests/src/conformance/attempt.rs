//! Running a case in every form that a model may hold it in, and saying what became of it.

use std::{collections::BTreeSet, fmt};

use burn::tensor::Device;
use half::{bf16, f16};
use vitrine_graph::{Graph, GraphError, InputShapes, Run, Value};
use vitrine_onnx::{ElementType, OnnxError, Tensor};

use super::{Case, Sample};

/// Which inputs are constants of the model; the others are fed when it runs.
///
/// A node test makes an input of everything, such as the shape of a Reshape, which models in use hold as constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// None.
    AsWritten,
    /// Those of integers and truth values.
    Integers,
    /// All but the first.
    Others,
    /// All: the result is known before the model runs.
    All,
}

impl Form {
    /// Every form.
    pub const ALL: [Form; 4] = [Form::AsWritten, Form::Integers, Form::Others, Form::All];

    fn is_constant(self, index: usize, input: &Tensor) -> bool {
        match self {
            Form::AsWritten => false,
            Form::Integers => !is_float(input.element_type),
            Form::Others => index > 0,
            Form::All => true,
        }
    }

    /// The forms that differ for these inputs, but for those that would make weights of NaN, which are refused rightly.
    pub fn of(inputs: &[Tensor]) -> Vec<Form> {
        let mut seen = BTreeSet::new();
        let constants = |form: Form| -> Vec<bool> {
            inputs.iter().enumerate().map(|(index, input)| form.is_constant(index, input)).collect()
        };
        let sound = |form: Form| {
            inputs.iter().enumerate().all(|(index, input)| !form.is_constant(index, input) || !holds_nan(input))
        };
        Form::ALL.into_iter().filter(|&form| sound(form) && seen.insert(constants(form))).collect()
    }
}

fn holds_nan(tensor: &Tensor) -> bool {
    is_float(tensor.element_type) && tensor.to_f32().is_ok_and(|values| values.iter().any(|value| value.is_nan()))
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Form::AsWritten => "as written",
            Form::Integers => "integers",
            Form::Others => "others",
            Form::All => "all",
        })
    }
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Right in these forms, refused in the others.
    Pass(Vec<Form>),
    /// Refused by name in every form, for this reason.
    Unsupported(String),
    /// Wrong, or refused as if the model were at fault.
    Fail(String),
}

/// One outcome of what the forms of a case gave.
pub fn outcome(attempts: Vec<(Form, Outcome)>) -> Outcome {
    let fails: Vec<String> = attempts
        .iter()
        .filter_map(|(form, outcome)| match outcome {
            Outcome::Fail(reason) => Some(format!("{reason} (constant: {form})")),
            _ => None,
        })
        .collect();
    let passes: Vec<Form> =
        attempts.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Pass(_))).map(|(form, _)| *form).collect();
    match (fails.as_slice(), passes.as_slice()) {
        ([first, ..], _) => Outcome::Fail(first.clone()),
        // With everything constant, what is left is the deepest reason.
        ([], []) => attempts.into_iter().last().map_or(Outcome::Fail("no form was tried".to_owned()), |last| last.1),
        ([], _) => Outcome::Pass(passes),
    }
}

/// Runs a case in one form.
pub async fn attempt(case: &Case, sample: &Sample, form: Form, device: &Device) -> Outcome {
    match run(case, sample, form, device).await {
        Ok(None) => Outcome::Pass(vec![form]),
        Ok(Some(wrong)) => Outcome::Fail(wrong),
        Err(error) => refusal(&error),
    }
}

/// What is wrong with the outputs, if anything.
async fn run(case: &Case, sample: &Sample, form: Form, device: &Device) -> Result<Option<String>, GraphError> {
    let mut model = sample.model.clone();
    let (constants, feeds): (Vec<_>, Vec<_>) =
        sample.inputs.iter().enumerate().partition(|(index, input)| form.is_constant(*index, input));
    model.graph.initializers.extend(constants.into_iter().map(|(_, tensor)| tensor.clone()));
    let shapes: InputShapes = feeds.iter().map(|(_, tensor)| (tensor.name.clone(), tensor.shape.clone())).collect();
    let graph = Graph::new(model, device, &shapes)?;
    let mut run = Run::of(sample.outputs.iter().map(|output| output.name.as_str()));
    for (_, tensor) in feeds {
        run = run.feed(&tensor.name, upload(tensor, device)?);
    }
    let trace = graph.run(&run)?;
    for output in &sample.outputs {
        if let Some(wrong) = deviation(trace.value(&output.name)?, output, case).await? {
            return Ok(Some(wrong));
        }
    }
    Ok(None)
}

/// A refusal by name is a limit; any other error blames a model that is right.
pub fn refusal(error: &GraphError) -> Outcome {
    match error {
        GraphError::Unsupported(list) => {
            let reason = |what: &str| if what.contains(' ') { what.to_owned() } else { format!("operator {what}") };
            let reasons: Vec<String> = list.iter().map(|entry| reason(&entry.operator)).collect();
            Outcome::Unsupported(reasons.join("; "))
        }
        GraphError::Onnx(error) => refused_file(error),
        _ => Outcome::Fail(error.to_string()),
    }
}

/// [`refusal`], where the file itself was refused.
pub fn refused_file(error: &OnnxError) -> Outcome {
    match error {
        OnnxError::InNode { source, .. } | OnnxError::InFunction { source, .. } => refused_file(source),
        OnnxError::Unsupported { .. }
        | OnnxError::UnsupportedElements { .. }
        | OnnxError::CannotConvert { .. }
        // A model of other domains' operators alone needs no version of ONNX's own.
        | OnnxError::Opset { .. } => Outcome::Unsupported(error.to_string()),
        _ => Outcome::Fail(error.to_string()),
    }
}

fn is_float(element_type: ElementType) -> bool {
    use ElementType::{BFloat16, Float8E4M3Fn, Float8E4M3FnUz, Float8E5M2, Float8E5M2FnUz, Float8E8M0};
    use ElementType::{Float16, Float32, Float64};
    let small = [Float8E4M3Fn, Float8E4M3FnUz, Float8E5M2, Float8E5M2FnUz, Float8E8M0];
    matches!(element_type, Float32 | Float64 | Float16 | BFloat16) || small.contains(&element_type)
}

fn upload(tensor: &Tensor, device: &Device) -> Result<Value, GraphError> {
    let shape = &tensor.shape;
    Ok(match tensor.element_type {
        ElementType::Bool => {
            let values: Vec<bool> = tensor.to_i64()?.iter().map(|&value| value != 0).collect();
            Value::from_bool(&values, shape, device)
        }
        element_type if is_float(element_type) => Value::from_f32(&tensor.to_f32()?, shape, device),
        _ => Value::from_i64(&tensor.to_i64()?, shape, device),
    })
}

/// Operators that make quantised numbers or sums of them.
const QUANTIZED: [&str; 6] =
    ["ConvInteger", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul", "QuantizeLinear"];

/// What is wrong with an output: its shape, the kind of its elements, or one of them.
async fn deviation(found: &Value, expected: &Tensor, case: &Case) -> Result<Option<String>, GraphError> {
    let name = &expected.name;
    if found.shape() != expected.shape {
        return Ok(Some(format!("{name} has shape {:?} instead of {:?}", found.shape(), expected.shape)));
    }
    // Quantised numbers are floating-point numbers that are whole, so that gradients pass.
    let quantized = found.is_float() && QUANTIZED.contains(&case.operator.as_str());
    let expected_kind = (is_float(expected.element_type), expected.element_type == ElementType::Bool);
    if (found.is_float(), found.is_bool()) != expected_kind && !quantized {
        return Ok(Some(format!("{name} has elements of another kind than {}", expected.element_type)));
    }
    // Everything is computed in 32 bits; what the model declares shorter is rounded as it leaves.
    let rounded = |value: &f32| match expected.element_type {
        ElementType::Float16 => f16::from_f32(*value).to_f32(),
        ElementType::BFloat16 => bf16::from_f32(*value).to_f32(),
        _ => *value,
    };
    // Two units in the last place, as ONNX's own runner allows.
    let rtol = if expected.element_type == ElementType::BFloat16 { f32::exp2(-6.0) } else { case.rtol };
    let values: Vec<f32> = found.to_vec().await?.iter().map(rounded).collect();
    let wanted = expected.to_f32()?;
    let close = |a: f32, b: f32| a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= case.atol + rtol * b.abs();
    let wrong: Vec<(usize, (&f32, &f32))> =
        values.iter().zip(&wanted).enumerate().filter(|(_, (a, b))| !close(**a, **b)).collect();
    Ok(wrong.first().map(|(at, (a, b))| {
        format!("{name} is wrong in {} of {} places: {a} instead of {b} at {at}", wrong.len(), wanted.len())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> Case {
        let (name, operator) = ("test_add".to_owned(), "Add".to_owned());
        Case { name, operator, opset: 14, rtol: 1e-3, atol: 1e-7, left_out: Default::default() }
    }

    fn said(value: Value, expected: &Tensor) -> Option<String> {
        pollster::block_on(deviation(&value, expected, &case())).unwrap()
    }

    #[test]
    fn a_value_beyond_the_tolerance_and_another_shape_or_kind_are_found() {
        let device = Device::flex();
        let expected = Tensor::from_f32("y", &[2], &[1000.0, f32::NAN]);
        assert_eq!(said(Value::from_f32(&[1000.9, f32::NAN], &[2], &device), &expected), None);
        let wrong = said(Value::from_f32(&[1001.1, 0.0], &[2], &device), &expected).unwrap();
        assert!(wrong.contains("2 of 2 places: 1001.1 instead of 1000 at 0"), "{wrong}");
        let shape = said(Value::from_f32(&[1000.0, f32::NAN], &[1, 2], &device), &expected).unwrap();
        assert!(shape.contains("shape [1, 2] instead of [2]"), "{shape}");
        let kind = said(Value::from_i64(&[1000, 0], &[2], &device), &expected).unwrap();
        assert!(kind.contains("another kind than float"), "{kind}");
    }

    #[test]
    fn one_wrong_form_makes_a_case_fail_and_one_right_form_makes_it_pass() {
        let refused = || (Form::AsWritten, Outcome::Unsupported("integers".into()));
        let right = || (Form::All, Outcome::Pass(vec![Form::All]));
        assert_eq!(outcome(vec![refused(), right()]), Outcome::Pass(vec![Form::All]));
        assert_eq!(outcome(vec![refused()]), Outcome::Unsupported("integers".into()));
        let wrong = (Form::Others, Outcome::Fail("off".into()));
        assert_eq!(outcome(vec![refused(), wrong, right()]), Outcome::Fail("off (constant: others)".into()));
    }

    #[test]
    fn forms_that_come_to_the_same_are_run_once() {
        let image = Tensor::from_f32("x", &[1], &[0.0]);
        let shape = Tensor::from_i64("shape", &[1], &[1]);
        assert_eq!(Form::of(std::slice::from_ref(&image)), [Form::AsWritten, Form::All]);
        assert_eq!(Form::of(&[image, shape]), [Form::AsWritten, Form::Integers, Form::All]);
    }
}
