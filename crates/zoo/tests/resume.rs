//! An interrupted training goes on where it was and gives what an uninterrupted one gives.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]
#![cfg(feature = "train")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

fn start(folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_train"))
        .args(["--steps", "120", "--batch", "2", "--test", "2"])
        .arg("--checkpoint")
        .arg(folder.join("state"))
        .arg("--out")
        .arg(folder)
        // Directly on the CPU, so that the process that is killed is the one that trains.
        .env("BURN_DEVICE", "flex")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The weights; so short a training may find no samples to choose, which is not the point here.
fn model(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("models/critters.onnx")).unwrap()
}

fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

#[test]
fn an_interrupted_training_gives_the_same_model() {
    let (whole, broken) = (empty_folder("whole"), empty_folder("broken"));
    start(&whole).wait().unwrap();

    let mut first = start(&broken);
    while !broken.join("state/state.json").exists() {
        assert!(first.try_wait().unwrap().is_none(), "the training ended before its first checkpoint");
        sleep(Duration::from_millis(5));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(!broken.join("models").exists(), "the training was over before it could be interrupted");
    start(&broken).wait().unwrap();

    assert!(model(&whole) == model(&broken), "the two models differ");
}
