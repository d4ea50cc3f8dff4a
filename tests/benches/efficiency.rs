//! How many forward passes sampled methods need until their map is nearly the one that many more samples give: our defaults
//! beside the plain estimators. `cargo xtask bench`.

use pollster::block_on;
use vitrine_engine::{ExplainOptions, Place, Session, Silent};
use vitrine_tests::{
    critters::session,
    speed::{Result, request},
};

/// Rank correlation at which a map counts as nearly converged.
const NEARLY: f64 = 0.95;

/// Seeds over which the correlation is averaged.
const SEEDS: u64 = 2;

/// A method, the parameter that its passes grow with, where the search for it begins, and what makes it plain.
struct Subject {
    method: &'static str,
    samples: &'static str,
    first: usize,
    /// Its value for the converged map.
    converged: usize,
    plain: &'static [(&'static str, &'static str)],
}

const SUBJECTS: [Subject; 3] = [
    Subject {
        method: "rise",
        samples: "masks",
        first: 50,
        converged: 20_000,
        plain: &[("estimator", "plain"), ("antithetic", "false")],
    },
    Subject {
        method: "sobol",
        samples: "designs",
        first: 16,
        // Of 64 regions and two: 16,896 masks.
        converged: 256,
        plain: &[("sequence", "random"), ("estimator", "jansen")],
    },
    Subject {
        method: "kernel-shap",
        samples: "samples",
        first: 150,
        converged: 20_000,
        plain: &[("paired", "false"), ("sizes", "kernel"), ("interactions", "none")],
    },
];

fn main() -> Result<()> {
    block_on(async {
        let session = session(Place::cpu("")).await?;
        println!(
            "forward passes until the rank correlation with a map of about 20,000 masks is {NEARLY}, built-in model"
        );
        for subject in &SUBJECTS {
            let (target, _) = explain(&session, subject, &[], subject.converged, SEEDS).await?;
            let target = ranks(&target);
            let ours = needed(&session, subject, &[], &target).await?;
            let plain = needed(&session, subject, subject.plain, &target).await?;
            println!("  {:12} ours {ours:6.0}, plain {plain:6.0}, ratio {:.2}", subject.method, ours / plain);
        }
        Ok(())
    })
}

/// The passes from which on the mean correlation over all seeds is high enough. The samples double until it is; between
/// the last two numbers of passes, which are told as they come, the correlation is taken for linear in their logarithm.
async fn needed(session: &Session, subject: &Subject, parameters: &[(&str, &str)], target: &[f64]) -> Result<f64> {
    let (mut samples, mut before) = (subject.first, None);
    loop {
        let (mut sum, mut passes) = (0.0, 0.0);
        for seed in 0..SEEDS {
            let (map, run) = explain(session, subject, parameters, samples, seed).await?;
            sum += correlation(&ranks(&map), target);
            passes = run as f64;
        }
        let found = sum / SEEDS as f64;
        println!("    {} {parameters:?} with {passes} passes: {found:.3}", subject.method);
        if found >= NEARLY || samples >= subject.converged {
            return Ok(before.map_or(passes, |(fewer, less): (f64, f64)| {
                let share = ((NEARLY - less) / (found - less)).clamp(0.0, 1.0);
                fewer * (passes / fewer).powf(share)
            }));
        }
        before = Some((passes, found));
        samples *= 2;
    }
}

async fn explain(
    session: &Session,
    subject: &Subject,
    parameters: &[(&str, &str)],
    samples: usize,
    seed: u64,
) -> Result<(Vec<f32>, u64)> {
    let samples = samples.to_string();
    let mut request = request(subject.method, &[&[(subject.samples, samples.as_str())], parameters].concat());
    request.seed = seed;
    let found = session.explain(&request, &ExplainOptions::default(), &Silent).await?;
    Ok((found.attribution.map.values, found.report.forward_passes))
}

/// Each number's place in their order; equal ones share the mean of theirs.
fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let below = order.partition_point(|other| values[*other].total_cmp(&values[equal[0]]).is_lt());
        equal.iter().for_each(|index| ranks[*index] = below as f64 + (equal.len() - 1) as f64 / 2.0);
    }
    ranks
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let products = |x: &[f64], of_x: f64, y: &[f64], of_y: f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - of_x) * (y - of_y)).sum()
    };
    products(a, mean_a, b, mean_b) / (products(a, mean_a, a, mean_a) * products(b, mean_b, b, mean_b)).sqrt()
}
