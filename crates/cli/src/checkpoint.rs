//! What a run has measured so far, written at once, so that a stopped run goes on.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use vitrine_evaluate::ground_truth::Measured;
use vitrine_protocol::{Report, Score};

use crate::failure::Failure;

/// Everything that a result depends on. Files are told apart by the SHA-256 of what is in them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Key {
    /// Of the program.
    pub(crate) version: String,
    /// Numbers of different devices differ in the last digits.
    pub(crate) device: String,
    /// The model's file, and its card.
    pub(crate) model: [String; 2],
    /// The picture; empty for a protocol.
    pub(crate) picture: String,
    pub(crate) target: String,
    pub(crate) layers: Vec<String>,
    /// The method's id, or the file that the map came from.
    pub(crate) method: String,
    pub(crate) method_parameters: BTreeMap<String, String>,
    /// Id of the metric or the protocol; empty for the record of how a map was made.
    pub(crate) measure: String,
    pub(crate) parameters: BTreeMap<String, String>,
    /// Files that parameters name, the mask, and what other maps or models the number depends on.
    pub(crate) beside: BTreeMap<String, String>,
    /// How many pictures a protocol drew.
    pub(crate) pictures: u32,
    pub(crate) seed: u64,
}

/// One result.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    Score(Score),
    Measured(Vec<Measured>),
    Report(Box<Report>),
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: Key,
    outcome: Outcome,
}

/// A file with one JSON object a line, to which results are added.
pub(crate) struct Checkpoint {
    path: PathBuf,
    file: File,
    known: HashMap<String, Outcome>,
}

impl Checkpoint {
    /// Opens the file, or begins it. A line that was cut off is measured again.
    pub(crate) fn open(path: &Path) -> Result<Checkpoint, Failure> {
        let failed = |source| Failure::Write { path: path.to_owned(), source };
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|source| Failure::Read { path: path.to_owned(), source })?,
        };
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let known = lines.map(|line| Ok((name(&line.key)?, line.outcome))).collect::<Result<_, Failure>>()?;
        let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n").map_err(failed)?;
        }
        Ok(Checkpoint { path: path.to_owned(), file, known })
    }

    /// The result, if it is there.
    pub(crate) fn find(&self, key: &Key) -> Result<Option<Outcome>, Failure> {
        Ok(self.known.get(&name(key)?).cloned())
    }

    /// Adds a result.
    pub(crate) fn add(&mut self, key: &Key, outcome: Outcome) -> Result<(), Failure> {
        let mut line = serde_json::to_string(&Line { key: key.clone(), outcome })?;
        line.push('\n');
        self.file.write_all(line.as_bytes()).map_err(|source| Failure::Write { path: self.path.clone(), source })
    }
}

/// A key as text, with its fields in their order.
fn name(key: &Key) -> Result<String, Failure> {
    Ok(serde_json::to_string(key)?)
}

/// What tells bytes apart, in hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same for numbers.
pub(crate) fn hash_of_values(values: &[f32]) -> String {
    hash(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_found_again_and_a_line_cut_off_is_not() {
        let path = std::env::temp_dir().join(format!("vitrine-checkpoint-{}.jsonl", std::process::id()));
        let key = |seed| Key { seed, method: "rise".to_owned(), ..Key::default() };
        let score = |value| Outcome::Score(Score { value: Some(value), ..Score::default() });
        let value = |outcome: Option<Outcome>| match outcome {
            Some(Outcome::Score(score)) => score.value,
            _ => None,
        };
        let mut checkpoint = Checkpoint::open(&path).unwrap();
        checkpoint.add(&key(1), score(0.5)).unwrap();
        checkpoint.add(&key(2), score(0.25)).unwrap();
        drop(checkpoint);

        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 9]).unwrap();
        let mut checkpoint = Checkpoint::open(&path).unwrap();
        assert_eq!(value(checkpoint.find(&key(1)).unwrap()), Some(0.5));
        assert_eq!(value(checkpoint.find(&key(2)).unwrap()), None);
        checkpoint.add(&key(2), score(0.75)).unwrap();
        drop(checkpoint);

        let checkpoint = Checkpoint::open(&path).unwrap();
        assert_eq!(value(checkpoint.find(&key(2)).unwrap()), Some(0.75));
        assert_eq!(value(checkpoint.find(&key(3)).unwrap()), None);
        std::fs::remove_file(&path).unwrap();
    }
}
