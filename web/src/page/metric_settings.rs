//! What the visitor tells metrics: their parameters, as typed.

use std::{collections::BTreeMap, rc::Rc};

use vitrine_protocol::{File, MetricInfo, Parameter};

use crate::state::Change;

/// The parameter by which a metric keeps altered pictures to look through, and how many the page takes.
const PICTURES: (&str, &str) = ("pictures", "17");

/// Parameters of metrics by their full ids, `metric.parameter`, and the files that they name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MetricSettings {
    values: BTreeMap<String, String>,
    files: Vec<Rc<File>>,
}

impl MetricSettings {
    /// The full id of a metric's parameter.
    pub(crate) fn id(metric: &MetricInfo, parameter: &Parameter) -> String {
        format!("{}.{}", metric.id, parameter.id)
    }

    /// The text of a parameter's field.
    pub(crate) fn value(&self, metric: &MetricInfo, parameter: &Parameter) -> String {
        let typed = self.values.get(&MetricSettings::id(metric, parameter)).cloned();
        typed.unwrap_or_else(|| usual(parameter))
    }

    /// Why a parameter's text cannot be used.
    pub(crate) fn problem(&self, metric: &MetricInfo, parameter: &Parameter) -> Option<String> {
        let error = parameter.kind.parse(self.value(metric, parameter).trim()).err()?;
        Some(format!("{error}."))
    }

    /// The parameters of a metric that are not as the page takes them.
    pub(crate) fn changed<'a>(&self, metric: &'a MetricInfo) -> Vec<&'a Parameter> {
        metric.parameters.iter().filter(|parameter| self.value(metric, parameter) != usual(parameter)).collect()
    }

    /// What a request holds: parameters that differ from the metric's own defaults, and the files that they name.
    pub(crate) fn of_request(&self, metric: &MetricInfo) -> (BTreeMap<String, String>, Vec<File>) {
        let value = |parameter: &Parameter| (parameter.id.clone(), self.value(metric, parameter).trim().to_owned());
        let own = |(parameter, (_, value)): &(&Parameter, (String, String))| *value != parameter.default.to_string();
        let values = metric.parameters.iter().map(|parameter| (parameter, value(parameter))).filter(own);
        let values: BTreeMap<String, String> = values.map(|(_, value)| value).collect();
        let named = |file: &&Rc<File>| values.values().any(|value| *value == file.name);
        let files = self.files.iter().filter(named).map(|file| File::clone(file)).collect();
        (values, files)
    }

    /// Takes what was typed or given for a parameter, by its full id, and says whose it is. Metrics know nothing else to
    /// change.
    pub(crate) fn take(&mut self, change: Change) -> Option<String> {
        let id = match change {
            Change::Parameter(id, value) => {
                self.values.insert(id.clone(), value);
                id
            }
            Change::Infill(id, file) => {
                self.values.insert(id.clone(), file.name.clone());
                self.files.retain(|other| other.name != file.name);
                self.files.push(Rc::new(file));
                id
            }
            Change::Method(_) | Change::Target(_) | Change::Layer(_) | Change::Seed(_) | Change::Reset => return None,
        };
        Some(id.split_once('.')?.0.to_owned())
    }
}

/// What a parameter is as long as nobody says otherwise.
pub(crate) fn usual(parameter: &Parameter) -> String {
    let (id, value) = PICTURES;
    if parameter.id == id { value.to_owned() } else { parameter.default.to_string() }
}
