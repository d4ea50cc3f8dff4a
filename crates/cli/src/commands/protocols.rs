//! `vitrine protocols`.

use vitrine_engine::Session;

use super::methods::print_source;
use crate::{arguments::Listing, failure::Failure};

pub(crate) fn protocols(arguments: &Listing) -> Result<(), Failure> {
    let protocols = Session::protocols();
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&protocols)?);
        return Ok(());
    }
    for protocol in protocols {
        println!("{} ({}): {} {}", protocol.id, protocol.shows, protocol.meaning, protocol.caveat);
        let beside = protocol.beside.map(|model| format!(", held against {model}")).unwrap_or_default();
        println!("  --model {}{beside}", protocol.models.join(" or "));
        print_source(&protocol.reference, &protocol.parameters);
    }
    Ok(())
}
