//! `--param` of `vitrine evaluate`: which method, metric or protocol each is for.

use std::collections::BTreeMap;

use vitrine_protocol::Parameter;

use crate::{commands::parameters, failure::Failure};

/// Parameters by the id of the method, metric or protocol that they are for.
#[derive(Default)]
pub(crate) struct Given(BTreeMap<String, BTreeMap<String, String>>);

impl Given {
    /// `ID.KEY=VALUE` is for the method, metric or protocol of this id, `KEY=VALUE` for every metric and protocol that has
    /// the parameter.
    pub(crate) fn read(
        given: &[String],
        methods: &[String],
        measures: &BTreeMap<&str, &[Parameter]>,
    ) -> Result<Given, Failure> {
        let mut read: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (key, value) in parameters(given)? {
            let named = key
                .split_once('.')
                .filter(|(id, _)| methods.iter().any(|method| method == id) || measures.contains_key(id));
            let owners: Vec<(&str, &str)> = match named {
                Some(named) => vec![named],
                None => {
                    let has = |parameters: &&[Parameter]| parameters.iter().any(|parameter| parameter.id == key);
                    let owners = measures.iter().filter(|(_, parameters)| has(parameters));
                    owners.map(|(id, _)| (*id, key.as_str())).collect()
                }
            };
            if owners.is_empty() {
                return Err(Failure::Usage(format!(
                    "Nothing chosen to measure has the parameter {key:?}; parameters of a method are given as \
                     METHOD.{key}={value}."
                )));
            }
            for (owner, key) in owners {
                read.entry(owner.to_owned()).or_default().insert(key.to_owned(), value.clone());
            }
        }
        Ok(Given(read))
    }

    /// What was given for one of them.
    pub(crate) fn of(&self, id: &str) -> BTreeMap<String, String> {
        self.0.get(id).cloned().unwrap_or_default()
    }
}
