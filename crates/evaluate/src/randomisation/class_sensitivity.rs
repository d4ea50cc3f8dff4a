//! Class sensitivity (Rebuffi, Fong, Ji, Vedaldi 2020): the map of the likeliest class beside that of the least likely one.
//! The number is their correlation. Departure: in the place of the likeliest class is the one that was explained, and
//! beside it the one whose score is farthest from its own, which is the least likely for the likeliest.

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question,
    again::{self, Again, Change, and_passes},
    metric::Found,
    removal::{Defaults, filled, with_defaults},
    similarity::Comparison,
};

const ID: &str = "class-sensitivity";

const DEFAULTS: Defaults = &[("similarity", "pearson")];

fn options(question: &Question<'_>) -> Result<Comparison, EvaluateError> {
    Ok(Comparison::parse(&filled(question.context.parameters, DEFAULTS))?)
}

/// Class sensitivity.
pub struct ClassSensitivity;

impl Metric for ClassSensitivity {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: ID.to_owned(),
            name: "Class sensitivity".to_owned(),
            group: MetricGroup::Randomisation,
            better: Better::Lower,
            range: [Some(-1.0), Some(1.0)],
            meaning: "How much the map looks like that of the class that the model finds least likely: one if the question \
                      does not matter to it."
                .to_owned(),
            caveat: "Where two classes rest on the same place, one for it and one against it, a right map is alike for both."
                .to_owned(),
            reference: Reference {
                authors: "Rebuffi, Fong, Ji, Vedaldi".to_owned(),
                year: 2020,
                title: "There and Back Again: Revisiting Backpropagation Saliency Methods".to_owned(),
                venue: "CVPR".to_owned(),
            },
            needs: vec![MetricNeed::Method],
            parameters: with_defaults(Comparison::parameters(), DEFAULTS),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        options(question)?;
        let target = question.context.target;
        if target.head().classes() < 2 || target.of_another_class(0).is_none() {
            return Err(EvaluateError::NoOtherClass(ID));
        }
        Ok(and_passes(again::cost(question, ID, 1)?, 1))
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let options = options(question)?;
            let mut again = Again::start(question, ID, self.cost(question)?)?;
            let context = &question.context;
            let (target, head) = (context.target, context.target.head());
            let logits = head.scores(context.graph, context.input_name, context.input).await?.logits;
            again.count(1).await?;
            let own = logits.get(target.class()).copied().unwrap_or_default();
            let others = logits.iter().enumerate().filter(|(class, _)| *class != target.class());
            let farthest = others.max_by(|(_, one), (_, other)| (*one - own).abs().total_cmp(&(*other - own).abs()));
            let other = farthest.and_then(|(class, _)| target.of_another_class(class));
            let found = again.explain(&Change { target: other, ..Change::default() }).await?;
            let value = options.compare(&question.map.values, &found.map.values, question.map.width);
            Ok(Found { parameters: options.values(), ..again.found(value) })
        })
    }
}
