//! The operators: each family's file turns a node into a resolved [`Operator`] and runs it.
//!
//! Resolving happens while planning, when all shapes and the constant inputs are known, and refuses whatever running
//! could not do; running only calls burn. To add an operator: a family's file (or a new one), one line in
//! [`OPERATORS`] and, for a new family, one variant of [`Operator`].

mod activation;
mod affine_grid;
pub(crate) mod arguments;
mod arithmetic;
mod attention;
mod axis_matrix;
mod batch_normalization;
mod blocks;
mod columns;
mod comparison;
mod concat;
mod convolution;
mod crop;
pub(crate) mod cumulative;
mod einsum;
mod fill;
pub(crate) mod gather;
mod grid_sample;
mod linear;
mod logic;
mod normalization;
pub(crate) mod one_hot;
mod pad;
mod pooling;
mod quantization;
pub(crate) mod ranking;
pub(crate) mod reduce;
mod refused;
mod resize;
mod roi_align;
mod rotary;
pub(crate) mod rows;
pub(crate) mod scatter;
mod sequence;
pub(crate) mod shape;
pub(crate) mod slice;
mod softmax;
pub(crate) mod tile;
pub(crate) mod triangle;
mod unpool;
mod window;

pub(crate) use arguments::{Arguments, Fact, Kind, Refusal, Resolved};

use crate::{GraphError, Value, host::HostTensor};

/// A node's operator with everything resolved that does not depend on values.
#[derive(Clone, Debug)]
pub(crate) enum Operator {
    Activation(activation::Activation),
    AffineGrid(affine_grid::AffineGrid),
    ArgExtreme(ranking::ArgExtreme),
    Arithmetic(arithmetic::Arithmetic),
    Attention(attention::Attention),
    BatchNormalization(batch_normalization::BatchNormalization),
    Blocks(blocks::Blocks),
    Cast(shape::Cast),
    CenterCropPad(crop::CenterCropPad),
    Clip(arithmetic::Clip),
    ColumnsToImage(columns::ColumnsToImage),
    Comparison(comparison::Comparison),
    Concat(concat::Concat),
    Convolution(convolution::Convolution),
    Cumulative(cumulative::Cumulative),
    Dequantize(quantization::Dequantize),
    DynamicQuantize,
    Einsum(einsum::Einsum),
    Expand(shape::Expand),
    Fill(fill::Fill),
    Gather(gather::Gather),
    GatherElements(gather::GatherElements),
    Gemm(linear::Gemm),
    GridSample(grid_sample::GridSample),
    Identity,
    Logic(logic::Logic),
    MatMul(linear::MatMul),
    MaxUnpool(unpool::MaxUnpool),
    Normalization(normalization::Normalization),
    OneHot(one_hot::OneHot),
    PRelu(activation::PRelu),
    Pad(pad::Pad),
    Pool(pooling::Pool),
    Quantize(quantization::Quantize),
    QuantizedProduct(quantization::QuantizedProduct),
    Reduce(reduce::Reduce),
    Reshape(shape::Reshape),
    Resize(resize::Resize),
    ReverseSequence(sequence::ReverseSequence),
    RoiAlign(roi_align::RoiAlign),
    RotaryEmbedding(rotary::RotaryEmbedding),
    Scatter(scatter::Scatter),
    Slice(slice::Slice),
    Softmax(softmax::Softmax),
    Split(slice::Split),
    Tile(tile::Tile),
    TopK(ranking::TopK),
    Transpose(shape::Transpose),
    TransposedConvolution(convolution::TransposedConvolution),
    Triangle(triangle::Triangle),
    Where(comparison::Where),
}

impl Operator {
    /// What the operator has worked out while it was resolved and wants on the device, after the inputs it reads.
    pub(crate) fn constants(&self) -> Vec<&HostTensor> {
        match self {
            Operator::BatchNormalization(operator) => operator.constants(),
            Operator::ColumnsToImage(operator) => operator.constants(),
            Operator::Normalization(operator) => operator.constants(),
            Operator::Pool(operator) => operator.constants(),
            Operator::Resize(operator) => operator.constants(),
            _ => Vec::new(),
        }
    }

    /// Computes the outputs. Inputs that were left out are absent; constant inputs that were resolved may be.
    pub(crate) fn run(&self, inputs: &[Option<Value>]) -> Result<Vec<Value>, GraphError> {
        let inputs = Inputs(inputs);
        let output = match self {
            Operator::Activation(operator) => operator.run(inputs.get(0)?)?,
            Operator::AffineGrid(operator) => operator.run(&inputs)?,
            Operator::ArgExtreme(operator) => operator.run(inputs.get(0)?)?,
            Operator::Arithmetic(operator) => operator.run(&inputs)?,
            Operator::Attention(operator) => return operator.run(&inputs),
            Operator::BatchNormalization(operator) => operator.run(&inputs)?,
            Operator::Blocks(operator) => operator.run(inputs.get(0)?)?,
            Operator::Cast(operator) => operator.run(inputs.get(0)?),
            Operator::CenterCropPad(operator) => operator.run(inputs.get(0)?)?,
            Operator::Clip(operator) => operator.run(&inputs)?,
            Operator::ColumnsToImage(operator) => operator.run(&inputs)?,
            Operator::Comparison(operator) => operator.run(&inputs)?,
            Operator::Concat(operator) => operator.run(&inputs)?,
            Operator::Convolution(operator) => operator.run(&inputs)?,
            Operator::Cumulative(operator) => operator.run(inputs.get(0)?)?,
            Operator::Dequantize(operator) => operator.run(&inputs)?,
            Operator::DynamicQuantize => return quantization::run_dynamic_quantize(inputs.get(0)?),
            Operator::Einsum(operator) => operator.run(&inputs)?,
            Operator::Expand(operator) => operator.run(inputs.get(0)?)?,
            Operator::Fill(operator) => operator.run(&inputs)?,
            Operator::Gather(operator) => operator.run(&inputs)?,
            Operator::GatherElements(operator) => operator.run(&inputs)?,
            Operator::Gemm(operator) => operator.run(&inputs)?,
            Operator::GridSample(operator) => operator.run(&inputs)?,
            Operator::Identity => inputs.get(0)?.clone(),
            Operator::Logic(operator) => operator.run(&inputs)?,
            Operator::MatMul(operator) => operator.run(&inputs)?,
            Operator::MaxUnpool(operator) => operator.run(&inputs)?,
            Operator::Normalization(operator) => return operator.run(&inputs),
            Operator::OneHot(operator) => operator.run(&inputs)?,
            Operator::PRelu(operator) => operator.run(&inputs)?,
            Operator::Pad(operator) => operator.run(inputs.get(0)?)?,
            Operator::Pool(operator) => return operator.run(&inputs),
            Operator::Quantize(operator) => operator.run(&inputs)?,
            Operator::QuantizedProduct(operator) => operator.run(&inputs)?,
            Operator::Reduce(operator) => operator.run(inputs.get(0)?)?,
            Operator::Reshape(operator) => operator.run(inputs.get(0)?)?,
            Operator::Resize(operator) => operator.run(&inputs)?,
            Operator::ReverseSequence(operator) => operator.run(inputs.get(0)?)?,
            Operator::RoiAlign(operator) => operator.run(&inputs)?,
            Operator::RotaryEmbedding(operator) => operator.run(&inputs)?,
            Operator::Scatter(operator) => operator.run(&inputs)?,
            Operator::Slice(operator) => operator.run(inputs.get(0)?)?,
            Operator::Softmax(operator) => operator.run(inputs.get(0)?)?,
            Operator::Split(operator) => return operator.run(inputs.get(0)?),
            Operator::Tile(operator) => operator.run(inputs.get(0)?)?,
            Operator::TopK(operator) => return operator.run(inputs.get(0)?),
            Operator::Transpose(operator) => operator.run(inputs.get(0)?)?,
            Operator::TransposedConvolution(operator) => operator.run(&inputs)?,
            Operator::Triangle(operator) => operator.run(inputs.get(0)?)?,
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
    ("Abs", activation::activation),
    ("Acos", activation::activation),
    ("Acosh", activation::activation),
    ("Add", arithmetic::arithmetic),
    ("AffineGrid", affine_grid::affine_grid),
    ("And", logic::logic),
    ("ArgMax", ranking::arg_extreme),
    ("ArgMin", ranking::arg_extreme),
    ("Asin", activation::activation),
    ("Asinh", activation::activation),
    ("Atan", activation::activation),
    ("Atanh", activation::activation),
    ("Attention", attention::attention),
    ("AveragePool", pooling::windowed),
    ("BatchNormalization", batch_normalization::batch_normalization),
    ("Bernoulli", refused::random),
    ("BitShift", logic::logic),
    ("BitwiseAnd", logic::logic),
    ("BitwiseOr", logic::logic),
    ("BitwiseXor", logic::logic),
    ("Cast", shape::cast),
    ("CastLike", shape::cast),
    ("Ceil", activation::activation),
    ("Celu", activation::activation),
    ("CenterCropPad", crop::center_crop_pad),
    ("Clip", arithmetic::clip),
    ("Col2Im", columns::columns_to_image),
    ("Compress", gather::compress),
    ("Concat", concat::concat),
    ("ConcatFromSequence", refused::sequence),
    ("ConstantOfShape", fill::constant_of_shape),
    ("Conv", convolution::convolution),
    ("ConvInteger", quantization::product),
    ("ConvTranspose", convolution::transposed),
    ("Cos", activation::activation),
    ("Cosh", activation::activation),
    ("CumProd", cumulative::cumulative),
    ("CumSum", cumulative::cumulative),
    ("DepthToSpace", blocks::blocks),
    ("DequantizeLinear", quantization::dequantize),
    ("Div", arithmetic::arithmetic),
    ("Dropout", shape::identity),
    ("DynamicQuantizeLinear", quantization::dynamic_quantize),
    ("Einsum", einsum::einsum),
    ("Elu", activation::activation),
    ("Equal", comparison::comparison),
    ("Erf", activation::activation),
    ("Exp", activation::activation),
    ("Expand", shape::expand),
    ("Flatten", shape::flatten),
    ("Floor", activation::activation),
    ("Gather", gather::gather),
    ("GatherElements", gather::gather_elements),
    ("GatherND", gather::gather_nd),
    ("Gelu", activation::activation),
    ("Gemm", linear::gemm),
    ("GlobalAveragePool", pooling::global),
    ("GlobalLpPool", pooling::global),
    ("GlobalMaxPool", pooling::global),
    ("Greater", comparison::comparison),
    ("GreaterOrEqual", comparison::comparison),
    ("GridSample", grid_sample::grid_sample),
    ("GroupNormalization", normalization::normalization),
    ("HardSigmoid", activation::activation),
    ("HardSwish", activation::activation),
    ("Hardmax", softmax::softmax),
    ("Identity", shape::identity),
    ("InstanceNormalization", normalization::normalization),
    ("IsInf", logic::logic),
    ("IsNaN", logic::logic),
    ("LRN", normalization::normalization),
    ("LayerNormalization", normalization::normalization),
    ("LeakyRelu", activation::activation),
    ("Less", comparison::comparison),
    ("LessOrEqual", comparison::comparison),
    ("Log", activation::activation),
    ("LogSoftmax", softmax::softmax),
    ("LpNormalization", normalization::normalization),
    ("LpPool", pooling::windowed),
    ("MatMul", linear::matmul),
    ("MatMulInteger", quantization::product),
    ("Max", arithmetic::arithmetic),
    ("MaxPool", pooling::windowed),
    ("MaxUnpool", unpool::max_unpool),
    ("Mean", arithmetic::arithmetic),
    ("MeanVarianceNormalization", normalization::normalization),
    ("Min", arithmetic::arithmetic),
    ("Mish", activation::activation),
    ("Mod", arithmetic::arithmetic),
    ("Mul", arithmetic::arithmetic),
    ("Multinomial", refused::random),
    ("Neg", activation::activation),
    ("NonMaxSuppression", refused::open),
    ("NonZero", refused::open),
    ("Not", logic::logic),
    ("OneHot", one_hot::one_hot),
    ("Or", logic::logic),
    ("PRelu", activation::prelu),
    ("Pad", pad::pad),
    ("Pow", arithmetic::arithmetic),
    ("QLinearConv", quantization::product),
    ("QLinearMatMul", quantization::product),
    ("QuantizeLinear", quantization::quantize),
    ("RMSNormalization", normalization::normalization),
    ("RandomNormal", refused::random),
    ("RandomNormalLike", refused::random),
    ("RandomUniform", refused::random),
    ("RandomUniformLike", refused::random),
    ("Reciprocal", activation::activation),
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
    ("Relu", activation::activation),
    ("Reshape", shape::reshape),
    ("Resize", resize::resize),
    ("ReverseSequence", sequence::reverse_sequence),
    ("RoiAlign", roi_align::roi_align),
    ("RotaryEmbedding", rotary::rotary_embedding),
    ("Round", activation::activation),
    ("Scatter", scatter::scatter),
    ("ScatterElements", scatter::scatter),
    ("ScatterND", scatter::scatter),
    ("Selu", activation::activation),
    ("SequenceAt", refused::sequence),
    ("SequenceConstruct", refused::sequence),
    ("SequenceEmpty", refused::sequence),
    ("SequenceErase", refused::sequence),
    ("SequenceInsert", refused::sequence),
    ("SequenceLength", refused::sequence),
    ("Shrink", activation::activation),
    ("Sigmoid", activation::activation),
    ("Sign", activation::activation),
    ("Sin", activation::activation),
    ("Sinh", activation::activation),
    ("Slice", slice::slice),
    ("Softmax", softmax::softmax),
    ("Softplus", activation::activation),
    ("Softsign", activation::activation),
    ("SpaceToDepth", blocks::blocks),
    ("Split", slice::split),
    ("SplitToSequence", refused::sequence),
    ("Sqrt", activation::activation),
    ("Squeeze", shape::squeeze),
    ("Sub", arithmetic::arithmetic),
    ("Sum", arithmetic::arithmetic),
    ("Swish", activation::activation),
    ("Tan", activation::activation),
    ("Tanh", activation::activation),
    ("ThresholdedRelu", activation::activation),
    ("Tile", tile::tile),
    ("TopK", ranking::top_k),
    ("Transpose", shape::transpose),
    ("Trilu", triangle::trilu),
    ("Unique", refused::open),
    ("Unsqueeze", shape::unsqueeze),
    ("Upsample", resize::resize),
    ("Where", comparison::choose),
    ("Xor", logic::logic),
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
