//! `vitrine methods`.

use vitrine_engine::Session;

use crate::{arguments::Listing, failure::Failure};

pub(crate) fn methods(arguments: &Listing) -> Result<(), Failure> {
    let methods = Session::methods();
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&methods)?);
        return Ok(());
    }
    for method in methods {
        let reference = &method.reference;
        println!("{} ({} family): {}", method.id, method.family, method.summary);
        println!("  {} ({}). {}. {}.", reference.authors, reference.year, reference.title, reference.venue);
        for parameter in &method.parameters {
            println!("  --param {}={}  {}", parameter.id, parameter.default, parameter.kind.expectation());
            println!("      {}", parameter.help);
        }
        println!();
    }
    Ok(())
}
