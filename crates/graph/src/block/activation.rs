//! Activations that multiply a value by a gate computed from it.

use std::f32::consts::FRAC_1_SQRT_2;

use super::{Parts, View};

/// A product of a value `x` and a gate `g(p(x))`.
struct Gated {
    operator: &'static str,
    /// The gate's operator.
    gate: &'static str,
    /// Coefficients of what enters the gate, by the power of `x`.
    argument: &'static [(usize, f32)],
    /// Coefficients of the result, by the powers of `x` and of the gate.
    result: &'static [([usize; 2], f32)],
}

/// `sqrt(2 / pi)`.
const TANH_SCALE: f32 = 0.797_884_6;

const GATED: &[Gated] = &[
    // x (1 + erf(x / sqrt 2)) / 2
    Gated { operator: "Gelu", gate: "Erf", argument: &[(1, FRAC_1_SQRT_2)], result: &[([1, 0], 0.5), ([1, 1], 0.5)] },
    // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
    Gated {
        operator: "Gelu",
        gate: "Tanh",
        argument: &[(1, TANH_SCALE), (3, 0.044_715 * TANH_SCALE)],
        result: &[([1, 0], 0.5), ([1, 1], 0.5)],
    },
    Gated { operator: "QuickGelu", gate: "Sigmoid", argument: &[(1, 1.702)], result: &[([1, 1], 1.0)] },
    Gated { operator: "Silu", gate: "Sigmoid", argument: &[(1, 1.0)], result: &[([1, 1], 1.0)] },
    Gated { operator: "HardSwish", gate: "HardSigmoid", argument: &[(1, 1.0)], result: &[([1, 1], 1.0)] },
    // x min(max(x + 3, 0), 6) / 6
    Gated { operator: "HardSwish", gate: "Clip", argument: &[(0, 3.0), (1, 1.0)], result: &[([1, 1], 1.0 / 6.0)] },
    // x tanh(log(1 + e^x)): the gate is two nodes, of which the second has the first as its argument.
    Gated { operator: "Mish", gate: "Tanh", argument: &[(1, 1.0)], result: &[([1, 1], 1.0)] },
];

/// Nodes between the result and its gate.
const MAX_DEPTH: usize = 4;

/// The activation whose result a value is.
pub(super) fn ending_in(view: &View<'_>, id: usize) -> Option<Parts> {
    if !matches!(view.operator(id), "Mul" | "Div") {
        return None;
    }
    let mut gates = Vec::new();
    find(view, id, MAX_DEPTH, &mut gates);
    gates.into_iter().find_map(|gate| with_gate(view, id, gate))
}

/// The gates before a value, through sums and products.
fn find(view: &View<'_>, id: usize, depth: usize, gates: &mut Vec<usize>) {
    let operator = view.operator(id);
    if GATED.iter().any(|gated| gated.gate == operator) {
        gates.push(id);
    } else if matches!(operator, "Add" | "Cast" | "Div" | "Identity" | "Mul")
        && let Some(depth) = depth.checked_sub(1)
    {
        view.inputs(id).into_iter().for_each(|input| find(view, input, depth, gates));
    }
}

fn with_gate(view: &View<'_>, id: usize, gate: usize) -> Option<Parts> {
    let argument = view.seen_through(view.input(gate, 0)?);
    let softplus = view.operator(argument) == "Softplus";
    let argument = if softplus { view.input(argument, 0)? } else { argument };
    for gated in GATED.iter().filter(|gated| {
        gated.gate == view.operator(gate) && (gated.operator == "Mish") == softplus && limits_fit(view, gate)
    }) {
        for x in variables(view, argument) {
            let expected: Vec<([usize; 2], f32)> =
                gated.argument.iter().map(|&(power, value)| ([power, 0], value)).collect();
            let enters = view.polynomial(argument, &[x]).is_some_and(|found| found.is(&expected));
            if enters && view.polynomial(id, &[x, gate]).is_some_and(|found| found.is(gated.result)) {
                return Some(Parts { operator: gated.operator, inputs: vec![x], output: id, open: false });
            }
        }
    }
    None
}

/// Whether the parameters of a gate are those of its activation: HardSigmoid by x / 6 + 1 / 2, Clip to 0 and 6.
fn limits_fit(view: &View<'_>, gate: usize) -> bool {
    let Some(node) = view.node(gate) else { return false };
    let float =
        |name: &str, otherwise: f32| node.attribute(name).and_then(|value| value.as_float()).unwrap_or(otherwise);
    let near = |value: f32, wanted: f32| (value - wanted).abs() < 1e-3;
    match node.operator.as_str() {
        "HardSigmoid" => near(float("alpha", 0.2), 1.0 / 6.0) && near(float("beta", 0.5), 0.5),
        "Clip" => {
            let limit = |at: usize, name: &str| match view.input(gate, at) {
                Some(id) => view.scalar(id),
                None => Some(float(name, f32::NAN)),
            };
            limit(1, "min").is_some_and(|low| near(low, 0.0)) && limit(2, "max").is_some_and(|high| near(high, 6.0))
        }
        _ => true,
    }
}

/// What may be the variable of a formula: its result, and what comes before it through sums and products.
fn variables(view: &View<'_>, argument: usize) -> Vec<usize> {
    let mut found = vec![argument];
    let mut depth = 0;
    let mut from = 0;
    while depth < MAX_DEPTH {
        let until = found.len();
        for at in from..until {
            if matches!(view.operator(found[at]), "Add" | "Cast" | "Div" | "Identity" | "Mul" | "Pow") {
                let inputs = view.inputs(found[at]);
                found.extend(inputs.into_iter().filter(|&input| view.is_computed(input)));
            }
        }
        (from, depth) = (until, depth + 1);
    }
    found.dedup();
    found
}
