//! How fast the built-in model is explained natively, and in how much memory: `cargo xtask bench`.

use std::{env, fs, process::Command};

use pollster::block_on;
use vitrine_engine::{ExplainOptions, Place, Silent};
use vitrine_protocol::DeviceChoice;
use vitrine_tests::{
    critters::session,
    speed::{Result, Work, measure, request},
};

/// Set for the process whose peak memory is measured: the number of masks.
const MASKS: &str = "VITRINE_BENCH_MASKS";

fn main() -> Result<()> {
    if let Ok(masks) = env::var(MASKS) {
        return block_on(peak_memory(&masks));
    }
    block_on(speed("CPU", Place::cpu("")))?;
    match block_on(Place::choose(DeviceChoice::Auto)) {
        Ok(place) if place.is_gpu() => block_on(speed(&place.info.name.clone(), place))?,
        _ => println!("no real GPU answers: the GPU half is left out"),
    }
    let peak = |masks: &str| -> Result<u64> {
        let output = Command::new(env::current_exe()?).env(MASKS, masks).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().parse()?)
    };
    let (few, many) = (peak("500")?, peak("10000")?);
    let ratio = many as f64 / few as f64;
    println!("peak memory of RISE: {few} kB with 500 masks, {many} kB with 10,000 masks, ratio {ratio:.3}");
    Ok(())
}

async fn speed(name: &str, place: Place) -> Result<()> {
    println!("built-in model, native, {name}\n{}", measure(&session(place).await?, Work::default()).await?);
    Ok(())
}

/// Runs RISE on the CPU and prints the largest memory the process ever had, in kB.
async fn peak_memory(masks: &str) -> Result<()> {
    let session = session(Place::cpu("")).await?;
    session.explain(&request("rise", &[("masks", masks)]), &ExplainOptions::default(), &Silent).await?;
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("the system does not say")?;
    println!("{}", peak.trim().trim_end_matches("kB").trim());
    Ok(())
}
