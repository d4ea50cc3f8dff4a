//! What a protocol with ground truth says of itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Parameter, Reference};

/// Everything the outside needs to know of a protocol that draws its own pictures, so that the truth about them is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProtocolInfo {
    /// Kebab-case identifier, unique and stable, of no metric either: `grid-pointing-game`.
    pub id: String,
    /// The name as the literature writes it: `Grid pointing game`.
    pub name: String,
    /// What it asks, in one plain sentence.
    pub meaning: String,
    /// What its numbers do not say, in one plain sentence.
    pub caveat: String,
    /// The paper.
    pub reference: Reference,
    /// What it draws, which the model has to tell apart.
    pub shows: Shows,
    /// Ids of the built-in models that it is meant for, the best first.
    pub models: Vec<String>,
    /// The id of the built-in model that it holds the one at hand against, for protocols that compare two.
    pub beside: Option<String>,
    /// Its options, in the order a form shows them.
    pub parameters: Vec<Parameter>,
}

/// What a protocol draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shows {
    /// The ten kinds of critter.
    Critters,
    /// The digits from 0 to 9.
    Digits,
}

impl fmt::Display for Shows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Shows::Critters => "critters",
            Shows::Digits => "digits",
        })
    }
}
