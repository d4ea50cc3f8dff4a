//! Sets of parts of the input, drawn at random, removed; the target's falls beside the sums of the map over the sets: what
//! faithfulness correlation, mu-fidelity, sensitivity-n and their kin stand on.

use std::collections::BTreeMap;

use vitrine_explain::{
    Cost, Infill, RegionsSpec,
    toolkit::{Purpose, Random, integer, number, read},
};
use vitrine_protocol::{Curve, Parameter, ParameterKind, ParameterValue};

use crate::{
    EvaluateError, Question,
    altered::{self, Alteration, Fill, Scale, Units},
    metric::Found,
    removal::{Defaults, filled, with_defaults},
};

vitrine_explain::options! {
    /// What every metric by sets of parts can be told. Each metric has defaults of its own.
    pub struct SubsetOptions {
        /// Sets that are drawn; each costs a forward pass.
        samples: usize [integer(2, 100_000)] = 100,
        /// How large a part of all parts is removed with a set.
        size: f64 [number(0.0001, 1.0)] = 0.2,
        /// Parts that are removed as a whole: elements for single pixels, grid:HxW, slic:N, felzenszwalb:SCALE, quickshift,
        /// watershed:N, or a .npy file of whole numbers. auto takes 8 x 8 cells.
        regions: RegionsSpec [ParameterKind::Regions] = RegionsSpec::Auto,
        /// What removed parts are replaced by: black, white, grey, mean, blur or noise in pixel space; inpaint, interpolate
        /// or tile, which continue what is kept and take longer; zero or value:V in tensor space; or a file.
        infill: Infill [ParameterKind::Infill] = Infill::Black,
        /// Which scalar is followed.
        scale: Scale [Scale::kind()] = Scale::Target,
        /// Whether negative numbers of the map count as much as positive ones.
        absolute: bool [ParameterKind::Boolean] = false,
    }
}

/// Which parts of how many make up set number so and so.
pub(crate) type Draw<'a> = &'a dyn Fn(&SubsetOptions, usize, u64, usize) -> Vec<usize>;

/// A metric by sets of parts.
pub(crate) struct Subsets<'a> {
    pub(crate) defaults: Defaults,
    /// Options that it does not have.
    pub(crate) without: &'static [&'static str],
    /// Instead of the infill that the options name.
    pub(crate) fill: Option<Fill>,
    /// How many sets of so many parts.
    pub(crate) sets: &'a dyn Fn(&SubsetOptions, usize) -> usize,
    pub(crate) draw: Draw<'a>,
}

/// What was found of every set.
pub(crate) struct Falls {
    pub(crate) options: SubsetOptions,
    /// Sums of the map.
    pub(crate) sums: Vec<f64>,
    /// What the target loses.
    pub(crate) falls: Vec<f64>,
    /// Parts of the input.
    pub(crate) units: Units,
    notes: Vec<String>,
    passes: u64,
    parameters: BTreeMap<String, ParameterValue>,
}

/// As many sets as the options say.
pub(crate) fn as_asked(options: &SubsetOptions, _: usize) -> usize {
    options.samples
}

/// A set of the size that the options say, drawn evenly.
pub(crate) fn evenly(options: &SubsetOptions, count: usize, seed: u64, number: usize) -> Vec<usize> {
    some_of(count, (options.size * count as f64).round() as usize, seed, number)
}

/// So many of `count` parts, drawn evenly; one at least.
pub(crate) fn some_of(count: usize, size: usize, seed: u64, number: usize) -> Vec<usize> {
    let mut all = Random::new(seed, Purpose::Metrics, number as u32).permutation(count);
    all.truncate(size.max(1));
    all
}

/// As many sets as there are parts.
pub(crate) fn one_each(_: &SubsetOptions, count: usize) -> usize {
    count
}

/// Part number so and so alone.
pub(crate) fn alone(_: &SubsetOptions, _: usize, _: u64, number: usize) -> Vec<usize> {
    vec![number]
}

impl Subsets<'_> {
    /// What can be set.
    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = with_defaults(SubsetOptions::parameters(), self.defaults);
        parameters.retain(|parameter| !self.without.contains(&parameter.id.as_str()));
        parameters
    }

    fn options(&self, question: &Question<'_>) -> Result<SubsetOptions, EvaluateError> {
        let given = question.context.parameters;
        read(&self.parameters(), given)?;
        Ok(SubsetOptions::parse(&filled(given, self.defaults))?)
    }

    /// The passes that [`Subsets::run`] takes.
    pub(crate) fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        let options = self.options(question)?;
        let count = Units::expected(question, &options.regions)?;
        Ok(altered::cost((self.sets)(&options, count)))
    }

    pub(crate) async fn run(&self, question: &Question<'_>) -> Result<Falls, EvaluateError> {
        let options = self.options(question)?;
        let alteration = Alteration {
            regions: options.regions.clone(),
            fill: self.fill.clone().unwrap_or(Fill::Infill(options.infill.clone())),
            scale: options.scale,
            absolute: options.absolute,
            pictures: 0,
        };
        let seed = question.context.seed;
        let set = |units: &Units, number: usize| (self.draw)(&options, units.count, seed, number);
        let sets = |units: &Units| (self.sets)(&options, units.count);
        let found = altered::score(question, &alteration, &sets, &set, &|_, _, _| ()).await?;
        let sum = |number: usize| set(&found.units, number).iter().filter_map(|unit| found.units.sums.get(*unit)).sum();
        let sums = (0..found.scores.len()).map(sum).collect();
        let falls = found.scores.iter().map(|score| found.whole - score).collect();
        let mut parameters = options.values();
        parameters.retain(|id, _| !self.without.contains(&id.as_str()));
        Ok(Falls { options, sums, falls, units: found.units, notes: found.notes, passes: found.passes, parameters })
    }
}

impl Falls {
    /// The score of this value.
    pub(crate) fn found(self, value: Option<f64>, curves: Vec<Curve>) -> Found {
        Found {
            value,
            curves,
            notes: self.notes,
            parameters: self.parameters,
            forward_passes: self.passes,
            ..Found::default()
        }
    }

    /// The score that is how well sums and falls agree.
    pub(crate) fn agreement(self, measure: fn(&[f64], &[f64]) -> Option<f64>) -> Found {
        let value = measure(&self.sums, &self.falls);
        self.found(value, Vec::new())
    }
}
