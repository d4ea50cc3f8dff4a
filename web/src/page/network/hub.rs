//! Which models a repository of the hub holds.

use serde::Deserialize;
use web_sys::AbortSignal;

use super::failure::Failure;
use super::request::{self, Target};
use crate::place::{Repository, is_onnx};
use crate::state::RemoteFile;

/// The address of the hub, which `<meta name="vitrine-hub">` names.
pub(super) fn address() -> String {
    let document = web_sys::window().and_then(|window| window.document());
    let meta = document.and_then(|document| document.query_selector("meta[name=vitrine-hub]").ok()?);
    let content = meta.and_then(|meta| meta.get_attribute("content")).unwrap_or_default();
    content.trim_end_matches('/').to_owned()
}

/// What the hub says of a repository.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
}

/// The repository's .onnx files.
pub(super) async fn list(repository: &Repository, signal: &AbortSignal) -> Result<Vec<RemoteFile>, Failure> {
    let target = Target::new(&repository.list_address(&address()), repository.id.clone())?;
    let response = request::get(&target, Some(signal)).await.map_err(|failure| match failure {
        // The hub does not tell strangers which of its repositories exist.
        Failure::Status { host, status: 401 | 403 | 404, .. } => {
            Failure::NoRepository { host, repository: repository.to_string() }
        }
        other => other,
    })?;
    let bytes = request::bytes(&target, &response).await?;
    files(&bytes, &target.host, &repository.id)
}

fn files(json: &[u8], host: &str, repository: &str) -> Result<Vec<RemoteFile>, Failure> {
    let answer: Answer = serde_json::from_slice(json).map_err(|_| Failure::Garbled { host: host.to_owned() })?;
    let models = answer.siblings.into_iter().filter(|file| is_onnx(&file.rfilename));
    let mut files: Vec<RemoteFile> = models.map(|file| RemoteFile { path: file.rfilename, size: file.size }).collect();
    if files.is_empty() {
        return Err(Failure::NoModel { repository: repository.to_owned() });
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn onnx_files_are_found_with_their_sizes() {
        let json = br#"{"id": "me/net", "sha": "0a", "siblings": [
            {"rfilename": "onnx/model.onnx", "size": 12, "blobId": "1", "lfs": {"size": 12}},
            {"rfilename": "README.md", "size": 3},
            {"rfilename": "a.onnx"}]}"#;
        let file = |path: &str, size| RemoteFile { path: path.to_owned(), size };
        assert_eq!(files(json, "h", "me/net"), Ok(vec![file("a.onnx", None), file("onnx/model.onnx", Some(12))]));
    }

    #[test]
    fn a_repository_without_models_and_an_answer_without_sense_are_explained() {
        let none = files(br#"{"siblings": [{"rfilename": "model.safetensors"}]}"#, "h", "me/net");
        assert_eq!(none, Err(Failure::NoModel { repository: "me/net".to_owned() }));
        assert_eq!(files(b"<html>", "h", "me/net"), Err(Failure::Garbled { host: "h".to_owned() }));
    }
}
