//! `vitrine methods`.

use vitrine_engine::Session;
use vitrine_protocol::{Parameter, Reference};

use crate::{arguments::Listing, failure::Failure, output::say};

pub(crate) fn methods(arguments: &Listing) -> Result<(), Failure> {
    let methods = Session::methods();
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&methods)?);
        return Ok(());
    }
    for method in methods {
        say!("{} ({} family): {}", method.id, method.family, method.summary);
        print_source(&method.reference, &method.parameters);
    }
    Ok(())
}

/// Where something was published, and what can be set.
pub(super) fn print_source(reference: &Reference, parameters: &[Parameter]) {
    say!("  {} ({}). {}. {}.", reference.authors, reference.year, reference.title, reference.venue);
    for parameter in parameters {
        say!("  --param {}={}  {}", parameter.id, parameter.default, parameter.kind.expectation());
        say!("      {}", parameter.help);
    }
    say!();
}
