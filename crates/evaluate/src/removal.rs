//! Parts of the input removed in the order of the map, step by step: what deletion, insertion, pixel flipping and their
//! kin stand on. They differ in which part of the order goes at each step, and in what is made of the target's values.

use std::{collections::BTreeMap, ops::Range};

use vitrine_explain::{
    Context, Cost, Infill, RegionsSpec,
    toolkit::{frame, integer, read},
};
use vitrine_protocol::{Altered, Curve, Parameter, ParameterKind, ParameterValue, Picture};

use crate::{
    EvaluateError, Question,
    altered::{self, Alteration, Fill, Scale, Scored, Units},
    metric::Found,
    statistics::area,
};

vitrine_explain::options! {
    /// What every metric by removal in order can be told. Each metric has defaults of its own.
    pub struct RemovalOptions {
        /// Steps in which all parts are removed; there are no more than parts. Each costs a forward pass.
        steps: usize [integer(1, 10_000)] = 32,
        /// Parts that are removed as a whole, in the order of the map's mean over each: elements for single pixels,
        /// grid:HxW, slic:N, felzenszwalb:SCALE, quickshift, watershed:N, or a .npy file of whole numbers.
        regions: RegionsSpec [ParameterKind::Regions] = RegionsSpec::Elements,
        /// What removed parts are replaced by: black, white, grey, mean, blur or noise in pixel space; inpaint, interpolate
        /// or tile, which continue what is kept and take longer; zero or value:V in tensor space; or a file.
        infill: Infill [ParameterKind::Infill] = Infill::Black,
        /// Which scalar is followed.
        scale: Scale [Scale::kind()] = Scale::Target,
        /// Whether negative numbers of the map count as much as positive ones.
        absolute: bool [ParameterKind::Boolean] = false,
        /// How many of the altered pictures are kept to look at, beside the one as it is.
        pictures: usize [integer(0, 100)] = 0,
    }
}

/// How often a curve is shown while it grows.
const GLIMPSES: usize = 8;

/// Options whose defaults a metric sets for itself.
pub(crate) type Defaults = &'static [(&'static str, &'static str)];

/// Parameters with other defaults.
pub(crate) fn with_defaults(mut parameters: Vec<Parameter>, defaults: Defaults) -> Vec<Parameter> {
    for parameter in &mut parameters {
        let own = defaults.iter().find(|(id, _)| *id == parameter.id);
        if let Some(default) = own.and_then(|(_, text)| parameter.kind.parse(text).ok()) {
            parameter.default = default;
        }
    }
    parameters
}

/// Parameters as typed, and a metric's defaults for those left out.
pub(crate) fn filled(given: &BTreeMap<String, String>, defaults: Defaults) -> BTreeMap<String, String> {
    let own = defaults.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned()));
    own.chain(given.iter().map(|(id, text)| (id.clone(), text.clone()))).collect()
}

/// Which of `count` parts, the most important first, are removed at every step.
pub(crate) type Plan<'a> = &'a dyn Fn(usize, &RemovalOptions) -> Vec<Range<usize>>;

/// How much of `count` parts has been taken after each of some steps, from none to all.
pub(crate) fn marks(count: usize, steps: usize) -> Vec<usize> {
    let steps = steps.clamp(1, count.max(1));
    (0..=steps).map(|step| (step * count + steps / 2) / steps).collect()
}

/// The most important parts go first.
pub(crate) fn most_first(count: usize, options: &RemovalOptions) -> Vec<Range<usize>> {
    marks(count, options.steps).into_iter().map(|mark| 0..mark).collect()
}

/// The most important parts come back first.
pub(crate) fn most_back_first(count: usize, options: &RemovalOptions) -> Vec<Range<usize>> {
    marks(count, options.steps).into_iter().map(|mark| mark..count).collect()
}

/// A metric by removal in order.
pub(crate) struct Removal<'a> {
    pub(crate) defaults: Defaults,
    /// Options that it does not have.
    pub(crate) without: &'static [&'static str],
    /// Instead of the infill that the options name.
    pub(crate) fill: Option<Fill>,
    pub(crate) plan: Plan<'a>,
}

/// What the removals showed.
pub(crate) struct Removed {
    pub(crate) units: Units,
    /// The target at the input as it is.
    pub(crate) whole: f64,
    /// What was removed at every step.
    pub(crate) ranges: Vec<Range<usize>>,
    /// The part of the picture that this is.
    pub(crate) parts: Vec<f64>,
    /// The target at every step.
    pub(crate) scores: Vec<f64>,
    pictures: Vec<(usize, Picture)>,
    notes: Vec<String>,
    passes: u64,
    parameters: BTreeMap<String, ParameterValue>,
}

impl Removal<'_> {
    /// What can be set.
    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = with_defaults(RemovalOptions::parameters(), self.defaults);
        parameters.retain(|parameter| !self.without.contains(&parameter.id.as_str()));
        parameters
    }

    fn options(&self, question: &Question<'_>) -> Result<RemovalOptions, EvaluateError> {
        let given = question.context.parameters;
        // Names are checked against what this metric has.
        read(&self.parameters(), given)?;
        Ok(RemovalOptions::parse(&filled(given, self.defaults))?)
    }

    /// The passes that [`Removal::run`] takes.
    pub(crate) fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        let options = self.options(question)?;
        let count = Units::expected(question, &options.regions)?;
        let ranges = (self.plan)(count, &options);
        Ok(altered::cost(ranges.iter().filter(|range| !range.is_empty()).count()))
    }

    /// Removes parts and scores what is left. A step at which nothing is removed is known without a pass.
    pub(crate) async fn run(&self, question: &Question<'_>) -> Result<Removed, EvaluateError> {
        self.run_telling(question, &|_, _, _| ()).await
    }

    /// The area under the one curve of all steps, over the part of the picture that is removed or, where `inserted`, that is
    /// there. The observer sees the curve grow.
    pub(crate) async fn area(&self, question: &Question<'_>, inserted: bool) -> Result<Found, EvaluateError> {
        let options = self.options(question)?;
        let observer = question.context.observer;
        let tell = |units: &Units, whole: f64, scores: &[f64]| {
            let mut known = scores.iter();
            let ranges = (self.plan)(units.count, &options).into_iter();
            let steps = ranges.map_while(|range| {
                let score = if range.is_empty() { Some(whole) } else { known.next().copied() };
                Some((units.part(units.order.get(range).unwrap_or_default()), score?))
            });
            let (parts, scores): (Vec<f64>, Vec<f64>) = steps.unzip();
            observer.curve(&curve("", &parts, &scores, inserted, "target", &|score| score));
        };
        let watched = observer.is_curious();
        let batch =
            if watched { question.context.batch.min(options.steps.div_ceil(GLIMPSES)) } else { question.context.batch };
        let context = Context { batch, ..question.context };
        Ok(self.run_telling(&Question { context, ..*question }, &tell).await?.area_under(inserted))
    }

    async fn run_telling(
        &self,
        question: &Question<'_>,
        tell: &dyn Fn(&Units, f64, &[f64]),
    ) -> Result<Removed, EvaluateError> {
        let options = self.options(question)?;
        let planned = |units: &Units| (self.plan)(units.count, &options);
        let sets = |units: &Units| planned(units).into_iter().filter(|range| !range.is_empty()).collect::<Vec<_>>();
        let alteration = Alteration {
            regions: options.regions.clone(),
            fill: self.fill.clone().unwrap_or(Fill::Infill(options.infill.clone())),
            scale: options.scale,
            absolute: options.absolute,
            pictures: options.pictures,
        };
        let set = |units: &Units, number: usize| {
            let range = sets(units).into_iter().nth(number).unwrap_or_default();
            units.order.get(range).unwrap_or_default().to_vec()
        };
        let scored = altered::score(question, &alteration, &|units| sets(units).len(), &set, tell).await?;
        let Scored { units, whole, scores, pictures, notes, passes } = scored;
        let ranges = planned(&units);
        let context = &question.context;
        // Nothing is removed at some step, and nothing has to be run for it.
        let unaltered = match options.pictures > 0 && ranges.iter().any(Range::is_empty) {
            true => Some(frame(context, &context.input.to_vec().await?, None)),
            false => None,
        };
        let mut measured = scores.into_iter().enumerate();
        let (mut all, mut shown) = (Vec::new(), Vec::new());
        for (step, range) in ranges.iter().enumerate() {
            let found = if range.is_empty() { None } else { measured.next() };
            all.push(found.map_or(whole, |(_, score)| score));
            let picture = found.and_then(|(number, _)| pictures.iter().find(|(shown, _)| *shown == number));
            let picture = if range.is_empty() { unaltered.as_ref() } else { picture.map(|(_, picture)| picture) };
            shown.extend(picture.map(|picture| (step, picture.clone())));
        }
        let part = |range: &Range<usize>| units.part(units.order.get(range.clone()).unwrap_or_default());
        let (parts, mut parameters) = (ranges.iter().map(part).collect(), options.values());
        parameters.retain(|id, _| !self.without.contains(&id.as_str()));
        Ok(Removed { units, whole, ranges, parts, scores: all, pictures: shown, notes, passes, parameters })
    }
}

impl Removed {
    /// What was seen at steps, as far as pictures were asked for.
    pub(crate) fn pictures(&self) -> &[(usize, Picture)] {
        &self.pictures
    }

    /// The curve of these steps: the target over the part of the picture that is removed, or, where `inserted`, that is
    /// there. Values go through `y`.
    pub(crate) fn curve(
        &self,
        name: &str,
        steps: Range<usize>,
        inserted: bool,
        y_label: &str,
        y: &dyn Fn(f64) -> f64,
    ) -> Curve {
        let parts = self.parts.get(steps.clone()).unwrap_or_default();
        curve(name, parts, self.scores.get(steps).unwrap_or_default(), inserted, y_label, y)
    }

    /// The score that curves of all steps, one after the other, amount to.
    pub(crate) fn found(self, value: Option<f64>, curves: Vec<Curve>) -> Found {
        let points = curves.iter().flat_map(|curve| curve.xs.iter().map(|x| (curve.name.clone(), *x)));
        let points: Vec<(String, f64)> = points.collect();
        let picture = |(step, picture)| {
            let (curve, x) = points.get(step).cloned().unwrap_or_default();
            let y = self.scores.get(step).copied().unwrap_or_default();
            Altered { curve, x, y, picture }
        };
        Found {
            value,
            pictures: self.pictures.into_iter().map(picture).collect(),
            curves,
            notes: self.notes,
            parameters: self.parameters,
            forward_passes: self.passes,
            ..Found::default()
        }
    }

    fn area_under(self, inserted: bool) -> Found {
        let curve = self.curve("", 0..self.parts.len(), inserted, "target", &|score| score);
        let value = area(&curve.xs, &curve.ys);
        self.found(Some(value), vec![curve])
    }
}

/// The target over the part of the picture that is removed, or, where `inserted`, that is there. Values go through `y`.
fn curve(name: &str, parts: &[f64], scores: &[f64], inserted: bool, y_label: &str, y: &dyn Fn(f64) -> f64) -> Curve {
    let position = |part: &f64| if inserted { 1.0 - part } else { *part };
    Curve {
        name: name.to_owned(),
        x_label: format!("part of the picture {}", if inserted { "inserted" } else { "removed" }),
        y_label: y_label.to_owned(),
        xs: parts.iter().map(position).collect(),
        ys: scores.iter().map(|score| y(*score)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use vitrine_explain::Observer;

    use super::*;
    use crate::testing::{Asked, watched};

    #[derive(Default)]
    struct Album(RefCell<Vec<Curve>>);

    impl Observer for Album {
        fn is_curious(&self) -> bool {
            true
        }

        fn curve(&self, curve: &Curve) {
            self.0.borrow_mut().push(curve.clone());
        }
    }

    /// Pixels of 4, 3, 2 and 1 go, or come back, one after the other; the observer sees a point more each time.
    #[test]
    fn the_curve_is_shown_while_it_grows() {
        for (metric, ys) in [("deletion", [10.0, 6.0, 3.0, 1.0, 0.0]), ("insertion", [0.0, 4.0, 7.0, 9.0, 10.0])] {
            let album = Album::default();
            let found = watched(metric, &[("steps", "4")], &Asked::default(), &album);
            let seen = album.0.into_inner();
            assert_eq!(seen.len(), 4, "{metric}: a pass each");
            assert_eq!((seen.last(), &found.curves[0].ys[..]), (found.curves.last(), &ys[..]));
            for curve in &seen {
                assert_eq!(curve.xs.len(), curve.ys.len());
                assert_eq!(
                    (&curve.xs[..], &curve.ys[..]),
                    (&found.curves[0].xs[..curve.xs.len()], &ys[..curve.ys.len()])
                );
            }
        }
    }
}
