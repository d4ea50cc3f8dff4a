//! What a visitor downloads, and the budget for it.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::workspace;

// Kilobytes of 1000 bytes, compressed with brotli at its highest level.
const PAGE_BUDGET: usize = 400_000;
const WORKER_BUDGET: usize = 3_000_000;

/// Bytes of scripts and wasm after brotli.
pub(crate) struct Weight {
    page: usize,
    worker: usize,
}

/// Weighs a built page.
pub(crate) fn of(dist: &Path) -> Result<Weight> {
    let mut weight = Weight { page: 0, worker: 0 };
    for file in workspace::files_below(dist)? {
        if !file.extension().is_some_and(|extension| extension == "js" || extension == "wasm") {
            continue;
        }
        let bytes = compressed(&fs::read(dist.join(&file))?)?;
        if file.to_string_lossy().starts_with("worker") {
            weight.worker += bytes;
        } else {
            weight.page += bytes;
        }
    }
    Ok(weight)
}

impl Weight {
    /// Prints both sums beside their budgets.
    pub(crate) fn print(&self) {
        println!("page weight after brotli, scripts and wasm");
        for (name, bytes, budget) in [("page", self.page, PAGE_BUDGET), ("worker", self.worker, WORKER_BUDGET)] {
            println!("  {name:6} {:7.1} kB of {:6.1} kB", bytes as f64 / 1e3, budget as f64 / 1e3);
        }
    }

    /// Fails where a sum is above its budget, or where there is nothing to weigh.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(self.page > 0 && self.worker > 0, "the built page has no scripts, or its worker has none");
        ensure!(self.page <= PAGE_BUDGET, "the page is heavier than its budget");
        ensure!(self.worker <= WORKER_BUDGET, "the worker is heavier than its budget");
        Ok(())
    }
}

fn compressed(bytes: &[u8]) -> Result<usize> {
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 24, ..Default::default() };
    let mut counter = Counter(0);
    brotli::BrotliCompress(&mut &bytes[..], &mut counter, &parameters)?;
    Ok(counter.0)
}

struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
