//! `vitrine metrics`.

use vitrine_engine::Session;

use super::methods::print_source;
use crate::{arguments::Listing, failure::Failure, output::say};

pub(crate) fn metrics(arguments: &Listing) -> Result<(), Failure> {
    let metrics = Session::metrics();
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&metrics)?);
        return Ok(());
    }
    for metric in metrics {
        say!("{} ({}, {}): {} {}", metric.id, metric.group, metric.better, metric.meaning, metric.caveat);
        print_source(&metric.reference, &metric.parameters);
    }
    Ok(())
}
