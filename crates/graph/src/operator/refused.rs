//! Operators that are known by name and not run: what they make depends on chance, on the picture, or is no tensor.

use super::{Arguments, Refusal, Resolved, arguments::unsupported};

/// Operators whose outputs are as long as what they find in the picture: planning ends where they stand.
pub(crate) fn open(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    Refusal::open(match arguments.node.operator.as_str() {
        "NonMaxSuppression" => "how many boxes it keeps",
        "NonZero" => "how many elements it finds",
        _ => "how many values it finds",
    })
}

pub(crate) fn random(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    unsupported(format!("{}, which draws random numbers and answers differently every time", arguments.node.operator))
}

pub(crate) fn sequence(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    unsupported(format!("{}, which works on sequences of tensors", arguments.node.operator))
}
