//! Gradients of single operators against central differences of their own outputs.
//!
//! The objective is a weighted sum of all outputs. It is differentiated along a few random directions, which touch every
//! element of every input, with several step lengths: a gradient is right when one of them agrees. Long steps are exact
//! where a function is smooth, short ones where it has kinks.

use burn::tensor::{Device, Tensor};
use vitrine_graph::{Graph, GraphError, Probe, Run, Trace, Value};

use super::{
    Read,
    graphs::{Kind, NamedArray, OperatorCase},
    load, words,
};

/// Largest difference, over the size of the change that the gradient predicts.
const TOLERANCE: f64 = 1e-2;
/// Rounding of one output in float32, relative to it.
const ROUNDING: f64 = 5e-7;
const DIRECTIONS: u64 = 3;
const STEPS: [f64; 3] = [1e-2, 2e-3, 4e-4];

/// Compares the gradient at every float input with central differences; `false` where no output depends on them by way
/// of floats.
///
/// # Errors
/// Names the direction in which they differ, and by how much.
pub async fn operator(case: &OperatorCase, device: &Device, read: Read<'_>) -> Result<bool, String> {
    let graph = load(&read(&case.model), device)?;
    let mut random =
        Random(case.name.bytes().fold(1, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte))));
    let start: Vec<Vec<f32>> = case.inputs.iter().map(|input| away_from_kinks(input, &mut random)).collect();
    let weights: Vec<Vec<f32>> = case
        .outputs
        .iter()
        .map(|output| output.values.iter().map(|_| random.between(-1.0, 1.0) as f32).collect())
        .collect();
    let Some(gradients) = analytic(case, &graph, &start, &weights).await? else { return Ok(false) };
    for direction in 0..DIRECTIONS {
        let steps: Vec<Vec<f64>> =
            start.iter().map(|values| values.iter().map(|_| random.between(-1.0, 1.0)).collect()).collect();
        let mut report = String::new();
        for length in STEPS {
            let moved = |sign: f64| -> Vec<Vec<f32>> {
                let along = |(values, steps): (&Vec<f32>, &Vec<f64>)| {
                    values.iter().zip(steps).map(|(x, d)| (f64::from(*x) + sign * length * d) as f32).collect()
                };
                start.iter().zip(&steps).map(along).collect()
            };
            let (ahead, behind) = (moved(1.0), moved(-1.0));
            let (above, size) = objective(case, &graph, &ahead, &weights).await?;
            let (below, _) = objective(case, &graph, &behind, &weights).await?;
            // With the steps as float32 has rounded them.
            let changes = || {
                let pairs = ahead.iter().flatten().zip(behind.iter().flatten());
                pairs.zip(gradients.iter().flatten()).map(|((a, b), g)| (f64::from(*a) - f64::from(*b)) * f64::from(*g))
            };
            let (found, predicted) = (above - below, changes().sum::<f64>());
            let scale = changes().map(|change| change * change).sum::<f64>().sqrt().max(found.abs());
            if (found - predicted).abs() <= TOLERANCE * scale + ROUNDING * size {
                report.clear();
                break;
            }
            report += &format!(" {found:e} instead of {predicted:e} at step {length:e};");
        }
        if !report.is_empty() {
            return Err(format!("direction {direction} changes the outputs by{report}"));
        }
    }
    Ok(true)
}

/// A case's input, moved so that no two elements are equal and none is a multiple of 1/8, where kinks are.
fn away_from_kinks(input: &NamedArray, random: &mut Random) -> Vec<f32> {
    let count = input.values.len();
    let mut ranks: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        ranks.swap(last, random.below(last + 1));
    }
    let moved = |(value, rank): (&f32, &usize)| value + (0.25 + (*rank as f32 + 0.5) / count as f32) / 16.0;
    input.values.iter().zip(&ranks).map(moved).collect()
}

fn run(case: &OperatorCase, graph: &Graph, inputs: &[Vec<f32>], probed: bool) -> Result<Trace, String> {
    let mut run = Run::of(case.outputs.iter().map(|output| output.name.as_str()));
    for (input, values) in case.inputs.iter().zip(inputs) {
        if input.kind == Kind::Float {
            run = run.feed(&input.name, Value::from_f32(values, &input.shape, graph.device()));
            run = if probed { run.probe(&input.name, Probe::Gradient) } else { run };
        } else {
            run = run.feed(&input.name, input.upload(graph.device()));
        }
    }
    graph.run(&run).map_err(words)
}

/// The weighted sum, and the root of the sum of its squared terms.
async fn objective(
    case: &OperatorCase,
    graph: &Graph,
    inputs: &[Vec<f32>],
    weights: &[Vec<f32>],
) -> Result<(f64, f64), String> {
    let trace = run(case, graph, inputs, false)?;
    let (mut sum, mut squares) = (0.0, 0.0);
    for (output, weights) in case.outputs.iter().zip(weights).filter(|(output, _)| output.kind == Kind::Float) {
        let values = trace.value(&output.name).map_err(words)?.to_vec().await.map_err(words)?;
        for (value, weight) in values.iter().zip(weights) {
            let term = f64::from(*value) * f64::from(*weight);
            sum += term;
            squares += term * term;
        }
    }
    Ok((sum, squares.sqrt()))
}

/// The gradient of the weighted sum at every input, zeros for integers; nothing where there is none.
async fn analytic(
    case: &OperatorCase,
    graph: &Graph,
    inputs: &[Vec<f32>],
    weights: &[Vec<f32>],
) -> Result<Option<Vec<Vec<f32>>>, String> {
    if case.inputs.iter().all(|input| input.kind != Kind::Float) {
        return Ok(None);
    }
    let trace = run(case, graph, inputs, true)?;
    let mut sum: Option<Tensor<1>> = None;
    for (output, weights) in case.outputs.iter().zip(weights) {
        let value = trace.value(&output.name).map_err(words)?;
        if !value.is_tracked() {
            continue;
        }
        let flat = value.reshape(&[value.len()]).and_then(|value| value.tensor::<1>()).map_err(words)?;
        let weights = Tensor::<1>::from_floats(weights.as_slice(), graph.device()).autodiff();
        let term = (flat * weights).sum();
        sum = Some(match sum {
            Some(sum) => sum + term,
            None => term,
        });
    }
    let Some(sum) = sum else { return Ok(None) };
    let gradients = match trace.gradients(&Value::new(sum)) {
        Ok(gradients) => gradients,
        Err(GraphError::NoGradient(_)) => return Ok(None),
        Err(error) => return Err(words(error)),
    };
    let mut values = Vec::new();
    for input in &case.inputs {
        values.push(match gradients.get(&input.name) {
            Some(gradient) => gradient.to_vec().await.map_err(words)?,
            None => vec![0.0; input.values.len()],
        });
    }
    Ok(Some(values))
}

/// A small generator, good enough to draw directions.
struct Random(u64);

impl Random {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
