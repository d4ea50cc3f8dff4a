//! Where on the network a model is: an address, or a file of a Hugging Face repository, as visitors type it and links
//! carry it.

use std::fmt::{self, Display, Formatter};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What a path's segment may hold as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What the hub's own pages begin with.
const HUB_PAGES: [&str; 2] = ["huggingface.co/", "hf.co/"];

/// Where a model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The address of an ONNX file, absolute or relative to the page.
    Address(String),
    /// A repository, of which a file is still to be chosen.
    Repository(Repository),
    /// A file of a repository.
    RepositoryFile(Repository, String),
}

/// A model repository of the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    /// `owner/name`.
    pub(crate) id: String,
    /// A branch, tag or commit; the main branch when absent.
    pub(crate) revision: Option<String>,
}

impl Place {
    /// Reads `https://...`, a path relative to the page, `owner/name`, `owner/name/path/file.onnx`, either with
    /// `@revision` and with or without `hf://` before it, or the address of one of the hub's pages.
    pub(crate) fn parse(text: &str) -> Result<Place, String> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("hf://") {
            return repository_place(rest);
        }
        let bare = text.strip_prefix("https://").unwrap_or(text);
        if let Some(page) = HUB_PAGES.iter().find_map(|prefix| bare.strip_prefix(prefix)) {
            return Ok(hub_page(page).unwrap_or_else(|| Place::Address(format!("https://{bare}"))));
        }
        if let Some((scheme, _)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) {
            return match scheme.to_ascii_lowercase().as_str() {
                "http" | "https" | "blob" | "data" => Ok(Place::Address(text.to_owned())),
                _ => Err(format!("A tab cannot fetch {scheme}: addresses. Give one that begins with https://.")),
            };
        }
        let segments: Vec<&str> = text.split('/').collect();
        match segments.as_slice() {
            ["." | ".." | "", _, ..] => Ok(Place::Address(text.to_owned())),
            [host, _, ..] if host.contains('.') && is_onnx(text) => Ok(Place::Address(format!("https://{text}"))),
            [file] | [_, file] if is_onnx(file) => Ok(Place::Address(text.to_owned())),
            [_, _, ..] => repository_place(text),
            _ => Err(format!(
                "{text:?} says too little. Give the address of an .onnx file, or a Hugging Face repository as \
                 owner/name."
            )),
        }
    }

    /// The model's file name, for people.
    pub(crate) fn name(&self) -> String {
        match self {
            Place::Address(address) => file_name(address),
            Place::Repository(repository) => repository.id.clone(),
            Place::RepositoryFile(_, path) => path.rsplit('/').next().unwrap_or(path).to_owned(),
        }
    }

    /// The address of the file, on the hub at `hub`; nothing for a repository without a file.
    pub(crate) fn address(&self, hub: &str) -> Option<String> {
        match self {
            Place::Address(address) => Some(address.clone()),
            Place::Repository(_) => None,
            Place::RepositoryFile(repository, path) => {
                let revision = encoded(repository.revision.as_deref().unwrap_or("main"));
                let path: Vec<String> = path.split('/').map(encoded).collect();
                Some(format!("{hub}/{}/resolve/{revision}/{}", repository.id, path.join("/")))
            }
        }
    }

    /// Whether the same place always holds the same file: a revision that is a commit.
    pub(crate) fn is_immutable(&self) -> bool {
        let Place::RepositoryFile(Repository { revision: Some(revision), .. }, _) = self else { return false };
        revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

/// As links carry it.
impl Display for Place {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Place::Address(address) => out.write_str(address),
            Place::Repository(repository) => write!(out, "hf://{repository}"),
            Place::RepositoryFile(repository, path) => write!(out, "hf://{repository}/{path}"),
        }
    }
}

impl Display for Repository {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(&self.id)?;
        match &self.revision {
            Some(revision) => write!(out, "@{}", encoded(revision)),
            None => Ok(()),
        }
    }
}

impl Repository {
    /// Where the hub at `hub` lists the repository's files with their sizes.
    pub(crate) fn list_address(&self, hub: &str) -> String {
        let revision = self.revision.as_ref().map(|revision| format!("/revision/{}", encoded(revision)));
        format!("{hub}/api/models/{}{}?blobs=true", self.id, revision.unwrap_or_default())
    }
}

/// The address of the model card beside a model: `net.card.json` beside `net.onnx`.
pub(crate) fn card_beside(address: &str) -> Option<String> {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let (path, rest) = address.split_at(end);
    let stem = path.get(..path.len().checked_sub(ONNX.len())?).filter(|_| is_onnx(path))?;
    Some(format!("{stem}.card.json{rest}"))
}

const ONNX: &str = ".onnx";

/// Whether a name says that a file is a model.
pub(crate) fn is_onnx(name: &str) -> bool {
    let path = name.split(['?', '#']).next().unwrap_or(name);
    path.to_ascii_lowercase().ends_with(ONNX)
}

fn repository_place(text: &str) -> Result<Place, String> {
    // The revision may stand behind the file too, where people look for it first.
    let (text, late) = match text.find(".onnx@") {
        Some(dot) => {
            let (path, revision) = text.split_at(dot + ONNX.len());
            (path, Some(decoded(revision.trim_start_matches('@'))))
        }
        None => (text, None),
    };
    let mut parts = text.trim_end_matches('/').splitn(3, '/');
    let (owner, name, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
    let (name, early) = match name.split_once('@') {
        Some((name, revision)) => (name, Some(decoded(revision))),
        None => (name, None),
    };
    if !is_id(owner) || !is_id(name) {
        return Err(format!(
            "{text:?} is not a Hugging Face repository. Write owner/name, or owner/name/path/file.onnx for one file."
        ));
    }
    let revision = early.or(late).filter(|revision| !revision.is_empty());
    let repository = Repository { id: format!("{owner}/{name}"), revision };
    match path {
        None => Ok(Place::Repository(repository)),
        Some(path) if is_onnx(path) => Ok(Place::RepositoryFile(repository, path.to_owned())),
        Some(path) => Err(format!("{path:?} is not an .onnx file; only those can be loaded.")),
    }
}

/// What a page of the hub shows, if it is a model's: `owner/name`, `owner/name/blob/main/file.onnx` and the like.
fn hub_page(path: &str) -> Option<Place> {
    let path = path.split(['?', '#']).next()?.trim_end_matches('/');
    let segments: Vec<String> = path.split('/').map(decoded).collect();
    let (owner, name, rest) = match segments.as_slice() {
        [owner, name, rest @ ..] if is_id(owner) && is_id(name) => (owner, name, rest),
        _ => return None,
    };
    if ["datasets", "spaces", "api", "docs", "models", "papers", "collections"].contains(&owner.as_str()) {
        return None;
    }
    let repository = |revision: Option<&String>| Repository {
        id: format!("{owner}/{name}"),
        revision: revision.filter(|revision| *revision != "main").cloned(),
    };
    match rest {
        [] => Some(Place::Repository(repository(None))),
        [kind, revision, path @ ..] if ["blob", "resolve", "raw", "tree"].contains(&kind.as_str()) => {
            let path = path.join("/");
            let file = is_onnx(&path).then(|| Place::RepositoryFile(repository(Some(revision)), path));
            Some(file.unwrap_or_else(|| Place::Repository(repository(Some(revision)))))
        }
        _ => None,
    }
}

fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes().all(allowed) && text.bytes().any(|byte| byte != b'.')
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn file_name(address: &str) -> String {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    match path.rsplit('/').next() {
        Some(name) if is_onnx(name) => decoded(name),
        // An address need not say what it leads to.
        _ => "model.onnx".to_owned(),
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUB: &str = "https://huggingface.co";

    fn file(id: &str, revision: Option<&str>, path: &str) -> Place {
        Place::RepositoryFile(repository(id, revision), path.to_owned())
    }

    fn repository(id: &str, revision: Option<&str>) -> Repository {
        Repository { id: id.to_owned(), revision: revision.map(str::to_owned) }
    }

    #[test]
    fn addresses_are_told_from_repositories() {
        for address in
            ["https://example.org/a/net.onnx?x=1", "http://localhost:8080/x", "./a/b/net.onnx", "/net.onnx", "net.onnx"]
        {
            assert_eq!(Place::parse(address), Ok(Place::Address(address.to_owned())));
        }
        assert_eq!(Place::parse("models/net.onnx"), Ok(Place::Address("models/net.onnx".to_owned())));
        assert_eq!(
            Place::parse("example.org/a/net.onnx"),
            Ok(Place::Address("https://example.org/a/net.onnx".to_owned())),
            "a forgotten scheme"
        );
        assert_eq!(Place::parse(" onnx-community/vit "), Ok(Place::Repository(repository("onnx-community/vit", None))));
        assert_eq!(Place::parse("me/net.v2@v1.0"), Ok(Place::Repository(repository("me/net.v2", Some("v1.0")))));
        assert_eq!(Place::parse("me/net/onnx/a b.onnx"), Ok(file("me/net", None, "onnx/a b.onnx")));
    }

    #[test]
    fn a_revision_stands_behind_the_name_or_behind_the_file() {
        let wanted = file("me/net", Some("refs/pr/1"), "onnx/net.onnx");
        for text in [
            "hf://me/net@refs%2Fpr%2F1/onnx/net.onnx",
            "me/net/onnx/net.onnx@refs/pr/1",
            "me/net/onnx/net.onnx@refs%2Fpr%2F1",
        ] {
            assert_eq!(Place::parse(text), Ok(wanted.clone()), "{text}");
        }
    }

    #[test]
    fn pages_of_the_hub_are_taken_for_what_they_show() {
        for (page, place) in [
            ("https://huggingface.co/me/net", Place::Repository(repository("me/net", None))),
            ("huggingface.co/me/net/tree/main/onnx", Place::Repository(repository("me/net", None))),
            ("https://hf.co/me/net/blob/v2/onnx/a%20b.onnx", file("me/net", Some("v2"), "onnx/a b.onnx")),
            ("https://huggingface.co/me/net/resolve/main/net.onnx?download=true", file("me/net", None, "net.onnx")),
        ] {
            assert_eq!(Place::parse(page), Ok(place), "{page}");
        }
        let dataset = "https://huggingface.co/datasets/me/resolve/main/net.onnx";
        assert_eq!(Place::parse(dataset), Ok(Place::Address(dataset.to_owned())));
    }

    #[test]
    fn a_written_place_reads_back_the_same() {
        for place in [
            file("me/net", Some("refs/pr/1"), "onnx/a b@2.onnx"),
            file("me/net", None, "net.onnx"),
            Place::Repository(repository("me/net", Some("main"))),
            Place::Address("./net.onnx".to_owned()),
        ] {
            assert_eq!(Place::parse(&place.to_string()), Ok(place.clone()), "{place}");
        }
    }

    #[test]
    fn what_is_no_place_is_explained() {
        for (text, hint) in [
            ("", "owner/name"),
            ("alexnet", "owner/name"),
            ("ftp://example.org/net.onnx", "https://"),
            ("me/net/config.json", "only those"),
            ("hf://me", "owner/name"),
            ("hf://../../etc", "owner/name"),
            ("me you/net", "owner/name"),
        ] {
            let message = Place::parse(text).unwrap_err();
            assert!(message.contains(hint), "{text}: {message}");
        }
    }

    #[test]
    fn the_hub_s_addresses_are_its_public_ones() {
        assert_eq!(
            file("me/net", Some("refs/pr/1"), "onnx/a b.onnx").address(HUB).as_deref(),
            Some("https://huggingface.co/me/net/resolve/refs%2Fpr%2F1/onnx/a%20b.onnx")
        );
        assert_eq!(
            file("me/net", None, "net.onnx").address(HUB).as_deref(),
            Some("https://huggingface.co/me/net/resolve/main/net.onnx")
        );
        assert_eq!(repository("me/net", None).list_address(HUB), "https://huggingface.co/api/models/me/net?blobs=true");
        assert_eq!(
            repository("me/net", Some("v1")).list_address(HUB),
            "https://huggingface.co/api/models/me/net/revision/v1?blobs=true"
        );
    }

    #[test]
    fn a_commit_never_changes() {
        assert!(file("me/net", Some(&"0a".repeat(20)), "net.onnx").is_immutable());
        assert!(!file("me/net", Some("main"), "net.onnx").is_immutable());
        assert!(!Place::Address("https://example.org/net.onnx".to_owned()).is_immutable());
    }

    #[test]
    fn a_card_lies_beside_its_model() {
        assert_eq!(card_beside("a/net.onnx").as_deref(), Some("a/net.card.json"));
        assert_eq!(card_beside("a/NET.ONNX?token=1.onnx").as_deref(), Some("a/NET.card.json?token=1.onnx"));
        for none in ["a/net", "data:application/octet-stream;base64,AAAA", "blob:https://example.org/1-2"] {
            assert_eq!(card_beside(none), None, "{none}");
        }
    }

    #[test]
    fn files_have_their_own_names_and_other_addresses_a_plain_one() {
        for (address, name) in [
            ("https://example.org/a%20b.onnx?x=/y", "a b.onnx"),
            ("https://example.org/download?id=3", "model.onnx"),
            ("net.onnx", "net.onnx"),
        ] {
            assert_eq!(Place::Address(address.to_owned()).name(), name);
        }
    }
}
