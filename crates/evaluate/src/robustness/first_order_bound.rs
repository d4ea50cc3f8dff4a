//! First-order bound (after Wang, Kong 2023): how far the gradient can turn when the picture moves by a given length, as far
//! as its derivative tells. The derivative of the gradient is the matrix of second derivatives; its largest absolute
//! eigenvalue times the length bounds the change. The number is that over the gradient's own length; the curve is the
//! cosine that is left at least, which follows from it by geometry.
//!
//! Departures: the authors' constants are not used, only the bound itself. Second derivatives are never written down:
//! products with them are differences of two gradients, and the eigenvalue is found by power iteration.

use std::collections::BTreeMap;

use vitrine_explain::{
    Cost, Explainer, LocalBoxFuture,
    toolkit::{Purpose, Random, integer, number},
};
use vitrine_protocol::{Better, Curve, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Method, Metric, Question,
    again::{self, Again, Change},
    metric::Found,
    statistics::{norm, wide},
};

vitrine_explain::options! {
    /// Options of the first-order bound.
    pub struct FirstOrderOptions {
        /// How far the picture may be moved, as the length of the change, in the units of what the model sees.
        radius: f64 [number(0.0, 10_000.0)] = 0.1,
        /// Steps of power iteration, each with two gradients.
        steps: usize [integer(1, 1000)] = 15,
        /// Distance from the picture, on either side, of the two gradients whose difference stands for the derivative.
        difference: f64 [number(0.000_001, 100.0)] = 0.1,
    }
}

const ID: &str = "first-order-bound";

/// First-order bound.
pub struct FirstOrderBound;

/// The question about the gradient, whatever method made the map.
fn of_gradient<'a>(
    question: &Question<'a>,
    parameters: &'a BTreeMap<String, String>,
) -> Result<Question<'a>, EvaluateError> {
    let explainer: &dyn Explainer = vitrine_explain::find("saliency")?;
    Ok(Question { method: Some(Method { explainer, parameters, seed: 0 }), ..*question })
}

impl Metric for FirstOrderBound {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: ID.to_owned(),
            name: "First-order bound".to_owned(),
            group: MetricGroup::Robustness,
            better: Better::Lower,
            range: [Some(0.0), None],
            meaning:
                "How far the gradient can change at most, as a part of its length, when the picture is moved by the \
                      radius, as far as second derivatives tell."
                    .to_owned(),
            caveat: "It speaks of the gradient, whatever map is scored, and networks of ReLUs change by jumps that \
                     derivatives do not see."
                .to_owned(),
            reference: Reference {
                authors: "Wang, Kong".to_owned(),
                year: 2023,
                title: "A Practical Upper Bound for the Worst-Case Attribution Deviations".to_owned(),
                venue: "CVPR".to_owned(),
            },
            needs: Vec::new(),
            parameters: FirstOrderOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        let (options, none) = (FirstOrderOptions::parse(question.context.parameters)?, BTreeMap::new());
        again::cost(&of_gradient(question, &none)?, ID, 1 + 2 * options.steps)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(bound(question, self.cost(question)))
    }
}

async fn bound(question: &Question<'_>, cost: Result<Cost, EvaluateError>) -> Result<Found, EvaluateError> {
    let (options, none) = (FirstOrderOptions::parse(question.context.parameters)?, BTreeMap::new());
    let question = of_gradient(question, &none)?;
    let mut again = Again::start(&question, ID, cost?)?;
    let length = norm(&wide(&again.explain(&Change::default()).await?.values));
    let input = question.context.input.to_vec().await?;
    let mut random = Random::new(question.context.seed, Purpose::Metrics, 0);
    let start: Vec<f64> = input.iter().map(|_| f64::from(random.normal())).collect();
    let (mut direction, mut largest) = (unit(&start), 0.0);
    for _ in 0..options.steps {
        let mut sides = Vec::with_capacity(2);
        for distance in [options.difference, -options.difference] {
            let near = input.iter().zip(&direction).map(|(value, part)| value + (distance * part) as f32).collect();
            sides.push(again.explain(&Change { input: Some(near), ..Change::default() }).await?.values);
        }
        let difference = |(after, before): (f64, f64)| (after - before) / (2.0 * options.difference);
        let [after, before] = [0, 1].map(|side| wide(&sides[side]));
        let product: Vec<f64> = after.into_iter().zip(before).map(difference).collect();
        largest = norm(&product);
        if largest > 0.0 {
            direction = unit(&product);
        }
    }
    let turn = |radius: f64| (length > 0.0).then(|| radius * largest / length);
    let mut notes = Vec::new();
    if length <= 0.0 {
        notes.push("The gradient is zero, so that there is nothing to compare a change with.".to_owned());
    } else if largest <= 0.0 {
        notes.push("The gradient is the same all around the picture, so that the bound is zero.".to_owned());
    }
    let radii = (0..=10).map(|tenth| options.radius * f64::from(tenth) / 10.0);
    let points = radii.filter_map(|radius| Some((radius, least_cosine(turn(radius)?))));
    let (xs, ys) = points.unzip();
    let (x_label, y_label) = ("radius".to_owned(), "least cosine".to_owned());
    let curves = vec![Curve { name: String::new(), x_label, y_label, xs, ys }];
    Ok(Found { parameters: options.values(), curves, notes, ..again.found(turn(options.radius)) })
}

/// The least cosine between a vector and one that differs from it by at most this part of its length.
pub(crate) fn least_cosine(part: f64) -> f64 {
    if part < 1.0 { (1.0 - part * part).sqrt() } else { -1.0 }
}

fn unit(vector: &[f64]) -> Vec<f64> {
    let length = norm(vector);
    vector.iter().map(|value| if length > 0.0 { value / length } else { 0.0 }).collect()
}
