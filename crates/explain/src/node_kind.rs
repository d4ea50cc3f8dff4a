//! What kind of function a node computes, as far as rules for walking backwards care.

use vitrine_graph::Unit;

/// The kinds; rules match them exhaustively.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    /// A nonlinearity between layers, element by element.
    Activation,
    /// Any other function, element by element.
    Function,
    /// Moves or copies values, or puts constants beside them.
    Rearrangement,
    /// Gives the largest or the smallest of several values.
    Extreme,
    /// Linear in all its computed inputs together, apart from a bias.
    Linear,
    /// Divides by a statistic of the values themselves.
    Normalization,
    /// Of two values, of which one or both are computed.
    Quotient,
    /// Of two values, of which one or both are computed.
    Product,
    /// Attention as one node: queries, keys and values.
    Attention,
    /// Everything else.
    Other,
}

impl NodeKind {
    pub(crate) fn of(unit: &Unit<'_>) -> NodeKind {
        match unit.operator() {
            "Celu" | "Clip" | "Elu" | "Gelu" | "HardSigmoid" | "HardSwish" | "LeakyRelu" | "Mish" | "PRelu"
            | "QuickGelu" | "Relu" | "Selu" | "Shrink" | "Sigmoid" | "Silu" | "Softplus" | "Softsign" | "Swish"
            | "Tanh" | "ThresholdedRelu" => NodeKind::Activation,
            "Abs" | "Acos" | "Acosh" | "Asin" | "Asinh" | "Atan" | "Atanh" | "Cos" | "Cosh" | "Erf" | "Exp" | "Log"
            | "Pow" | "Reciprocal" | "Sin" | "Sinh" | "Sqrt" | "Tan" => NodeKind::Function,
            "Cast" | "CenterCropPad" | "Compress" | "Concat" | "DepthToSpace" | "Dropout" | "Expand" | "Flatten"
            | "Gather" | "GatherElements" | "GatherND" | "Identity" | "Pad" | "Reshape" | "ReverseSequence"
            | "ScatterElements" | "ScatterND" | "Slice" | "SpaceToDepth" | "Split" | "Squeeze" | "Tile"
            | "Transpose" | "Trilu" | "Unsqueeze" | "Where" => NodeKind::Rearrangement,
            "GlobalMaxPool" | "Max" | "MaxPool" | "Min" | "ReduceMax" | "ReduceMin" => NodeKind::Extreme,
            "Add" | "AveragePool" | "BatchNormalization" | "Conv" | "ConvTranspose" | "CumSum" | "Gemm"
            | "GlobalAveragePool" | "GridSample" | "Linear" | "Mean" | "Neg" | "ReduceMean" | "ReduceSum"
            | "Resize" | "RoiAlign" | "Sub" | "Sum" | "Upsample" => NodeKind::Linear,
            "GroupNormalization"
            | "InstanceNormalization"
            | "LRN"
            | "LayerNormalization"
            | "LpNormalization"
            | "RMSNormalization" => NodeKind::Normalization,
            "Div" => NodeKind::Quotient,
            "Einsum" | "MatMul" | "Mul" => NodeKind::Product,
            "Attention" => NodeKind::Attention,
            _ => NodeKind::Other,
        }
    }
}
