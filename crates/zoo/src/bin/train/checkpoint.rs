//! A training's state on disk, so that an interrupted one goes on where it was.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::ModuleRecord;
use serde::{Deserialize, Serialize};

use crate::learn::Settings;
use crate::recipe::Network;

/// Where a training keeps its state.
pub(crate) struct Checkpoint {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct State {
    settings: Settings,
    done: u64,
}

impl Checkpoint {
    /// A checkpoint in this folder, which need not exist.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Checkpoint { folder }
    }

    /// The steps done, the network and the optimiser; `None` where nothing was saved yet.
    ///
    /// # Errors
    /// Where the folder holds a training with other settings, or cannot be read.
    pub(crate) fn load<N: Network>(
        &self,
        settings: &Settings,
        network: N,
        optimiser: ModuleOptimizer,
    ) -> Result<Option<(u64, N, ModuleOptimizer)>> {
        let Ok(text) = fs::read_to_string(self.folder.join("state.json")) else { return Ok(None) };
        let state: State = serde_json::from_str(&text)?;
        ensure!(
            state.settings == *settings,
            "{} holds a training with other settings ({:?}): remove it, or name another folder with --checkpoint",
            self.folder.display(),
            state.settings
        );
        let network = network.try_load_record(ModuleRecord::load(self.file("network", state.done))?)?;
        let optimiser = optimiser.load_record(OptimizerRecord::load(self.file("optimiser", state.done))?);
        Ok(Some((state.done, network, optimiser)))
    }

    /// Saves the state; an interruption leaves the last complete one.
    pub(crate) fn save<N: Network>(
        &self,
        settings: &Settings,
        done: u64,
        network: N,
        optimiser: &ModuleOptimizer,
    ) -> Result<()> {
        fs::create_dir_all(&self.folder).with_context(|| format!("could not make {}", self.folder.display()))?;
        // In validation form, because that brings the running statistics up to date first.
        network.valid().into_record().save(self.file("network", done))?;
        optimiser.to_record().save(self.file("optimiser", done))?;
        let state = State { settings: settings.clone(), done };
        let fresh = self.folder.join("state.json.new");
        fs::write(&fresh, serde_json::to_string(&state)?)?;
        // From here on the new files count, and no earlier.
        fs::rename(&fresh, self.folder.join("state.json"))?;
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let current = [self.file("network", done), self.file("optimiser", done)];
            if path.extension().is_some_and(|extension| extension == "bpk") && !current.contains(&path) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn file(&self, name: &str, done: u64) -> PathBuf {
        self.folder.join(format!("{name}-{done}.bpk"))
    }
}
