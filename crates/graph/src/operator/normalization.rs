//! Normalisations by statistics of the sample itself: instance, layer, group, root mean square, mean-variance, p-norm,
//! and local response.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, axes, axis, invalid},
    axis_matrix::AxisMatrix,
};
use crate::{GraphError, Value, host::HostTensor, value::broadcast};

/// A normalisation.
#[derive(Clone, Debug)]
pub(crate) enum Normalization {
    /// Over the spatial axes of each channel.
    Instance { epsilon: f32 },
    /// Over groups of channels; scale and bias are given per channel, or per group.
    Group { epsilon: f32, groups: usize, per_channel: bool },
    /// Over the axes from `axis` on.
    Layer { epsilon: f32, axis: usize },
    /// As `Layer`, without a mean.
    RootMeanSquare { epsilon: f32, axis: usize },
    /// Over any axes, without scale and bias.
    MeanVariance { axes: Vec<usize> },
    /// Division by the p-norm along one axis.
    Norm { p: f32, axis: usize },
    /// `x / (bias + factor * sum of x^2 over neighbouring channels)^beta`.
    LocalResponse { factor: f32, beta: f32, bias: f32, neighbours: AxisMatrix },
}

pub(crate) fn normalization(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let shape = arguments.float_shape(0)?.to_vec();
    let rank = shape.len();
    let epsilon = arguments.float("epsilon", 1e-5);
    let mut outputs = vec![Fact::float(shape.clone())];
    let mut inputs = 3;
    let normalization = match arguments.node.operator.as_str() {
        "InstanceNormalization" => {
            check_list(arguments, channels(&shape)?)?;
            Normalization::Instance { epsilon }
        }
        "GroupNormalization" => {
            let channels = channels(&shape)?;
            let groups = usize::try_from(arguments.int("num_groups", 0)).unwrap_or(0);
            if groups == 0 || !channels.is_multiple_of(groups) {
                return invalid(format!("{channels} channels are not divisible into {groups} groups"));
            }
            let per_channel = arguments.opset >= 21;
            check_list(arguments, if per_channel { channels } else { groups })?;
            Normalization::Group { epsilon, groups, per_channel }
        }
        "LayerNormalization" | "RMSNormalization" => {
            let axis = axis(arguments.int("axis", -1), rank)?;
            for index in 1..arguments.facts.len() {
                if let Some(Some(fact)) = arguments.facts.get(index)
                    && broadcast(&shape, fact.shape()).as_ref() != Some(&shape)
                {
                    return invalid(format!("input {index} {:?} does not broadcast to {shape:?}", fact.shape()));
                }
            }
            if arguments.node.operator == "RMSNormalization" {
                Normalization::RootMeanSquare { epsilon, axis }
            } else {
                let mut statistics = shape.clone();
                statistics[axis..].fill(1);
                outputs.extend([Fact::float(statistics.clone()), Fact::float(statistics)]);
                Normalization::Layer { epsilon, axis }
            }
        }
        "MeanVarianceNormalization" => {
            inputs = 1;
            let given = arguments.ints("axes").unwrap_or(&[0, 2, 3]);
            Normalization::MeanVariance { axes: axes(given, rank)? }
        }
        "LpNormalization" => {
            inputs = 1;
            match arguments.int("p", 2) {
                p @ (1 | 2) => Normalization::Norm { p: p as f32, axis: axis(arguments.int("axis", -1), rank)? },
                p => return invalid(format!("p is {p} and should be 1 or 2")),
            }
        }
        _ => {
            inputs = 1;
            local_response(arguments, channels(&shape)?)?
        }
    };
    Ok(Resolved { operator: Operator::Normalization(normalization), outputs, inputs })
}

fn channels(shape: &[usize]) -> Result<usize, Refusal> {
    match shape.get(1) {
        Some(&channels) => Ok(channels),
        None => invalid(format!("input {shape:?} has no channels")),
    }
}

/// Refuses scales and biases that are not lists of this length.
fn check_list(arguments: &Arguments<'_>, length: usize) -> Result<(), Refusal> {
    for index in 1..3 {
        let shape = arguments.float_shape(index)?;
        if shape != [length] {
            return invalid(format!("input {index} has shape {shape:?} instead of [{length}]"));
        }
    }
    Ok(())
}

fn local_response(arguments: &Arguments<'_>, channels: usize) -> Result<Normalization, Refusal> {
    let size = match usize::try_from(arguments.int("size", 0)) {
        Ok(size) if size > 0 => size,
        _ => return invalid("size is missing or not positive"),
    };
    let (before, after) = ((size - 1) / 2, (size - 1).div_ceil(2));
    let neighbours = AxisMatrix::new(1, channels, channels, |to| {
        (to.saturating_sub(before)..to.saturating_add(after + 1).min(channels)).map(|from| (from, 1.0)).collect()
    })?;
    Ok(Normalization::LocalResponse {
        factor: arguments.float("alpha", 1e-4) / size as f32,
        beta: arguments.float("beta", 0.75),
        bias: arguments.float("bias", 1.0),
        neighbours,
    })
}

/// The value without its mean over some axes, and one over its standard deviation, with the mean.
struct Standardized {
    centered: Value,
    mean: Value,
    factor: Value,
}

fn standardize(input: &Value, axes: &[usize], epsilon: f32) -> Result<Standardized, GraphError> {
    let mean = input.mean_axes(axes)?;
    let centered = input.sub(&mean)?;
    let factor = inverse_root(&centered, axes, epsilon)?;
    Ok(Standardized { centered, mean, factor })
}

/// `1 / sqrt(mean of x^2 + epsilon)`.
fn inverse_root(input: &Value, axes: &[usize], epsilon: f32) -> Result<Value, GraphError> {
    input.mul(input)?.mean_axes(axes)?.map(|square| (square + epsilon).sqrt().recip())
}

/// Scale and bias, under `shape` where it is given, as far as they are there.
fn affine(value: Value, inputs: &Inputs<'_>, shape: Option<&[usize]>) -> Result<Value, GraphError> {
    let shaped = |parameter: &Value| match shape {
        Some(shape) => parameter.reshape(shape),
        None => Ok(parameter.clone()),
    };
    let scaled = match inputs.optional(1) {
        Some(scale) => value.mul(&shaped(scale)?)?,
        None => value,
    };
    match inputs.optional(2) {
        Some(bias) => scaled.add(&shaped(bias)?),
        None => Ok(scaled),
    }
}

impl Normalization {
    /// What [`Normalization::run`] wants on the device, after its input.
    pub(crate) fn constants(&self) -> Vec<&HostTensor> {
        match self {
            Normalization::LocalResponse { neighbours, .. } => vec![neighbours.constant()],
            _ => Vec::new(),
        }
    }

    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Vec<Value>, GraphError> {
        let input = inputs.get(0)?;
        let shape = input.shape();
        let rank = shape.len();
        let mut per_channel = vec![1; rank];
        if let (Some(to), Some(&channels)) = (per_channel.get_mut(1), shape.get(1)) {
            *to = channels;
        }
        let output = match self {
            Normalization::Instance { epsilon } => {
                let axes: Vec<usize> = (2..rank).collect();
                let Standardized { centered, factor, .. } = standardize(input, &axes, *epsilon)?;
                affine(centered.mul(&factor)?, inputs, Some(&per_channel))?
            }
            Normalization::Group { epsilon, groups, per_channel: by_channel } => {
                let each = input.len().checked_div(shape[0] * groups).unwrap_or(0);
                let grouped = input.reshape(&[shape[0], *groups, each])?;
                let Standardized { centered, factor, .. } = standardize(&grouped, &[2], *epsilon)?;
                let normal = centered.mul(&factor)?;
                if *by_channel {
                    affine(normal.reshape(shape)?, inputs, Some(&per_channel))?
                } else {
                    affine(normal, inputs, Some(&[1, *groups, 1]))?.reshape(shape)?
                }
            }
            Normalization::Layer { epsilon, axis } => {
                let axes: Vec<usize> = (*axis..rank).collect();
                let Standardized { centered, mean, factor } = standardize(input, &axes, *epsilon)?;
                return Ok(vec![affine(centered.mul(&factor)?, inputs, None)?, mean, factor]);
            }
            Normalization::RootMeanSquare { epsilon, axis } => {
                let axes: Vec<usize> = (*axis..rank).collect();
                affine(input.mul(&inverse_root(input, &axes, *epsilon)?)?, inputs, None)?
            }
            Normalization::MeanVariance { axes } => {
                const EPSILON: f32 = 1e-9;
                let centered = input.sub(&input.mean_axes(axes)?)?;
                let deviation = centered.mul(&centered)?.mean_axes(axes)?.root(2.0)?;
                centered.div(&deviation.map(|deviation| deviation + EPSILON)?)?
            }
            Normalization::Norm { p, axis } => {
                let powers = if *p == 1.0 { input.map(|x| x.abs())? } else { input.mul(input)? };
                let norm = powers.sum_axes(&[*axis])?.root(*p)?;
                // Zeros stay zeros.
                input.div(&norm.map(|norm| norm.clone().mask_fill(norm.equal_elem(0.0), 1.0))?)?
            }
            Normalization::LocalResponse { factor, beta, bias, neighbours } => {
                let sums = neighbours.run(&input.mul(input)?, inputs.get(1)?)?;
                input.mul(&sums.map(|sums| (sums * *factor + *bias).powf_scalar(-*beta))?)?
            }
        };
        Ok(vec![output])
    }
}
