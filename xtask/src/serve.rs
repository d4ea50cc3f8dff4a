//! `cargo xtask serve`: the page on this machine, for this machine only.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use tiny_http::{Header, Request, Response, Server};

use crate::workspace::Workspace;
use crate::{dist, fingerprint};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The port on 127.0.0.1
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Serve what `dist` holds already
    #[arg(long)]
    no_build: bool,
}

/// Builds the page and serves it until interrupted.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::read()?;
    let folder = workspace.root.join("dist");
    // A port in use is reported before the long build, not after it.
    let server = Server::http(("127.0.0.1", arguments.port))
        .map_err(|error| anyhow!("port {} cannot be used ({error}); choose another with --port", arguments.port))?;
    if arguments.no_build {
        if !folder.join("index.html").is_file() {
            bail!("there is no built page in {}; leave out --no-build", folder.display());
        }
    } else {
        dist::build(&workspace, &folder)?;
    }
    println!("Vitrine is at http://127.0.0.1:{}/ (stop with Ctrl+C)", arguments.port);
    for request in server.incoming_requests() {
        // A visitor who closes the tab in the middle of an answer is no reason to stop.
        let _ = answer(request, &folder);
    }
    Ok(())
}

fn answer(request: Request, folder: &Path) -> std::io::Result<()> {
    let Some(path) = file_of(request.url(), folder) else {
        return request.respond(Response::from_string("not found").with_status_code(404));
    };
    let kind = mime_guess::from_path(&path).first_or_octet_stream();
    // A hashed name never changes its content; everything else may, with the next build.
    let caching = if fingerprint::is_hashed(&path) { "max-age=31536000, immutable" } else { "no-cache" };
    let headers = [("Content-Type", kind.essence_str()), ("Cache-Control", caching)];
    let mut response = Response::from_data(fs::read(path)?);
    for (name, value) in headers {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    request.respond(response)
}

/// The file that a request's URL names; `None` if there is none inside `folder`.
fn file_of(url: &str, folder: &Path) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next()?.trim_start_matches('/');
    if path.split(['/', '\\']).any(|part| part == "..") {
        return None;
    }
    let file = if path.is_empty() { folder.join("index.html") } else { folder.join(path) };
    file.is_file().then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_inside_the_folder_are_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(file_of("/Cargo.toml?1", folder), Some(folder.join("Cargo.toml")));
        assert_eq!(file_of("/src/../Cargo.toml", folder), None);
        assert_eq!(file_of("//etc/passwd", folder), None);
        assert_eq!(file_of("/src", folder), None, "a folder is not a file");
    }
}
