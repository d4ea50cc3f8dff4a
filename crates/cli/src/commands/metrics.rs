//! `vitrine metrics`.

use vitrine_engine::Session;

use crate::{arguments::Listing, failure::Failure};

pub(crate) fn metrics(arguments: &Listing) -> Result<(), Failure> {
    let metrics = Session::metrics();
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&metrics)?);
        return Ok(());
    }
    for metric in metrics {
        let reference = &metric.reference;
        println!("{} ({}, {}): {} {}", metric.id, metric.group, metric.better, metric.meaning, metric.caveat);
        println!("  {} ({}). {}. {}.", reference.authors, reference.year, reference.title, reference.venue);
        for parameter in &metric.parameters {
            println!("  --param {}={}  {}", parameter.id, parameter.default, parameter.kind.expectation());
            println!("      {}", parameter.help);
        }
        println!();
    }
    Ok(())
}
