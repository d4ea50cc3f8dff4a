//! Methods around another method, such as smoothing, which take any method of the registry and its parameters.

use std::collections::BTreeMap;

use vitrine_protocol::{ParameterKind, ParameterValue, Promise};

use crate::{Context, Cost, ExplainError, Explainer, find, registry::METHODS};

/// The parameter that names the method within.
pub(crate) const METHOD: &str = "method";

/// What stands before the parameters of the method within: `method.steps`.
const PREFIX: &str = "method.";

/// The choice of methods that one of this depth may go around: those less deep that explain an input instead of making
/// one.
pub(crate) fn methods_below(depth: usize) -> ParameterKind {
    let below = METHODS.iter().filter(|method| method.depth() < depth).map(|method| method.info());
    let explaining = below.filter(|info| !info.promises.contains(&Promise::Picture));
    ParameterKind::Method { methods: explaining.map(|info| info.id).collect() }
}

/// Parameters as typed, those of the wrapper and, without their prefix, those of the method within.
pub(crate) fn split(given: &BTreeMap<String, String>) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (mut own, mut inner) = (BTreeMap::new(), BTreeMap::new());
    for (name, value) in given {
        match name.strip_prefix(PREFIX) {
            Some(name) => inner.insert(name.to_owned(), value.clone()),
            None => own.insert(name.clone(), value.clone()),
        };
    }
    (own, inner)
}

/// A method within another, with its parameters.
pub(crate) struct Inner {
    pub(crate) method: &'static dyn Explainer,
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Inner {
    /// The method of this id with these parameters.
    ///
    /// # Errors
    /// [`ExplainError::UnknownMethod`].
    pub(crate) fn new(id: &str, parameters: BTreeMap<String, String>) -> Result<Inner, ExplainError> {
        Ok(Inner { method: find(id)?, parameters })
    }

    /// The question as the method within gets it.
    pub(crate) fn context<'a>(&'a self, context: &Context<'a>) -> Context<'a> {
        Context { parameters: &self.parameters, ..*context }
    }

    /// What one explanation by the method within costs; what it refuses of its parameters is told under their full names.
    pub(crate) fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let inner = self.context(context);
        self.method.cost(&inner).map_err(|error| match error {
            ExplainError::UnknownParameter { name, known } => {
                let known = known.into_iter().map(|name| prefixed(&name)).collect();
                ExplainError::UnknownParameter { name: prefixed(&name), known }
            }
            ExplainError::Parameter { name, source } => ExplainError::Parameter { name: prefixed(&name), source },
            error => error,
        })
    }
}

/// The report's parameters: the wrapper's, and those of the method within under their full names.
pub(crate) fn joined(
    mut own: BTreeMap<String, ParameterValue>,
    inner: BTreeMap<String, ParameterValue>,
) -> BTreeMap<String, ParameterValue> {
    own.extend(inner.into_iter().map(|(name, value)| (prefixed(&name), value)));
    own
}

fn prefixed(name: &str) -> String {
    format!("{PREFIX}{name}")
}
