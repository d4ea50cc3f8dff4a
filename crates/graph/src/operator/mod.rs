//! The operators: each family's file turns a node into a resolved [`Operator`] and runs it.
//!
//! Resolving happens while planning, when all shapes and the constant inputs are known, and refuses whatever running
//! could not do; running only calls burn. To add an operator: a family's file (or a new one), one line in
//! [`OPERATORS`] and, for a new family, one variant of [`Operator`].

pub(crate) mod arguments;
mod comparison;
mod concat;
mod convolution;
mod elementwise;
mod linear;
mod normalization;
mod pad;
mod pooling;
mod reduce;
mod resize;
pub(crate) mod shape;
pub(crate) mod slice;
mod softmax;
mod window;

pub(crate) use arguments::{Arguments, Fact, Kind, Refusal, Resolved};

use crate::{GraphError, Value};

/// A node's operator with everything resolved that does not depend on values.
#[derive(Clone, Debug)]
pub(crate) enum Operator {
    Activation(elementwise::Activation),
    Arithmetic(elementwise::Arithmetic),
    BatchNormalization(normalization::BatchNormalization),
    Cast(shape::Cast),
    Clip(elementwise::Clip),
    Comparison(comparison::Comparison),
    Concat(concat::Concat),
    Convolution(convolution::Convolution),
    Expand(shape::Expand),
    Gather(slice::Gather),
    Gemm(linear::Gemm),
    Identity,
    MatMul(linear::MatMul),
    Pad(pad::Pad),
    Pool(pooling::Pool),
    PRelu(elementwise::PRelu),
    Reduce(reduce::Reduce),
    Reshape(shape::Reshape),
    Resize(resize::Resize),
    Slice(slice::Slice),
    Softmax(softmax::Softmax),
    Split(slice::Split),
    Transpose(shape::Transpose),
    Where(comparison::Where),
}

impl Operator {
    /// Computes the outputs. Inputs that were left out are absent; constant inputs that were resolved may be.
    pub(crate) fn run(&self, inputs: &[Option<Value>]) -> Result<Vec<Value>, GraphError> {
        let inputs = Inputs(inputs);
        let output = match self {
            Operator::Activation(operator) => operator.run(inputs.get(0)?)?,
            Operator::Arithmetic(operator) => operator.run(&inputs)?,
            Operator::BatchNormalization(operator) => operator.run(&inputs)?,
            Operator::Cast(operator) => operator.run(inputs.get(0)?),
            Operator::Clip(operator) => operator.run(inputs.get(0)?)?,
            Operator::Comparison(operator) => operator.run(&inputs)?,
            Operator::Concat(operator) => operator.run(&inputs)?,
            Operator::Convolution(operator) => operator.run(&inputs)?,
            Operator::Expand(operator) => operator.run(inputs.get(0)?)?,
            Operator::Gather(operator) => operator.run(inputs.get(0)?)?,
            Operator::Gemm(operator) => operator.run(&inputs)?,
            Operator::Identity => inputs.get(0)?.clone(),
            Operator::MatMul(operator) => operator.run(&inputs)?,
            Operator::Pad(operator) => operator.run(inputs.get(0)?)?,
            Operator::Pool(operator) => operator.run(inputs.get(0)?)?,
            Operator::PRelu(operator) => operator.run(&inputs)?,
            Operator::Reduce(operator) => operator.run(inputs.get(0)?)?,
            Operator::Reshape(operator) => operator.run(inputs.get(0)?)?,
            Operator::Resize(operator) => operator.run(inputs.get(0)?)?,
            Operator::Slice(operator) => operator.run(inputs.get(0)?)?,
            Operator::Softmax(operator) => operator.run(inputs.get(0)?)?,
            Operator::Split(operator) => return operator.run(inputs.get(0)?),
            Operator::Transpose(operator) => operator.run(inputs.get(0)?)?,
            Operator::Where(operator) => operator.run(&inputs)?,
        };
        Ok(vec![output])
    }
}

/// The values a node is given when it runs.
pub(crate) struct Inputs<'a>(&'a [Option<Value>]);

impl Inputs<'_> {
    /// A required input.
    pub(crate) fn get(&self, index: usize) -> Result<&Value, GraphError> {
        self.optional(index).ok_or_else(|| GraphError::MissingInput(format!("input {index} of a node")))
    }

    /// An input that may be left out.
    pub(crate) fn optional(&self, index: usize) -> Option<&Value> {
        self.0.get(index)?.as_ref()
    }

    /// Every input that was given.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().flatten()
    }
}

/// Turns a node into an operator and says what its outputs are.
pub(crate) type Resolver = fn(&Arguments<'_>) -> Result<Resolved, Refusal>;

/// Every operator of ONNX's own domain that runs, by name.
pub(crate) const OPERATORS: &[(&str, Resolver)] = &[
    ("Abs", elementwise::activation),
    ("Add", elementwise::arithmetic),
    ("AveragePool", pooling::windowed),
    ("BatchNormalization", normalization::batch_normalization),
    ("Cast", shape::cast),
    ("Ceil", elementwise::activation),
    ("Celu", elementwise::activation),
    ("Clip", elementwise::clip),
    ("Concat", concat::concat),
    ("Conv", convolution::convolution),
    ("Div", elementwise::arithmetic),
    ("Dropout", shape::identity),
    ("Elu", elementwise::activation),
    ("Equal", comparison::comparison),
    ("Erf", elementwise::activation),
    ("Exp", elementwise::activation),
    ("Expand", shape::expand),
    ("Flatten", shape::flatten),
    ("Floor", elementwise::activation),
    ("Gather", slice::gather),
    ("Gelu", elementwise::activation),
    ("Gemm", linear::gemm),
    ("GlobalAveragePool", pooling::global),
    ("GlobalMaxPool", pooling::global),
    ("Greater", comparison::comparison),
    ("GreaterOrEqual", comparison::comparison),
    ("HardSigmoid", elementwise::activation),
    ("HardSwish", elementwise::activation),
    ("Identity", shape::identity),
    ("LeakyRelu", elementwise::activation),
    ("Less", comparison::comparison),
    ("LessOrEqual", comparison::comparison),
    ("Log", elementwise::activation),
    ("LogSoftmax", softmax::softmax),
    ("MatMul", linear::matmul),
    ("Max", elementwise::arithmetic),
    ("MaxPool", pooling::windowed),
    ("Mean", elementwise::arithmetic),
    ("Min", elementwise::arithmetic),
    ("Mish", elementwise::activation),
    ("Mul", elementwise::arithmetic),
    ("Neg", elementwise::activation),
    ("PRelu", elementwise::prelu),
    ("Pad", pad::pad),
    ("Pow", elementwise::arithmetic),
    ("Reciprocal", elementwise::activation),
    ("ReduceL1", reduce::reduce),
    ("ReduceL2", reduce::reduce),
    ("ReduceLogSum", reduce::reduce),
    ("ReduceLogSumExp", reduce::reduce),
    ("ReduceMax", reduce::reduce),
    ("ReduceMean", reduce::reduce),
    ("ReduceMin", reduce::reduce),
    ("ReduceProd", reduce::reduce),
    ("ReduceSum", reduce::reduce),
    ("ReduceSumSquare", reduce::reduce),
    ("Relu", elementwise::activation),
    ("Reshape", shape::reshape),
    ("Resize", resize::resize),
    ("Selu", elementwise::activation),
    ("Sigmoid", elementwise::activation),
    ("Slice", slice::slice),
    ("Softmax", softmax::softmax),
    ("Softplus", elementwise::activation),
    ("Softsign", elementwise::activation),
    ("Split", slice::split),
    ("Sqrt", elementwise::activation),
    ("Squeeze", shape::squeeze),
    ("Sub", elementwise::arithmetic),
    ("Sum", elementwise::arithmetic),
    ("Tanh", elementwise::activation),
    ("Transpose", shape::transpose),
    ("Unsqueeze", shape::unsqueeze),
    ("Upsample", resize::resize),
    ("Where", comparison::choose),
];

/// The resolver of an operator.
pub(crate) fn resolver(operator: &str) -> Option<Resolver> {
    OPERATORS.iter().find(|(name, _)| *name == operator).map(|(_, resolver)| *resolver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_list_is_sorted_and_free_of_repeats() {
        let names: Vec<&str> = OPERATORS.iter().map(|(name, _)| *name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }
}
