//! Functions of one element, arithmetic of two or more with broadcasting, Clip and PRelu.

use burn::tensor::activation;

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, Kind, invalid, unsupported},
};
use crate::{GraphError, Value, value::broadcast};

/// A function of one element.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Activation {
    Abs,
    Ceil,
    Celu { alpha: f32 },
    Elu { alpha: f32 },
    Erf,
    Exp,
    Floor,
    Gelu,
    GeluTanh,
    HardSigmoid { alpha: f32, beta: f32 },
    HardSwish,
    LeakyRelu { alpha: f32 },
    Log,
    Mish,
    Neg,
    Reciprocal,
    Relu,
    Selu { alpha: f32, gamma: f32 },
    Sigmoid,
    Softplus,
    Softsign,
    Sqrt,
    Tanh,
}

pub(crate) fn activation(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let alpha = |default| arguments.float("alpha", default);
    let function = match arguments.node.operator.as_str() {
        "Abs" => Activation::Abs,
        "Ceil" => Activation::Ceil,
        "Celu" => Activation::Celu { alpha: alpha(1.0) },
        "Elu" => Activation::Elu { alpha: alpha(1.0) },
        "Erf" => Activation::Erf,
        "Exp" => Activation::Exp,
        "Floor" => Activation::Floor,
        "Gelu" if arguments.text("approximate") == Some("tanh") => Activation::GeluTanh,
        "Gelu" => Activation::Gelu,
        "HardSigmoid" => Activation::HardSigmoid { alpha: alpha(0.2), beta: arguments.float("beta", 0.5) },
        "HardSwish" => Activation::HardSwish,
        "LeakyRelu" => Activation::LeakyRelu { alpha: alpha(0.01) },
        "Log" => Activation::Log,
        "Mish" => Activation::Mish,
        "Neg" => Activation::Neg,
        "Reciprocal" => Activation::Reciprocal,
        "Relu" => Activation::Relu,
        "Selu" => Activation::Selu { alpha: alpha(1.673_263_2), gamma: arguments.float("gamma", 1.050_701) },
        "Sigmoid" => Activation::Sigmoid,
        "Softplus" => Activation::Softplus,
        "Softsign" => Activation::Softsign,
        "Sqrt" => Activation::Sqrt,
        "Tanh" => Activation::Tanh,
        other => return unsupported(format!("function {other}")),
    };
    let shape = arguments.float_shape(0)?.to_vec();
    Ok(Resolved::unary(Operator::Activation(function), shape))
}

impl Activation {
    pub(crate) fn run(self, input: &Value) -> Result<Value, GraphError> {
        input.map(|x| match self {
            Activation::Abs => x.abs(),
            Activation::Ceil => x.ceil(),
            Activation::Celu { alpha } => exponential_below_zero(x, f64::from(alpha), 1.0 / f64::from(alpha)),
            Activation::Elu { alpha } => exponential_below_zero(x, f64::from(alpha), 1.0),
            Activation::Erf => x.erf(),
            Activation::Exp => x.exp(),
            Activation::Floor => x.floor(),
            // burn's own gelu has the gradient of the tanh approximation on wgpu, off by up to 4e-4.
            Activation::Gelu => x.clone() * ((x / std::f32::consts::SQRT_2).erf() + 1.0) * 0.5,
            Activation::GeluTanh => {
                let cubic = x.clone() * x.clone() * x.clone() * 0.044_715;
                let inner = (x.clone() + cubic) * (2.0 / std::f32::consts::PI).sqrt();
                x * 0.5 * (inner.tanh() + 1.0)
            }
            Activation::HardSigmoid { alpha, beta } => (x * alpha + beta).clamp(0.0, 1.0),
            Activation::HardSwish => x.clone() * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Activation::LeakyRelu { alpha } => activation::relu(x.clone()) - activation::relu(-x) * alpha,
            Activation::Log => x.log(),
            Activation::Mish => x.clone() * softplus(x).tanh(),
            Activation::Neg => -x,
            Activation::Reciprocal => x.recip(),
            Activation::Relu => activation::relu(x),
            Activation::Selu { alpha, gamma } => exponential_below_zero(x, f64::from(alpha), 1.0) * gamma,
            Activation::Sigmoid => activation::sigmoid(x),
            Activation::Softplus => softplus(x),
            Activation::Softsign => x.clone() / (x.abs() + 1.0),
            Activation::Sqrt => x.sqrt(),
            Activation::Tanh => x.tanh(),
        })
    }
}

/// `x` above zero, `alpha (exp(rate x) - 1)` below, with the exponent kept from overflowing where it is not used.
fn exponential_below_zero(x: burn::Tensor<1>, alpha: f64, rate: f64) -> burn::Tensor<1> {
    let below = -activation::relu(-x.clone());
    activation::relu(x) + ((below * rate).exp() - 1.0) * alpha
}

/// log(1 + exp(x)) without overflow.
fn softplus(x: burn::Tensor<1>) -> burn::Tensor<1> {
    activation::relu(x.clone()) + (-x.abs()).exp().log1p()
}

/// Arithmetic of values that broadcast.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arithmetic {
    Add,
    Div,
    Max,
    Mean,
    Min,
    Mul,
    Pow,
    Power(f32),
    Square,
    Sub,
}

pub(crate) fn arithmetic(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let operator = arguments.node.operator.as_str();
    if arguments.opset < 7 && arguments.int("broadcast", 0) != 0 {
        return unsupported(format!("{operator} with the broadcasting of opset {}", arguments.opset));
    }
    let mut shape = arguments.shape(0)?.to_vec();
    let kind = arguments.fact(0)?.kind();
    for index in 1..arguments.facts.len() {
        let other = arguments.fact(index)?;
        // Powers alone may mix: a float base with an integer exponent.
        if other.kind() != kind && operator != "Pow" {
            return unsupported(format!("{operator} of mixed element types"));
        }
        let Some(both) = broadcast(&shape, other.shape()) else {
            return invalid(format!("shapes {shape:?} and {:?} do not broadcast", other.shape()));
        };
        shape = both;
    }
    if kind == Kind::Bool {
        return unsupported(format!("{operator} of booleans"));
    }
    let mut inputs = arguments.facts.len();
    let arithmetic = match operator {
        "Add" | "Sum" => Arithmetic::Add,
        "Div" => Arithmetic::Div,
        "Max" => Arithmetic::Max,
        "Mean" => Arithmetic::Mean,
        "Min" => Arithmetic::Min,
        "Mul" => Arithmetic::Mul,
        // A general power has no gradient at negative bases, so constant exponents get their own form.
        "Pow" => match arguments.facts.get(1) {
            Some(Some(Fact::Known(exponent))) if exponent.len() == 1 && kind == Kind::Float => {
                inputs = 1;
                match exponent.to_floats()[..] {
                    [2.0] => Arithmetic::Square,
                    [exponent] => Arithmetic::Power(exponent),
                    _ => return invalid("its exponent is empty"),
                }
            }
            Some(Some(exponent)) if exponent.kind() != kind => return unsupported("Pow of mixed element types"),
            _ => Arithmetic::Pow,
        },
        "Sub" => Arithmetic::Sub,
        other => return unsupported(format!("arithmetic {other}")),
    };
    Ok(Resolved { operator: Operator::Arithmetic(arithmetic), outputs: vec![Fact::Runtime { shape, kind }], inputs })
}

impl Arithmetic {
    pub(crate) fn run(self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let first = inputs.get(0)?.clone();
        let fold = |function: fn(&Value, &Value) -> Result<Value, GraphError>| {
            inputs.all().skip(1).try_fold(first.clone(), |sum, next| function(&sum, next))
        };
        match self {
            Arithmetic::Add => fold(Value::add),
            Arithmetic::Div => fold(Value::div),
            Arithmetic::Max => fold(Value::maximum),
            Arithmetic::Mean => {
                let count = inputs.all().count() as f32;
                fold(Value::add)?.map(|sum| sum / count)
            }
            Arithmetic::Min => fold(Value::minimum),
            Arithmetic::Mul => fold(Value::mul),
            Arithmetic::Pow => fold(Value::pow),
            Arithmetic::Power(exponent) => first.map(|x| x.powf_scalar(exponent)),
            Arithmetic::Square => first.mul(&first),
            Arithmetic::Sub => fold(Value::sub),
        }
    }
}

/// Clip with constant bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clip {
    min: f32,
    max: f32,
}

pub(crate) fn clip(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let bound = |index: usize, name: &str, default: f32| -> Result<f32, Refusal> {
        match arguments.constant(index)? {
            Some(tensor) => match tensor.to_floats().first() {
                Some(&bound) => Ok(bound),
                None => Ok(default),
            },
            None => Ok(arguments.float(name, default)),
        }
    };
    let clip = Clip { min: bound(1, "min", f32::MIN)?, max: bound(2, "max", f32::MAX)? };
    Ok(Resolved::unary(Operator::Clip(clip), arguments.float_shape(0)?.to_vec()))
}

impl Clip {
    pub(crate) fn run(self, input: &Value) -> Result<Value, GraphError> {
        input.map(|x| x.clamp(self.min, self.max))
    }
}

/// Leaky ReLU whose slope is a tensor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PRelu;

pub(crate) fn prelu(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let shape = arguments.float_shape(0)?.to_vec();
    let slope = arguments.float_shape(1)?;
    if broadcast(&shape, slope).as_ref() != Some(&shape) {
        return invalid(format!("slope of shape {slope:?} does not broadcast to {shape:?}"));
    }
    Ok(Resolved { operator: Operator::PRelu(PRelu), outputs: vec![Fact::float(shape)], inputs: 2 })
}

impl PRelu {
    pub(crate) fn run(self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let input = inputs.get(0)?;
        let below = input.map(|x| activation::relu(-x))?;
        input.map(activation::relu)?.sub(&below.mul(inputs.get(1)?)?)
    }
}
