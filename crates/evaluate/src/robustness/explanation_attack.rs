//! Attack on the explanation (after Ghorbani, Abid, Zou 2019): the picture is moved within a small cube around it so that the
//! answer stays and the map changes most; the number is the largest change found, one minus the similarity to the original.
//! Departures: the authors follow gradients of the map; here two pictures on opposite sides, in a direction of random
//! signs, are explained at every step, as in SPSA (Spall 1992), and the search goes on from the one whose map is farther
//! away, so that any method can be attacked.

use vitrine_explain::{
    Cost, LocalBoxFuture,
    toolkit::{Purpose, Random, integer, number},
};
use vitrine_graph::Value;
use vitrine_protocol::{Better, Curve, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question,
    again::{self, Again, Change, and_passes},
    metric::Found,
    similarity::Comparison,
};

vitrine_explain::options! {
    /// Options of the attack.
    pub struct AttackOptions {
        /// How far each number of the input may be moved, up or down, in the units of what the model sees.
        radius: f64 [number(0.0, 100.0)] = 0.02,
        /// Steps of the search, each with two explanations.
        steps: usize [integer(1, 1000)] = 10,
        ..comparison: Comparison,
    }
}

const ID: &str = "explanation-attack";

/// Attack on the explanation.
pub struct ExplanationAttack;

impl Metric for ExplanationAttack {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: ID.to_owned(),
            name: "Attack on the explanation".to_owned(),
            group: MetricGroup::Robustness,
            better: Better::Lower,
            range: [Some(0.0), Some(2.0)],
            meaning: "How far the map could be driven from itself by changes too small to be seen that leave the answer as \
                      it is: zero if not at all."
                .to_owned(),
            caveat: "It is the worst that a short search has found and not the worst there is, and a map that never changes \
                     does best."
                .to_owned(),
            reference: Reference {
                authors: "Ghorbani, Abid, Zou".to_owned(),
                year: 2019,
                title: "Interpretation of Neural Networks Is Fragile".to_owned(),
                venue: "AAAI".to_owned(),
            },
            needs: vec![MetricNeed::Method],
            parameters: AttackOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        let options = AttackOptions::parse(question.context.parameters)?;
        // The label is read of the input and of every picture that is tried.
        Ok(and_passes(again::cost(question, ID, 2 * options.steps)?, 1 + 2 * options.steps as u64))
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(attack(question, self.cost(question)))
    }
}

async fn attack(question: &Question<'_>, cost: Result<Cost, EvaluateError>) -> Result<Found, EvaluateError> {
    let options = AttackOptions::parse(question.context.parameters)?;
    let mut again = Again::start(question, ID, cost?)?;
    let (input, radius) = (question.context.input.to_vec().await?, options.radius as f32);
    let own = label(question, &mut again, &input).await?;
    let (mut at, mut worst, mut kept) = (vec![0.0; input.len()], None, 0);
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    for step in 0..options.steps {
        let mut random = Random::new(question.context.seed, Purpose::Metrics, step as u32);
        let signs: Vec<f32> = at.iter().map(|_| if random.chance(0.5) { radius } else { -radius }).collect();
        let mut best: Option<(f64, Vec<f32>)> = None;
        for side in [1.0_f32, -1.0] {
            let moved = at.iter().zip(&signs).map(|(at, sign): (&f32, &f32)| (at + side * sign).clamp(-radius, radius));
            let moved: Vec<f32> = moved.collect();
            let near: Vec<f32> = input.iter().zip(&moved).map(|(value, step)| value + step).collect();
            let same = label(question, &mut again, &near).await? == own;
            let found = again.explain(&Change { input: Some(near), ..Change::default() }).await?.map;
            let similarity = options.comparison.compare(&question.map.values, &found.values, found.width);
            kept += usize::from(same);
            if let Some(distance) = similarity.filter(|_| same).map(|similarity| (1.0 - similarity).max(0.0))
                && best.as_ref().is_none_or(|(most, _)| distance > *most)
            {
                best = Some((distance, moved));
            }
        }
        if let Some((distance, moved)) = best {
            worst = Some(worst.map_or(distance, |worst: f64| worst.max(distance)));
            at = moved;
        }
        if let Some(worst) = worst {
            xs.push((step + 1) as f64);
            ys.push(worst);
        }
    }
    let (x_label, y_label) = ("step".to_owned(), "largest distance so far".to_owned());
    let tried = 2 * options.steps;
    let notes =
        vec![format!("The answer stayed the same in {kept} of the {tried} pictures tried; the others do not count.")];
    let curves = vec![Curve { name: String::new(), x_label, y_label, xs, ys }];
    Ok(Found { parameters: options.values(), curves, notes, ..again.found(worst) })
}

/// The class that an input is taken for; of a model without classes nothing.
async fn label(question: &Question<'_>, again: &mut Again<'_>, input: &[f32]) -> Result<Option<usize>, EvaluateError> {
    let context = &question.context;
    let head = context.target.head();
    let input = Value::from_f32(input, context.input.shape(), &context.input.device());
    let scores = head.scores(context.graph, context.input_name, &input).await?;
    again.count(1).await?;
    Ok(head.gives_probabilities().then(|| scores.top()))
}
