//! `vitrine metrics`.

use serde::Serialize;
use vitrine_engine::Session;
use vitrine_protocol::{MetricInfo, Parameter, ProtocolInfo, Reference};

use crate::{arguments::Listing, failure::Failure};

#[derive(Serialize)]
struct Everything {
    metrics: Vec<MetricInfo>,
    protocols: Vec<ProtocolInfo>,
}

pub(crate) fn metrics(arguments: &Listing) -> Result<(), Failure> {
    let everything = Everything { metrics: Session::metrics(), protocols: Session::protocols() };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&everything)?);
        return Ok(());
    }
    println!("Metrics of a map (vitrine evaluate --metrics):\n");
    for metric in everything.metrics {
        println!("{} ({}, {}): {} {}", metric.id, metric.group, metric.better, metric.meaning, metric.caveat);
        print_source(&metric.reference, &metric.parameters);
    }
    println!("Protocols with ground truth, which draw their own pictures (vitrine evaluate --protocols):\n");
    for protocol in everything.protocols {
        println!("{} ({}): {} {}", protocol.id, protocol.shows, protocol.meaning, protocol.caveat);
        let beside = protocol.beside.map(|model| format!(", held against {model}")).unwrap_or_default();
        println!("  --model {}{beside}", protocol.models.join(" or "));
        print_source(&protocol.reference, &protocol.parameters);
    }
    Ok(())
}

fn print_source(reference: &Reference, parameters: &[Parameter]) {
    println!("  {} ({}). {}. {}.", reference.authors, reference.year, reference.title, reference.venue);
    for parameter in parameters {
        println!("  --param {}={}  {}", parameter.id, parameter.default, parameter.kind.expectation());
        println!("      {}", parameter.help);
    }
    println!();
}
