//! Sensitivity-n (Ancona et al. 2018): for several n, random sets of n parts are removed, and the falls of the score are
//! correlated (Pearson) with the sums of the map. The number is the mean over the sizes, of which there are eight, spaced
//! evenly on a logarithmic scale from one part to four fifths of them.

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, Curve, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    metric::Found,
    statistics::{mean, pearson},
    subsets::{SubsetOptions, Subsets, some_of},
};

const SUBSETS: Subsets<'_> = Subsets {
    defaults: &[("samples", "50")],
    without: &["size"],
    fill: None,
    sets: &sizes_times_samples,
    draw: &of_its_size,
};

/// How many sizes.
const SIZES: usize = 8;

fn sizes_times_samples(options: &SubsetOptions, _: usize) -> usize {
    SIZES * options.samples
}

fn of_its_size(options: &SubsetOptions, count: usize, seed: u64, number: usize) -> Vec<usize> {
    some_of(count, size(number / options.samples, count), seed, number)
}

/// From one part to four fifths of them.
fn size(step: usize, count: usize) -> usize {
    let largest = (0.8 * count as f64).max(1.0);
    largest.powf(step as f64 / (SIZES - 1) as f64).round() as usize
}

/// Sensitivity-n.
pub struct SensitivityN;

impl Metric for SensitivityN {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "sensitivity-n".to_owned(),
            name: "Sensitivity-n".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Higher,
            range: [Some(-1.0), Some(1.0)],
            meaning: "Whether removing few or many parts moves the answer in proportion to what the map says of \
                      them: one if always."
                .to_owned(),
            caveat: "No map can be in proportion for all sizes unless the model is linear.".to_owned(),
            reference: Reference {
                authors: "Ancona, Ceolini, Öztireli, Gross".to_owned(),
                year: 2018,
                title: "Towards better understanding of gradient-based attribution methods for Deep Neural \
                        Networks"
                    .to_owned(),
                venue: "ICLR".to_owned(),
            },
            needs: Vec::new(),
            parameters: SUBSETS.parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        SUBSETS.cost(question)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let falls = SUBSETS.run(question).await?;
            let sums = falls.sums.chunks(falls.options.samples);
            let correlations =
                sums.zip(falls.falls.chunks(falls.options.samples)).map(|(sums, falls)| pearson(sums, falls));
            let count = falls.units.count;
            let points = correlations.enumerate().filter_map(|(step, found)| Some((size(step, count) as f64, found?)));
            let (xs, ys): (Vec<f64>, Vec<f64>) = points.unzip();
            let value = (!ys.is_empty()).then(|| mean(&ys));
            let (x_label, y_label) = ("parts removed at once".to_owned(), "correlation".to_owned());
            Ok(falls.found(value, vec![Curve { name: String::new(), x_label, y_label, xs, ys }]))
        })
    }
}
