//! One forward and one backward pass to the input, by derivatives or with another rule at activations: what gradient
//! methods stand on.

use std::collections::BTreeMap;

use vitrine_graph::{GraphError, Run, Unit, Value};
use vitrine_protocol::ParameterValue;

use crate::{
    Attribution, Context, ExplainError, HeatMap, attribution::check_finite, completeness::ignored, observer::Progress,
    options::choices,
};

choices! {
    /// Which activations get a method's own rule instead of their derivative.
    pub enum Activations {
        /// ReLU and ReLU6, as published.
        Relu = "relu",
        /// GELU, SiLU, ELU, leaky ReLU and their like too: for models without a ReLU.
        All = "all",
    }
}

/// What goes back through an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActivationRule {
    /// The positive part of what arrives, times the derivative.
    Guided,
    /// The positive part of what arrives.
    Deconvnet,
}

/// Activations like ReLU in that they hold back what is negative, by the names of their units.
const LIKE_RELU: [&str; 13] = [
    "Celu",
    "Elu",
    "Gelu",
    "HardSwish",
    "LeakyRelu",
    "Mish",
    "PRelu",
    "QuickGelu",
    "Selu",
    "Silu",
    "Softplus",
    "Swish",
    "ThresholdedRelu",
];

/// What has arrived at the input.
pub(crate) struct Backward {
    /// One number for each value of the input; zeros where the target does not depend on it, with a note.
    pub(crate) values: Vec<f32>,
    /// The target at the input.
    pub(crate) prediction: f32,
    pub(crate) notes: Vec<String>,
}

/// The target's gradient at the input.
pub(crate) async fn gradient(context: &Context<'_>) -> Result<Backward, ExplainError> {
    let mut progress = Progress::start(context.observer, 1);
    let (objective, gradient) = context.gradient(context.input.clone())?;
    let found = Backward::read(context, &objective, gradient).await?;
    progress.advance(1).await?;
    Ok(found)
}

/// The same with another rule at activations.
pub(crate) async fn through_activations(
    context: &Context<'_>,
    rule: ActivationRule,
    activations: Activations,
) -> Result<Backward, ExplainError> {
    let mut progress = Progress::start(context.observer, 1);
    let logits = context.target.head().logits();
    let recording = context.graph.record(&Run::of([logits]).feed(context.input_name, context.input.clone()))?;
    let (objective, start) = context.gradient_at_logits(context.graph, recording.value(context.graph, logits)?)?;

    let mut ruled = false;
    let mut others: Vec<String> = Vec::new();
    let mut at_unit = |unit: &Unit<'_>, arrived: &[Option<Value>]| {
        let like_relu = LIKE_RELU.contains(&unit.operator());
        if matches!(unit.operator(), "Relu" | "Clip") || (like_relu && activations == Activations::All) {
            ruled = true;
            return through_activation(unit, rule, arrived);
        }
        if like_relu && !others.iter().any(|other| other == unit.operator()) {
            others.push(unit.operator().to_owned());
        }
        unit.pull_back(unit.inputs(), arrived)
    };
    let to = [context.input_name];
    let mut arrived = context.graph.propagate::<GraphError>(&recording, (logits, start), &to, &mut at_unit)?;
    let mut found = Backward::read(context, &objective, arrived.remove(context.input_name)).await?;
    found.notes.extend(activation_note(ruled, &others));
    progress.advance(1).await?;
    Ok(found)
}

fn through_activation(
    unit: &Unit<'_>,
    rule: ActivationRule,
    arrived: &[Option<Value>],
) -> Result<Vec<Option<Value>>, GraphError> {
    let positive = |value: &Option<Value>| value.as_ref().map(|value| value.map(|all| all.clamp_min(0.0))).transpose();
    let positive = arrived.iter().map(positive).collect::<Result<Vec<_>, _>>()?;
    if rule == ActivationRule::Guided {
        return unit.pull_back(unit.inputs(), &positive);
    }
    let mut sent = vec![None; unit.inputs().len()];
    let input = unit.variables().first().and_then(|&at| sent.get_mut(at));
    if let (Some(input), Some(value)) = (input, positive.into_iter().next()) {
        *input = value;
    }
    Ok(sent)
}

/// What the reader should know of activations that kept their derivative.
fn activation_note(ruled: bool, others: &[String]) -> Option<String> {
    match (ruled, others.join(", ")) {
        (true, names) if names.is_empty() => None,
        (true, names) => Some(format!("{names} kept the derivative; activations=all treats it as ReLU.")),
        (false, names) if names.is_empty() => {
            Some("The model has no activation that this method treats differently: this is the plain gradient.".into())
        }
        (false, names) => Some(format!(
            "The model has no ReLU, and {names} kept the derivative: this is the plain gradient. activations=all treats \
             it as ReLU."
        )),
    }
}

impl Backward {
    async fn read(context: &Context<'_>, objective: &Value, arrived: Option<Value>) -> Result<Backward, ExplainError> {
        let prediction = objective.to_vec().await?.first().copied().unwrap_or(f32::NAN);
        check_finite(&[prediction], "The target at the input", "check the input's values and the model card")?;
        let (values, notes) = match arrived {
            Some(arrived) => (arrived.to_vec().await?, Vec::new()),
            None => (vec![0.0; context.input.len()], vec![ignored(context)]),
        };
        check_finite(&values, "A gradient of the target", "the model's numbers overflow; try another target")?;
        Ok(Backward { values, prediction, notes })
    }

    /// The attribution with these values in the place of the gradient.
    pub(crate) fn attribution(
        self,
        context: &Context<'_>,
        values: Vec<f32>,
        parameters: BTreeMap<String, ParameterValue>,
    ) -> Attribution {
        Attribution {
            map: HeatMap::of_input(&values, context.shape(), context.layout()),
            values,
            shape: context.shape().to_vec(),
            prediction: self.prediction,
            forward_passes: 1,
            backward_passes: 1,
            parameters,
            notes: self.notes,
            ..Attribution::default()
        }
    }
}
