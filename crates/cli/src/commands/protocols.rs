//! `vitrine protocols`.

use vitrine_engine::Session;

use super::methods::print_source;
use crate::{arguments::Listing, failure::Failure, output::say};

pub(crate) fn protocols(arguments: &Listing) -> Result<(), Failure> {
    let protocols = Session::protocols();
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&protocols)?);
        return Ok(());
    }
    for protocol in protocols {
        say!("{} ({}): {} {}", protocol.id, protocol.shows, protocol.meaning, protocol.caveat);
        let beside = protocol.beside.map(|model| format!(", held against {model}")).unwrap_or_default();
        say!("  --model {}{beside}", protocol.models.join(" or "));
        print_source(&protocol.reference, &protocol.parameters);
    }
    Ok(())
}
