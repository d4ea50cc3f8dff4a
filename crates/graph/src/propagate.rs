//! Walking a graph backwards with rules of one's own in the place of derivatives: guided backpropagation, relevance
//! propagation, DeepLIFT.
//!
//! The walk goes over [`Unit`]s: nodes, or what [`Graph::blocks`] finds to be one thing. Attention and
//! normalisations written out stay apart: what weights and deviations are worth is for rules to say. A rule gets what flows into a
//! unit's outputs from behind and says what goes on to its inputs; what several units send to one value is added up.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    Graph, GraphError, Run, Unit, Value,
    plan::{Plan, Source},
    run::Execution,
};

/// What a unit sends to each of its inputs of what has arrived at each of its outputs.
pub type Rule<'a, E> = dyn FnMut(&Unit<'_>, &[Option<Value>]) -> Result<Vec<Option<Value>>, E> + 'a;

/// Every value that one run computed.
pub struct Recording {
    plan: Arc<Plan>,
    values: HashMap<usize, Value>,
    /// The steps that ran, in order.
    steps: Vec<usize>,
    /// Values that were given.
    fed: HashSet<usize>,
}

impl Graph {
    /// Runs a graph and keeps every value, which takes as much memory as a backward pass.
    ///
    /// # Errors
    /// As [`Graph::run`].
    pub fn record(&self, run: &Run) -> Result<Recording, GraphError> {
        Execution::record(self, run)
    }

    /// Walks backwards from a value to others and gives what has arrived there; nothing for those that the value does
    /// not depend on.
    ///
    /// `arriving` is of the shape of `from`. `rule` gets a unit and what has arrived at each of its outputs, and returns
    /// what goes to each of its inputs (of the input's shape, or nothing); [`Unit::pull_back`] is the rule of derivatives.
    ///
    /// # Errors
    /// [`GraphError::UnknownValue`] for names that do not exist, [`GraphError::NotRecorded`] for a value that the recording
    /// lacks, and whatever the rule refuses.
    pub fn propagate<E: From<GraphError>>(
        &self,
        recording: &Recording,
        (from, arriving): (&str, Value),
        to: &[&str],
        rule: &mut Rule<'_, E>,
    ) -> Result<HashMap<String, Value>, E> {
        let from = self.id(from)?;
        let ends: Vec<usize> = to.iter().map(|name| self.id(name)).collect::<Result<_, _>>()?;
        if let Some(missing) = ends.iter().chain([&from]).find(|id| !recording.values.contains_key(id)) {
            return Err(GraphError::NotRecorded(self.names[*missing].clone()).into());
        }
        let units = self.units(recording, from, &ends)?;
        let mut flow: HashMap<usize, Value> = HashMap::from([(from, arriving)]);
        for unit in units.iter().rev() {
            let unit = unit.open(recording)?;
            let arrived: Vec<Option<Value>> =
                unit.output_ids.iter().map(|id| id.and_then(|id| flow.get(&id).cloned())).collect();
            if arrived.iter().all(Option::is_none) {
                continue;
            }
            let sent = rule(&unit, &arrived)?;
            // What is asked for stays; all else has gone on.
            for id in unit.output_ids.iter().flatten().filter(|id| !ends.contains(id)) {
                flow.remove(id);
            }
            for (source, sent) in unit.sources.iter().zip(sent) {
                let (Source::Value(id), Some(sent)) = (source, sent) else { continue };
                let sum = match flow.remove(id) {
                    Some(before) => before.add(&sent)?,
                    None => sent,
                };
                flow.insert(*id, sum);
            }
        }
        Ok(ends.iter().filter_map(|id| Some((self.names[*id].clone(), flow.remove(id)?))).collect())
    }

    /// The units between the ends and a value, in graph order.
    fn units<'a>(
        &'a self,
        recording: &'a Recording,
        from: usize,
        ends: &[usize],
    ) -> Result<Vec<Outline<'a>>, GraphError> {
        let plan: &Plan = &recording.plan;
        let steps: HashSet<usize> = recording.steps.iter().copied().collect();
        // Steps of each block by the position of its last one; only whole blocks that end before an end or behind all.
        let mut blocks: HashMap<usize, (&'static str, Vec<usize>)> = HashMap::new();
        let mut within: HashSet<usize> = HashSet::new();
        let makers: HashMap<usize, usize> = (plan.steps.iter().enumerate())
            .flat_map(|(position, step)| step.outputs.iter().flatten().map(move |&id| (id, position)))
            .collect();
        for block in self.blocks()?.iter().filter(|block| is_unit(block.operator)) {
            let ids: Vec<usize> = block.inner.iter().map(|name| self.id(name)).collect::<Result<_, _>>()?;
            let cut = ids.iter().any(|id| ends.contains(id) || *id == from || recording.fed.contains(id));
            let members: Option<Vec<usize>> = ids.iter().map(|id| makers.get(id).copied()).collect();
            let last = makers.get(&self.id(&block.output)?).copied();
            if let (Some(mut members), Some(last), false) = (members, last, cut) {
                members.push(last);
                members.dedup();
                if members.iter().all(|member| steps.contains(member) && !within.contains(member)) {
                    within.extend(&members);
                    blocks.insert(last, (block.operator, members));
                }
            }
        }
        // What depends on an end, forwards; then what the value depends on, backwards.
        let mut variable: HashSet<usize> = ends.iter().copied().collect();
        let mut outlines = Vec::new();
        for &position in &recording.steps {
            let (operator, members) = match blocks.remove(&position) {
                Some((operator, members)) => (operator, members),
                None if within.contains(&position) => continue,
                None => (self.nodes[plan.steps[position].node].operator.as_str(), vec![position]),
            };
            let outline = Outline::new(self, plan, operator, members, &variable);
            if outline.variable.contains(&true) {
                variable.extend(outline.outputs.iter().flatten());
                outlines.push(outline);
            }
        }
        let mut needed = HashSet::from([from]);
        let mut kept = Vec::new();
        for outline in outlines.into_iter().rev() {
            if outline.outputs.iter().flatten().any(|id| needed.contains(id)) {
                needed.extend(outline.sources.iter().filter_map(|source| match source {
                    Source::Value(id) => Some(*id),
                    Source::Constant(_) => None,
                }));
                kept.push(outline);
            }
        }
        kept.reverse();
        Ok(kept)
    }
}

/// Whether a block is walked over as one.
fn is_unit(operator: &str) -> bool {
    operator != "Attention" && !operator.ends_with("Normalization")
}

/// A unit before its values are looked up.
struct Outline<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    operator: &'a str,
    steps: Vec<usize>,
    sources: Vec<Source>,
    variable: Vec<bool>,
    outputs: Vec<Option<usize>>,
}

impl<'a> Outline<'a> {
    fn new(
        graph: &'a Graph,
        plan: &'a Plan,
        operator: &'a str,
        steps: Vec<usize>,
        variable: &HashSet<usize>,
    ) -> Outline<'a> {
        let made: HashSet<usize> =
            steps.iter().flat_map(|&position| plan.steps[position].outputs.iter().flatten().copied()).collect();
        let mut sources: Vec<Source> = Vec::new();
        for source in steps.iter().flat_map(|&position| plan.steps[position].inputs.iter().flatten()) {
            let is_inside = matches!(source, Source::Value(id) if made.contains(id));
            // A value that is read twice, as by x * x, is two inputs of a node and one of a block.
            if !is_inside && (steps.len() == 1 || !sources.contains(source)) {
                sources.push(*source);
            }
        }
        let is_variable = |source: &Source| matches!(source, Source::Value(id) if variable.contains(id));
        let variable = sources.iter().map(is_variable).collect();
        let outputs = steps.last().map(|&last| plan.steps[last].outputs.clone()).unwrap_or_default();
        Outline { graph, plan, operator, steps, sources, variable, outputs }
    }

    fn open(&self, recording: &Recording) -> Result<Unit<'a>, GraphError> {
        let value = |id: usize| {
            let missing = || GraphError::NotRecorded(self.graph.names[id].clone());
            recording.values.get(&id).cloned().ok_or_else(missing)
        };
        let inputs = self.sources.iter().map(|source| match source {
            Source::Value(id) => value(*id),
            Source::Constant(at) => Ok(self.plan.constants[*at].clone()),
        });
        let inputs = inputs.collect::<Result<_, _>>()?;
        // Outputs that nobody reads may not have been kept; an unnamed one has no value.
        let outputs = self.outputs.iter().flatten().map(|&id| value(id)).collect::<Result<_, _>>()?;
        Ok(Unit {
            graph: self.graph,
            plan: self.plan,
            operator: self.operator,
            steps: self.steps.clone(),
            sources: self.sources.clone(),
            inputs,
            variable: self.variable.clone(),
            output_ids: self.outputs.iter().copied().filter(Option::is_some).collect(),
            outputs,
        })
    }
}

impl Recording {
    pub(crate) fn new(plan: Arc<Plan>, values: HashMap<usize, Value>, steps: Vec<usize>, fed: HashSet<usize>) -> Self {
        Recording { plan, values, steps, fed }
    }

    /// A value of the run.
    ///
    /// # Errors
    /// [`GraphError::UnknownValue`] and [`GraphError::NotRecorded`].
    pub fn value(&self, graph: &Graph, name: &str) -> Result<&Value, GraphError> {
        self.values.get(&graph.id(name)?).ok_or_else(|| GraphError::NotRecorded(name.to_owned()))
    }
}
