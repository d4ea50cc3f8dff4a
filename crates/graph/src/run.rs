//! Running a graph, or a part of it, with probes.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    Graph, GraphError, Recording, Value,
    batching::BatchMode,
    plan::{Plan, Source, Step},
};

/// Something done to a value while the graph runs. Several probes on one value act in the order given.
#[derive(Clone, Debug)]
pub enum Probe {
    /// Keep the value for [`Trace::value`].
    Record,
    /// Make the value a point where [`Trace::gradients`] gives the gradient.
    Gradient,
    /// Put another value of the same shape in its place.
    Replace(Value),
    /// Multiply it by a value that broadcasts to it: `[batch, 1, height, width]` masks, `[batch, channels, 1, 1]`
    /// ablations. Every sample of a batch may get its own.
    Scale(Value),
    /// Add a value that broadcasts to it.
    Add(Value),
}

/// What a run is to do.
///
/// Feeding an inner value instead of an input runs only what comes after it: *run from here*.
#[derive(Clone, Debug, Default)]
pub struct Run {
    feeds: Vec<(String, Value)>,
    probes: Vec<(String, Probe)>,
    wanted: Vec<String>,
}

impl Run {
    /// A run that computes the values named in `wanted`.
    pub fn of<'a>(wanted: impl IntoIterator<Item = &'a str>) -> Run {
        Run { wanted: wanted.into_iter().map(str::to_owned).collect(), ..Run::default() }
    }

    /// Gives a value: a graph input, or any inner value.
    #[must_use]
    pub fn feed(mut self, name: &str, value: Value) -> Run {
        self.feeds.push((name.to_owned(), value));
        self
    }

    /// Adds a probe.
    #[must_use]
    pub fn probe(mut self, name: &str, probe: Probe) -> Run {
        self.probes.push((name.to_owned(), probe));
        self
    }
}

/// What a run saw.
#[derive(Debug)]
pub struct Trace {
    values: HashMap<String, Value>,
    leaves: Vec<(String, Value)>,
}

impl Trace {
    /// A value that was wanted or recorded.
    ///
    /// # Errors
    /// [`GraphError::NotRecorded`] for any other.
    pub fn value(&self, name: &str) -> Result<&Value, GraphError> {
        self.values.get(name).ok_or_else(|| GraphError::NotRecorded(name.to_owned()))
    }

    /// The gradient of an objective at every value with a [`Probe::Gradient`], each of that value's shape.
    ///
    /// `objective` holds one number per sample, computed from the trace's values; samples do not mix in a graph, so the
    /// gradient of their sum is each sample's own gradient.
    ///
    /// # Errors
    /// [`GraphError::NoGradient`] when the objective does not depend on one of the values.
    pub fn gradients(&self, objective: &Value) -> Result<HashMap<String, Value>, GraphError> {
        let untouched = || {
            let name = self.leaves.first().map(|(name, _)| name.clone());
            GraphError::NoGradient(name.unwrap_or_default())
        };
        if !objective.has_history() {
            return Err(untouched());
        }
        let gradients = objective.as_float()?.clone().sum().backward();
        let gradient = |(name, leaf): &(String, Value)| {
            let gradient = leaf.as_float()?.grad(&gradients).ok_or_else(|| GraphError::NoGradient(name.clone()))?;
            Ok((name.clone(), Value::from_parts(gradient.inner(), leaf.shape().to_vec())))
        };
        self.leaves.iter().map(gradient).collect()
    }
}

impl Graph {
    /// Runs as much of the graph as the wanted and probed values need.
    ///
    /// The batch size is that of the fed values. What comes before every gradient probe runs without a tape.
    ///
    /// # Errors
    /// [`GraphError::UnknownValue`] for a name that does not exist, [`GraphError::MissingInput`] when a needed input is not
    /// fed, [`GraphError::FeedShape`] when a fed value does not fit, and what planning for this batch size may refuse.
    pub fn run(&self, run: &Run) -> Result<Trace, GraphError> {
        self.run_in(run, None)
    }

    /// [`Graph::run`] with the way of finding shapes chosen by the caller.
    pub(crate) fn run_in(&self, run: &Run, mode: Option<BatchMode>) -> Result<Trace, GraphError> {
        let mut execution = Execution::prepare(self, run, mode)?;
        for (name, value) in &run.feeds {
            let id = self.id(name)?;
            execution.settle(self, id, value.clone())?;
        }
        let steps: Vec<usize> = execution.needed_steps(self)?;
        let plan = Arc::clone(&execution.plan);
        execution.count_uses(&plan, &steps);
        for index in steps {
            execution.step(self, &plan.steps[index])?;
        }
        execution.finish(self, run)
    }
}

pub(crate) struct Execution {
    plan: Arc<Plan>,
    values: HashMap<usize, Value>,
    /// How many steps still read a value; values that must outlive the run count one more.
    uses: HashMap<usize, usize>,
    probes: HashMap<usize, Vec<Probe>>,
    /// Values wanted or recorded.
    kept: HashSet<usize>,
    targets: Vec<usize>,
    trace: Trace,
}

impl Execution {
    fn prepare(graph: &Graph, run: &Run, mode: Option<BatchMode>) -> Result<Execution, GraphError> {
        let mut probes: HashMap<usize, Vec<Probe>> = HashMap::new();
        let mut kept = HashSet::new();
        for (name, probe) in &run.probes {
            let id = graph.id(name)?;
            if matches!(probe, Probe::Record) {
                kept.insert(id);
            }
            probes.entry(id).or_default().push(probe.clone());
        }
        let wanted = run.wanted.iter().map(|name| graph.id(name)).collect::<Result<Vec<_>, _>>()?;
        kept.extend(&wanted);
        // A gradient probe alone does not make a value needed: the objective does.
        let targets = wanted.into_iter().chain(kept.iter().copied()).collect();
        let batch = graph.batch_of(&run.feeds)?;
        let plan = match mode {
            Some(mode) => graph.plan_in(batch, mode)?,
            None => graph.plan(batch)?,
        };
        if let Some((id, end)) = kept.iter().find_map(|&id| Some((id, plan.end_before(id)?))) {
            let (name, node, operator) = (graph.names[id].clone(), end.node.clone(), end.operator.clone());
            return Err(GraphError::LeftOut { name, node, operator, what: end.what });
        }
        let trace = Trace { values: HashMap::new(), leaves: Vec::new() };
        let execution = Execution { plan, values: HashMap::new(), uses: HashMap::new(), probes, kept, targets, trace };
        for (name, value) in &run.feeds {
            let expected = execution.plan.shape(graph.id(name)?).unwrap_or_default();
            if value.shape() != expected {
                let (found, expected) = (value.shape().to_vec(), expected.to_vec());
                return Err(GraphError::FeedShape { name: name.clone(), found, expected });
            }
        }
        Ok(execution)
    }

    /// Runs and keeps every value.
    pub(crate) fn record(graph: &Graph, run: &Run) -> Result<Recording, GraphError> {
        let mut execution = Execution::prepare(graph, run, None)?;
        let mut fed = HashSet::new();
        for (name, value) in &run.feeds {
            let id = graph.id(name)?;
            fed.insert(id);
            execution.settle(graph, id, value.clone())?;
        }
        let steps = execution.needed_steps(graph)?;
        let plan = Arc::clone(&execution.plan);
        // Uses are not counted, so nothing is dropped after its last one.
        for &index in &steps {
            execution.step(graph, &plan.steps[index])?;
        }
        Ok(Recording::new(plan, execution.values, steps, fed))
    }

    /// The steps that lead from fed values to the targets, in order.
    fn needed_steps(&self, graph: &Graph) -> Result<Vec<usize>, GraphError> {
        let mut needed: HashSet<usize> =
            self.targets.iter().copied().filter(|id| !self.values.contains_key(id)).collect();
        let mut steps = Vec::new();
        for (index, step) in self.plan.steps.iter().enumerate().rev() {
            if step.outputs.iter().flatten().any(|id| needed.contains(id)) {
                steps.push(index);
                for source in step.inputs.iter().flatten() {
                    if let Source::Value(id) = source
                        && !self.values.contains_key(id)
                    {
                        needed.insert(*id);
                    }
                }
            }
        }
        if let Some(missing) = graph.inputs.iter().find(|input| needed.contains(&input.id)) {
            return Err(GraphError::MissingInput(graph.names[missing.id].clone()));
        }
        steps.reverse();
        Ok(steps)
    }

    fn count_uses(&mut self, plan: &Plan, steps: &[usize]) {
        for &index in steps {
            for source in plan.steps[index].inputs.iter().flatten() {
                if let Source::Value(id) = source {
                    *self.uses.entry(*id).or_default() += 1;
                }
            }
        }
        for &id in &self.kept {
            *self.uses.entry(id).or_default() += 1;
        }
    }

    fn step(&mut self, graph: &Graph, step: &Step) -> Result<(), GraphError> {
        let mut inputs: Vec<Option<Value>> = Vec::with_capacity(step.inputs.len());
        for source in &step.inputs {
            inputs.push(match source {
                None => None,
                Some(Source::Constant(at)) => Some(self.plan.constants[*at].clone()),
                Some(Source::Value(id)) => {
                    let value = self.values.get(id).cloned();
                    let value = value.ok_or_else(|| GraphError::MissingInput(graph.names[*id].clone()))?;
                    self.release(*id);
                    Some(value)
                }
            });
        }
        // A tracked input needs its neighbours on the tape's side too; without one, no tape is kept.
        if inputs.iter().flatten().any(Value::is_tracked) {
            inputs = inputs.into_iter().map(|value| value.map(|value| value.lifted())).collect();
        }
        let outputs = step.operator.run(&inputs)?;
        for (id, value) in step.outputs.iter().zip(outputs) {
            if let Some(id) = id {
                self.settle(graph, *id, value)?;
            }
        }
        Ok(())
    }

    /// Applies a value's probes and puts it in its place.
    fn settle(&mut self, graph: &Graph, id: usize, mut value: Value) -> Result<(), GraphError> {
        for probe in self.probes.remove(&id).unwrap_or_default() {
            let beside = |other: &Value| if value.is_tracked() { other.lifted() } else { other.clone() };
            value = match probe {
                Probe::Record => value,
                Probe::Gradient => {
                    let (leaf, tapped) = tap(&value)?;
                    self.trace.leaves.push((graph.names[id].clone(), leaf));
                    tapped
                }
                Probe::Replace(other) => other.expand(value.shape())?,
                Probe::Scale(factor) => value.mul(&beside(&factor))?.expand(value.shape())?,
                Probe::Add(term) => value.add(&beside(&term))?.expand(value.shape())?,
            };
        }
        self.values.insert(id, value);
        Ok(())
    }

    /// Drops a value after its last use.
    fn release(&mut self, id: usize) {
        if let Some(uses) = self.uses.get_mut(&id) {
            *uses = uses.saturating_sub(1);
            if *uses == 0 {
                self.values.remove(&id);
            }
        }
    }

    fn finish(mut self, graph: &Graph, run: &Run) -> Result<Trace, GraphError> {
        for &id in &self.kept {
            let name = &graph.names[id];
            let constant = || self.plan.constant(graph, id);
            let value =
                self.values.remove(&id).or_else(constant).ok_or_else(|| GraphError::NotRecorded(name.clone()))?;
            self.trace.values.insert(name.clone(), value);
        }
        // Probes left over sit on values that this run never computed.
        for (name, probe) in &run.probes {
            if self.probes.contains_key(&graph.id(name)?) && matches!(probe, Probe::Gradient) {
                return Err(GraphError::NoGradient(name.clone()));
            }
        }
        Ok(self.trace)
    }
}

/// A leaf whose gradient is the value's, and the value to go on with.
///
/// An untracked value becomes the leaf itself. A tracked one gets a zero leaf added, so that gradients also reach
/// the probes before it.
fn tap(value: &Value) -> Result<(Value, Value), GraphError> {
    if value.is_tracked() {
        let leaf = value.detached().map(|tensor| tensor.zeros_like())?.leaf()?;
        let tapped = value.add(&leaf)?;
        Ok((leaf, tapped))
    } else {
        let leaf = value.leaf()?;
        Ok((leaf.clone(), leaf))
    }
}

impl Graph {
    /// The batch size of fed values, by comparison with the shapes at the declared batch size.
    fn batch_of(&self, feeds: &[(String, Value)]) -> Result<usize, GraphError> {
        let plan = self.plan(self.declared_batch)?;
        for (name, value) in feeds {
            let id = self.id(name)?;
            let (Some(declared), Some(&given)) = (plan.shape(id).and_then(<[usize]>::first), value.shape().first())
            else {
                continue;
            };
            if *declared > 0 && (given * self.declared_batch).is_multiple_of(*declared) && given > 0 {
                return Ok(given * self.declared_batch / declared);
            }
        }
        Ok(self.declared_batch)
    }
}
