//! Functions of one element.

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
    Acos,
    Acosh,
    Asin,
    Asinh,
    Atan,
    Atanh,
    Ceil,
    Celu { alpha: f32 },
    Cos,
    Cosh,
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
    Round,
    Selu { alpha: f32, gamma: f32 },
    Shrink { bias: f32, lambd: f32 },
    Sigmoid,
    Sign,
    Sin,
    Sinh,
    Softplus,
    Softsign,
    Sqrt,
    Swish { alpha: f32 },
    Tan,
    Tanh,
    ThresholdedRelu { alpha: f32 },
}

pub(crate) fn activation(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let alpha = |default| arguments.float("alpha", default);
    let function = match arguments.node.operator.as_str() {
        "Abs" => Activation::Abs,
        "Acos" => Activation::Acos,
        "Acosh" => Activation::Acosh,
        "Asin" => Activation::Asin,
        "Asinh" => Activation::Asinh,
        "Atan" => Activation::Atan,
        "Atanh" => Activation::Atanh,
        "Ceil" => Activation::Ceil,
        "Celu" => Activation::Celu { alpha: alpha(1.0) },
        "Cos" => Activation::Cos,
        "Cosh" => Activation::Cosh,
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
        "Round" => Activation::Round,
        "Selu" => Activation::Selu { alpha: alpha(1.673_263_2), gamma: arguments.float("gamma", 1.050_701) },
        "Shrink" => Activation::Shrink { bias: arguments.float("bias", 0.0), lambd: arguments.float("lambd", 0.5) },
        "Sigmoid" => Activation::Sigmoid,
        "Sign" => Activation::Sign,
        "Sin" => Activation::Sin,
        "Sinh" => Activation::Sinh,
        "Softplus" => Activation::Softplus,
        "Softsign" => Activation::Softsign,
        "Sqrt" => Activation::Sqrt,
        "Swish" => Activation::Swish { alpha: alpha(1.0) },
        "Tan" => Activation::Tan,
        "Tanh" => Activation::Tanh,
        "ThresholdedRelu" => Activation::ThresholdedRelu { alpha: alpha(1.0) },
        other => return unsupported(format!("function {other}")),
    };
    let fact = arguments.fact(0)?;
    let has_integers = matches!(function, Activation::Abs | Activation::Neg | Activation::Relu | Activation::Sign);
    if fact.kind() == Kind::Bool || (fact.kind() == Kind::Int && !has_integers) {
        return unsupported("integer or boolean input");
    }
    let outputs = vec![Fact::Runtime { shape: fact.shape().to_vec(), kind: fact.kind() }];
    Ok(Resolved { operator: Operator::Activation(function), outputs, inputs: 1 })
}

impl Activation {
    pub(crate) fn run(self, input: &Value) -> Result<Value, GraphError> {
        if !input.is_float() {
            return input.map_int(|x| match self {
                Activation::Abs => x.abs(),
                Activation::Neg => -x,
                Activation::Relu => x.clamp_min(0),
                _ => x.sign(),
            });
        }
        input.map(|x| match self {
            Activation::Abs => x.abs(),
            Activation::Acos => -arcsine(x) + std::f32::consts::FRAC_PI_2,
            Activation::Acosh => x.acosh(),
            Activation::Asin => arcsine(x),
            Activation::Asinh => x.asinh(),
            Activation::Atan => x.atan(),
            Activation::Atanh => x.atanh(),
            Activation::Ceil => x.ceil(),
            Activation::Celu { alpha } => exponential_below_zero(x, f64::from(alpha), 1.0 / f64::from(alpha)),
            Activation::Cos => x.cos(),
            Activation::Cosh => x.cosh(),
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
            Activation::LeakyRelu { alpha } => (x.clone() * alpha).mask_where(x.clone().greater_elem(0.0), x),
            Activation::Log => x.log(),
            Activation::Mish => mish(x),
            Activation::Neg => -x,
            Activation::Reciprocal => x.recip(),
            Activation::Relu => activation::relu(x),
            Activation::Round => x.round(),
            Activation::Selu { alpha, gamma } => exponential_below_zero(x, f64::from(alpha), 1.0) * gamma,
            Activation::Shrink { bias, lambd } => {
                let (below, above) = (x.clone().lower_elem(-lambd), x.clone().greater_elem(lambd));
                let raised = (x.clone() + bias).mask_fill(below.bool_not(), 0.0);
                raised + (x - bias).mask_fill(above.bool_not(), 0.0)
            }
            Activation::Sigmoid => activation::sigmoid(x),
            Activation::Sign => x.sign(),
            Activation::Sin => x.sin(),
            Activation::Sinh => x.sinh(),
            Activation::Softplus => softplus(x),
            Activation::Softsign => x.clone() / (x.abs() + 1.0),
            Activation::Sqrt => x.sqrt(),
            Activation::Swish { alpha } => x.clone() * activation::sigmoid(x * alpha),
            Activation::Tan => x.tan(),
            Activation::Tanh => tanh(x),
            Activation::ThresholdedRelu { alpha } => x.clone().mask_fill(x.lower_equal_elem(alpha), 0.0),
        })
    }
}

/// `x` above zero, `alpha (exp(rate x) - 1)` elsewhere, with the exponent kept from overflowing where it is not used.
fn exponential_below_zero(x: burn::Tensor<1>, alpha: f64, rate: f64) -> burn::Tensor<1> {
    let below = ((x.clone().clamp_max(0.0) * rate).exp() - 1.0) * alpha;
    below.mask_where(x.clone().greater_elem(0.0), x)
}

/// By way of the arctangent: GPUs take a polynomial for arcsines that is off by up to 3e-4.
fn arcsine(x: burn::Tensor<1>) -> burn::Tensor<1> {
    let cosine = (-(x.clone() * x.clone()) + 1.0).sqrt();
    (x / (cosine + 1.0)).atan() * 2.0
}

/// log(1 + exp(x)) without overflow. The larger of x and zero is taken so that the slope at zero is right.
fn softplus(x: burn::Tensor<1>) -> burn::Tensor<1> {
    let positive = x.clone().clamp_min(0.0);
    positive.clone() + log_one_plus((x - positive * 2.0).exp())
}

/// log(1 + e) for e from 0 to 1 as `2 artanh(z)`, `z = e / (e + 2)`: logarithms of numbers near one are imprecise on
/// GPUs.
fn log_one_plus(e: burn::Tensor<1>) -> burn::Tensor<1> {
    let z = e.clone() / (e + 2.0);
    let square = z.clone() * z.clone();
    let series = [11.0, 9.0, 7.0, 5.0, 3.0, 1.0].iter().fold(square.clone() / 13.0, |sum, odd| {
        if *odd == 1.0 { sum + 1.0 } else { (sum + 1.0 / odd) * square.clone() }
    });
    z * series * 2.0
}

/// tanh(x), by its series near zero, where GPUs' own is off by 6e-8 however small x is.
fn tanh(x: burn::Tensor<1>) -> burn::Tensor<1> {
    const NEAR: f32 = 0.125;
    let square = x.clone() * x.clone();
    let slope = ((square.clone() * (-17.0 / 315.0) + 2.0 / 15.0) * square.clone() - 1.0 / 3.0) * square.clone() + 1.0;
    let far = square.greater_elem(NEAR * NEAR);
    (x.clone() * slope).mask_where(far, x.tanh())
}

/// From here on, `tanh(softplus(x))` is one in float32.
const SATURATED: f32 = 20.0;

/// x tanh(softplus(x)), by `tanh(log(1 + e)) = (e^2 + 2 e) / (e^2 + 2 e + 2)`.
fn mish(x: burn::Tensor<1>) -> burn::Tensor<1> {
    let e = x.clone().clamp_max(SATURATED).exp();
    let w = e.clone() * (e + 2.0);
    x * (w.clone() / (w + 2.0))
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
        let positive = input.test(|x| x.greater_elem(0.0))?;
        Value::either(&positive.beside(input), input, &input.mul(inputs.get(1)?)?)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn slope_at_zero(function: Activation) -> f32 {
        let zero = Value::from_f32(&[0.0], &[1], &Device::flex()).leaf().unwrap();
        let output = function.run(&zero).unwrap().tensor::<1>().unwrap();
        let gradients = output.backward();
        let slope = zero.tensor::<1>().unwrap().grad(&gradients).unwrap();
        slope.into_data().try_to_vec::<f32>().unwrap()[0]
    }

    #[test]
    fn functions_that_are_smooth_at_zero_have_their_slope_there() {
        let selu = Activation::Selu { alpha: 2.0, gamma: 3.0 };
        for (function, slope) in [
            (Activation::Softplus, 0.5),
            (Activation::Elu { alpha: 1.0 }, 1.0),
            (Activation::Celu { alpha: 2.0 }, 1.0),
            (Activation::Mish, 0.6),
            (Activation::Softsign, 1.0),
            (Activation::Gelu, 0.5),
            (Activation::Swish { alpha: 1.0 }, 0.5),
            // A kink: the slope from the left, as PyTorch has it.
            (Activation::LeakyRelu { alpha: 0.25 }, 0.25),
            (selu, 6.0),
        ] {
            assert!((slope_at_zero(function) - slope).abs() < 1e-6, "{function:?}: {}", slope_at_zero(function));
        }
    }
}
