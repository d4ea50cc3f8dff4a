//! Why something could not be fetched, in words that say what to do.

use thiserror::Error;

use crate::model_file::MAX_BYTES;
use crate::number::{megabytes, megabytes_of};

/// What went wrong between here and a host.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Failure {
    #[error("{0:?} is not an address that can be fetched. Give one that begins with https://.")]
    NotAnAddress(String),
    #[error("This device is offline, so {host} cannot be reached. What is kept in this browser still loads.")]
    Offline { host: String },
    #[error(
        "This page came over https, and browsers do not let such a page fetch from {host} over plain http. Use an \
         https address, or download the file and drop it here."
    )]
    Insecure { host: String },
    #[error(
        "{host} answers, but does not allow other pages to read its files. Download the file yourself and drop it \
         here, or ask whoever runs {host} to send the header Access-Control-Allow-Origin."
    )]
    NotReadable { host: String },
    #[error(
        "{host} cannot be reached. Check the address and the connection, or download the file elsewhere and drop it \
         here."
    )]
    Unreachable { host: String },
    #[error("{}", status_sentence(.host, .name, *.status))]
    Status { host: String, name: String, status: u16 },
    #[error(
        "What {host} gives for {name} is a web page, not a file. Look there for the download link, and give its \
         address."
    )]
    WebPage { host: String, name: String },
    #[error(
        "{name} has {}, and a tab can hold models of up to {}. Use the command line for larger ones.",
        megabytes(*.size),
        megabytes(MAX_BYTES)
    )]
    TooLarge { name: String, size: u64 },
    #[error(
        "The transfer of {name} from {host} broke off after {}. Try again, or download the file and drop it here.",
        megabytes_of(*.received, *.total)
    )]
    BrokenOff { host: String, name: String, received: u64, total: Option<u64> },
    #[error(
        "{host} has no public model {repository}: the name or the revision is wrong, or the repository asks for a \
         login. If you may see it, download its .onnx file there and drop it here."
    )]
    NoRepository { host: String, repository: String },
    #[error("{repository} holds no .onnx file. Choose a repository that has one, or export the model to ONNX first.")]
    NoModel { repository: String },
    #[error("{host} answers in a way that this page does not understand. Give the address of the .onnx file instead.")]
    Garbled { host: String },
}

fn status_sentence(host: &str, name: &str, status: u16) -> String {
    match status {
        401 | 403 => format!(
            "{host} does not give out {name} without a login (it answers {status}). Download the file there yourself \
             and drop it here."
        ),
        404 | 410 => format!("{host} has no {name} at this address (it answers {status}). Check the address."),
        429 => format!("{host} is asked too much at the moment (it answers {status}). Wait a minute and try again."),
        500.. => format!("{host} has a fault of its own at the moment (it answers {status}). Try again later."),
        _ => format!("{host} does not give out {name} (it answers {status}). Check the address."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_names_the_host_and_what_to_do() {
        for (status, remedy) in [
            (400, "Check"),
            (401, "drop it here"),
            (403, "drop it here"),
            (404, "Check"),
            (429, "Wait"),
            (503, "later"),
        ] {
            let text = Failure::Status { host: "example.org".into(), name: "net.onnx".into(), status }.to_string();
            assert!(text.contains("example.org") && text.contains(&status.to_string()), "{text}");
            assert!(text.contains(remedy), "{text}");
        }
    }

    #[test]
    fn a_broken_transfer_says_how_far_it_came() {
        let broken = |total| Failure::BrokenOff {
            host: "example.org".into(),
            name: "net.onnx".into(),
            received: 12_340_000,
            total,
        };
        assert!(broken(Some(45_000_000)).to_string().contains("after 12.3 of 45.0 MB."));
        assert!(broken(None).to_string().contains("after 12.3 MB."));
    }
}
