//! What the visitor asks: a method, a target, a layer, a seed and parameters, as typed.

use std::{collections::BTreeMap, rc::Rc};

use vitrine_protocol::{ExplainRequest, File, MethodInfo, ModelSummary, Need, Parameter, ParameterKind};

use crate::link::Link;

/// A question in the making; texts may still be wrong.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    /// Method id; empty until the methods are known.
    pub(crate) method: String,
    /// Target, as on the command line.
    pub(crate) target: String,
    /// Layer by its value name, or several with commas between; the model's default when absent.
    pub(crate) layer: Option<String>,
    /// Seed, as typed.
    pub(crate) seed: String,
    /// Parameters, as typed, by id. One name means the same in every method, so a value outlives a change of method.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Images that parameters name as infills.
    pub(crate) infills: Vec<Rc<File>>,
}

/// A method as the question sets it: its parameters, and those of the method that it goes around.
#[derive(Clone, Debug)]
pub(crate) struct Setup<'a> {
    pub(crate) method: &'a MethodInfo,
    /// What stands before the parameters: nothing, or for a method within another `method.`.
    pub(crate) prefix: String,
    pub(crate) inner: Option<Box<Setup<'a>>>,
}

impl<'a> Setup<'a> {
    /// Every parameter by its full id, those of the method itself first.
    pub(crate) fn parameters(&self) -> Vec<(String, &'a Parameter)> {
        let own = self.method.parameters.iter().map(|parameter| (self.id(parameter), parameter));
        own.chain(self.inner.iter().flat_map(|inner| inner.parameters())).collect()
    }

    /// The full id of one of the method's own parameters: `method.steps`.
    pub(crate) fn id(&self, parameter: &Parameter) -> String {
        format!("{}{}", self.prefix, parameter.id)
    }

    /// Whether the method, or one within, needs this of a model.
    pub(crate) fn needs(&self, need: Need) -> bool {
        self.method.needs.contains(&need) || self.inner.as_ref().is_some_and(|inner| inner.needs(need))
    }
}

impl Default for Question {
    fn default() -> Self {
        Question {
            method: String::new(),
            target: "auto".to_owned(),
            layer: None,
            seed: "0".to_owned(),
            parameters: BTreeMap::new(),
            infills: Vec::new(),
        }
    }
}

impl Question {
    /// The question of a link; what it does not name has its default.
    pub(crate) fn of_link(link: &Link, method: String) -> Self {
        let plain = Question::default();
        Question {
            method,
            target: link.target.clone().unwrap_or(plain.target),
            layer: link.layer.clone(),
            seed: link.seed.clone().unwrap_or(plain.seed),
            parameters: link.parameters.clone(),
            infills: plain.infills,
        }
    }

    /// Drops what another model would read differently: its classes and its layers.
    pub(crate) fn forget_model(&mut self) {
        self.target = Question::default().target;
        self.layer = None;
    }

    /// The layers chosen; none is the model's own choice.
    pub(crate) fn layers(&self, model: &ModelSummary) -> Vec<String> {
        let text = self.layer.as_deref().unwrap_or_default();
        if model.layers.iter().any(|layer| layer.name == text) {
            return vec![text.to_owned()];
        }
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// The method as the question sets it.
    pub(crate) fn setup<'a>(&self, method: &'a MethodInfo, methods: &'a [MethodInfo]) -> Setup<'a> {
        self.setup_within(method, methods, String::new())
    }

    fn setup_within<'a>(&self, method: &'a MethodInfo, methods: &'a [MethodInfo], prefix: String) -> Setup<'a> {
        let inner = method.parameters.iter().find_map(|parameter| {
            let ParameterKind::Method { methods: choice } = &parameter.kind else { return None };
            let id = format!("{prefix}{}", parameter.id);
            let chosen = self.value(&id, parameter);
            // A link may name what cannot be chosen, such as a method around itself.
            let chosen = methods.iter().find(|other| other.id == chosen && choice.contains(&other.id))?;
            Some(Box::new(self.setup_within(chosen, methods, format!("{id}."))))
        });
        Setup { method, prefix, inner }
    }

    /// The text of a parameter's field, by its full id.
    pub(crate) fn value(&self, id: &str, parameter: &Parameter) -> String {
        self.parameters.get(id).cloned().unwrap_or_else(|| parameter.default.to_string())
    }

    /// Lets a parameter name an image of the visitor's; one of the same name gives way.
    pub(crate) fn infill(&mut self, parameter: String, image: File) {
        self.parameters.insert(parameter, image.name.clone());
        self.infills.retain(|other| other.name != image.name);
        self.infills.push(Rc::new(image));
    }

    /// Parameters of a method that differ from their defaults, by their full ids.
    pub(crate) fn changed(&self, setup: &Setup<'_>) -> BTreeMap<String, String> {
        let all = setup.parameters().into_iter().map(|(id, parameter)| {
            let value = self.value(&id, parameter);
            (id, value, parameter)
        });
        all.filter(|(_, value, parameter)| *value != parameter.default.to_string())
            .map(|(id, value, _)| (id, value))
            .collect()
    }

    /// Why a parameter's text cannot be used.
    pub(crate) fn parameter_problem(&self, id: &str, parameter: &Parameter) -> Option<String> {
        let error = parameter.kind.parse(self.value(id, parameter).trim()).err()?;
        Some(format!("{error}."))
    }

    /// Why the seed's text cannot be used.
    pub(crate) fn seed_problem(&self) -> Option<String> {
        let refused = self.seed.trim().parse::<u64>().is_err();
        refused.then(|| format!("{:?} is not a whole number from 0 to {}.", self.seed, u64::MAX))
    }

    /// The request of run `run` for a method, or why there is none yet.
    pub(crate) fn request(&self, run: u32, setup: &Setup<'_>, model: &ModelSummary) -> Result<ExplainRequest, String> {
        let parameters = setup.parameters();
        let problem = |(id, parameter): &(String, &Parameter)| {
            self.parameter_problem(id, parameter).map(|problem| format!("Parameter {id:?}: {problem}"))
        };
        if let Some(problem) = parameters.iter().find_map(problem) {
            return Err(problem);
        }
        let needs_layer = setup.needs(Need::SpatialLayer);
        if needs_layer && model.layers.is_empty() {
            return Err(format!(
                "{} needs a layer with two spatial axes, and {} has none.",
                setup.method.name, model.card.name
            ));
        }
        let Ok(seed) = self.seed.trim().parse() else {
            return Err(self.seed_problem().unwrap_or_default());
        };
        let parameters: BTreeMap<String, String> =
            self.changed(setup).into_iter().map(|(id, value)| (id, value.trim().to_owned())).collect();
        let named = |file: &&Rc<File>| parameters.values().any(|value| *value == file.name);
        let infill_files = self.infills.iter().filter(named).map(|file| File::clone(file)).collect();
        Ok(ExplainRequest {
            run,
            method: setup.method.id.clone(),
            target: self.target.clone(),
            layer: self.layer.clone().filter(|_| needs_layer),
            parameters,
            seed,
            infill_files,
        })
    }
}
