//! Content hashes in file names, so that no browser ever runs yesterday's worker with today's page.
//!
//! Every script, wasm and style file of a built page gets the hash of its content in its name. A file that names another
//! one carries that one's hash in its own content, so a change anywhere below changes every name up to `index.html`,
//! which alone keeps its name and is never cached.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use crate::workspace;

const HASH_LENGTH: usize = 16;

/// Renames the files of a built page, rewrites what refers to them, and lets the content security policy know the
/// page's own inline scripts.
pub(crate) fn apply(folder: &Path) -> Result<()> {
    let mut waiting: Vec<PathBuf> =
        workspace::files_below(folder)?.into_iter().filter(|file| carries_hash(file)).collect();
    let mut renamed = BTreeMap::new();
    while !waiting.is_empty() {
        let Some(next) = first_independent(folder, &waiting)? else {
            bail!("these files of the page refer to each other in a circle: {waiting:?}");
        };
        let old = waiting.remove(next);
        let content = rewrite(folder, &old, &renamed)?;
        let new = hashed_name(&old, &content);
        fs::write(folder.join(&new), content)?;
        fs::remove_file(folder.join(&old))?;
        renamed.insert(old, new);
    }
    let index = rewrite(folder, Path::new("index.html"), &renamed)?;
    fs::write(folder.join("index.html"), allow_inline_scripts(&String::from_utf8(index)?))?;
    worker_of(folder).map(|_| ())
}

/// The worker's script, as `<meta name="vitrine-worker" content="...">` of a built page names it.
pub(crate) fn worker_of(folder: &Path) -> Result<PathBuf> {
    let index = folder.join("index.html");
    let text = fs::read_to_string(&index).with_context(|| format!("{} cannot be read", index.display()))?;
    let name = tags(&text, "meta")
        .find(|tag| attribute(tag, "name") == Some("vitrine-worker"))
        .and_then(|tag| attribute(tag, "content"))
        .context("index.html has no <meta name=\"vitrine-worker\" content=\"...\">")?;
    let worker = folder.join(name.trim_start_matches("./"));
    if !worker.is_file() {
        bail!("index.html names the worker {name}, which is not in the built page");
    }
    Ok(worker)
}

/// Whether a file's name carries the hash of its content.
pub(crate) fn is_hashed(path: &Path) -> bool {
    path.file_stem()
        .and_then(|stem| stem.to_str())
        .and_then(|stem| stem.rsplit_once('-'))
        .is_some_and(|(_, hash)| hash.len() == HASH_LENGTH && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn carries_hash(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "js" || extension == "wasm" || extension == "css")
}

fn first_independent(folder: &Path, waiting: &[PathBuf]) -> Result<Option<usize>> {
    for (index, file) in waiting.iter().enumerate() {
        let text = text_of(&folder.join(file))?;
        let names_another =
            waiting.iter().any(|other| other != file && references(&text, &relative(file, other)).next().is_some());
        if !names_another {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// The content of `file` with every reference to a renamed file replaced.
fn rewrite(folder: &Path, file: &Path, renamed: &BTreeMap<PathBuf, PathBuf>) -> Result<Vec<u8>> {
    let path = folder.join(file);
    if is_binary(file) {
        return fs::read(&path).with_context(|| format!("{} cannot be read", path.display()));
    }
    let mut text = text_of(&path)?;
    for (old, new) in renamed {
        let (old, new) = (relative(file, old), relative(file, new));
        let positions: Vec<usize> = references(&text, &old).collect();
        for position in positions.into_iter().rev() {
            text.replace_range(position..position + old.len(), &new);
        }
    }
    Ok(text.into_bytes())
}

/// The text of a script, style or page; empty for wasm, which refers to no file.
fn text_of(path: &Path) -> Result<String> {
    if is_binary(path) {
        return Ok(String::new());
    }
    fs::read_to_string(path).with_context(|| format!("{} cannot be read as text", path.display()))
}

fn is_binary(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wasm")
}

fn hashed_name(file: &Path, content: &[u8]) -> PathBuf {
    let hash: String = Sha256::digest(content).iter().take(HASH_LENGTH / 2).map(|byte| format!("{byte:02x}")).collect();
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let extension = file.extension().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{stem}-{hash}.{extension}"))
}

/// How `from` writes the path of `to`, both relative to the page's folder.
fn relative(from: &Path, to: &Path) -> String {
    let from: Vec<_> = from.parent().into_iter().flat_map(Path::components).collect();
    let to: Vec<_> = to.components().collect();
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - shared);
    let down = to.iter().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// Where `text` refers to `path`: the whole of a quoted string, an attribute or a `url()`, with or without `./`.
fn references<'a>(text: &'a str, path: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(path).map(|(position, _)| position).filter(move |&position| {
        let before = text.get(..position).unwrap_or_default();
        let after = text.get(position + path.len()..).unwrap_or_default();
        // A key of wasm-bindgen's import object is the name under which the wasm asks for a module, not a path.
        let is_key = after.trim_start_matches(['"', '\'']).trim_start().starts_with(':');
        before.trim_end_matches("./").ends_with(['"', '\'', '`', '(', '='])
            && after.starts_with(['"', '\'', '`', ')', '?', '#', '>', ' '])
            && !is_key
    })
}

/// Adds the hashes of the inline scripts to the page's content security policy, if it has one.
fn allow_inline_scripts(page: &str) -> String {
    let policy = tags(page, "meta").find(|tag| {
        attribute(tag, "http-equiv").is_some_and(|value| value.eq_ignore_ascii_case("content-security-policy"))
    });
    let hashes: String = inline_scripts(page)
        .map(|script| base64::engine::general_purpose::STANDARD.encode(Sha256::digest(script)))
        .map(|hash| format!(" 'sha256-{hash}'"))
        .collect();
    match policy {
        Some(policy) => page.replace(policy, &policy.replacen("script-src", &format!("script-src{hashes}"), 1)),
        None => page.to_owned(),
    }
}

fn inline_scripts(page: &str) -> impl Iterator<Item = &str> {
    page.match_indices("<script").filter_map(|(start, _)| {
        let (tag, rest) = page.get(start..)?.split_once('>')?;
        let (script, _) = rest.split_once("</script>")?;
        (attribute(tag, "src").is_none() && !script.trim().is_empty()).then_some(script)
    })
}

/// The opening tags of this name, without their brackets.
fn tags<'a>(page: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    page.split('<')
        .filter_map(|part| part.split('>').next())
        .filter(move |tag| tag.strip_prefix(name).is_some_and(|rest| rest.starts_with(char::is_whitespace)))
}

/// The value of an attribute, quoted or not.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let assignment = format!("{name}=");
    let rest = tag.match_indices(&assignment).find_map(|(position, _)| {
        let (before, after) = tag.split_at(position);
        before.ends_with(char::is_whitespace).then(|| after.trim_start_matches(&assignment))
    })?;
    match rest.chars().next()? {
        quote @ ('"' | '\'') => rest.split(quote).nth(1),
        _ => rest.split_whitespace().next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = r#"<meta http-equiv="Content-Security-Policy" content="script-src 'self'">
<meta name="vitrine-worker" content="./worker_loader.js">
<link rel="stylesheet" href="./styles.css"><script type="module">import init from './page.js';init()</script>"#;

    /// A page as trunk leaves it, with `worker` for the worker's wasm.
    fn page(name: &str, worker: &[u8]) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("vitrine-fingerprint-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("snippets/web-1")).unwrap();
        let files: [(&str, &[u8]); 8] = [
            ("index.html", INDEX.as_bytes()),
            ("styles.css", b"body{}"),
            (
                "page.js",
                b"import * as a from './snippets/web-1/inline0.js';new URL('page_bg.wasm', import.meta.url);\
                {\"./snippets/web-1/inline0.js\": a}",
            ),
            ("page_bg.wasm", b"\0asm page"),
            ("snippets/web-1/inline0.js", b"export const a = 'homepage.js';"),
            ("worker_loader.js", b"import init from './worker.js';await init();"),
            ("worker.js", b"new URL(\"worker_bg.wasm\", import.meta.url)"),
            ("worker_bg.wasm", worker),
        ];
        for (file, content) in files {
            fs::write(folder.join(file), content).unwrap();
        }
        apply(&folder).unwrap();
        folder
    }

    #[test]
    fn every_reference_of_a_page_leads_to_a_hashed_file() {
        let folder = page("references", b"\0asm worker");
        let files = workspace::files_below(&folder).unwrap();
        assert_eq!(files.len(), 8, "{files:?}");
        for file in &files {
            assert_eq!(is_hashed(file), file != Path::new("index.html"), "{file:?}");
        }
        let read = |start: &str| {
            let file = files.iter().find(|file| file.to_string_lossy().starts_with(start)).unwrap();
            fs::read_to_string(folder.join(file)).unwrap()
        };
        let named = |text: &str, start: &str| {
            files.iter().any(|file| {
                let name = file.to_string_lossy();
                name.starts_with(start) && text.contains(&*name)
            })
        };
        assert!(named(&read("index.html"), "page-"), "{}", read("index.html"));
        assert!(named(&read("index.html"), "styles-"), "{}", read("index.html"));
        assert!(named(&read("page-"), "page_bg-"), "{}", read("page-"));
        assert!(named(&read("page-"), "snippets/web-1/inline0-"), "{}", read("page-"));
        let key = "{\"./snippets/web-1/inline0.js\": a}";
        assert!(read("page-").ends_with(key), "the wasm asks for its modules by their first names: {}", read("page-"));
        assert!(named(&read("worker_loader-"), "worker-"), "{}", read("worker_loader-"));
        assert!(named(&read("worker-"), "worker_bg-"), "{}", read("worker-"));
        assert!(read("snippets").contains("'homepage.js'"), "a longer name is left alone");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_changed_worker_changes_the_name_in_the_page_and_leaves_other_names() {
        let (before, after) = (page("before", b"\0asm 1"), page("after", b"\0asm 2"));
        let names = |folder: &Path| -> Vec<PathBuf> { workspace::files_below(folder).unwrap() };
        assert_ne!(worker_of(&before).unwrap().file_name(), worker_of(&after).unwrap().file_name());
        let kept = names(&before).iter().filter(|file| names(&after).contains(file)).count();
        assert_eq!(kept, 5, "all but the worker's three files: {:?}", names(&after));
        fs::remove_dir_all(before).unwrap();
        fs::remove_dir_all(after).unwrap();
    }

    #[test]
    fn the_policy_allows_the_page_s_inline_script_and_no_other() {
        // printf 'alert(1)' | openssl dgst -sha256 -binary | base64
        let expected = "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='";
        let policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'self'\">";
        let page = format!("{policy}<script src=\"a.js\"></script><script>alert(1)</script>");
        let allowed = allow_inline_scripts(&page);
        assert!(allowed.contains(&format!("script-src {expected} 'self'\"")), "{allowed}");
        assert_eq!(allowed.matches("sha256-").count(), 1, "{allowed}");
    }

    #[test]
    fn a_page_that_names_no_worker_is_refused() {
        let folder = std::env::temp_dir().join(format!("vitrine-fingerprint-{}-none", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("index.html"), "<meta name=\"vitrine-worker\" content=\"gone.js\">").unwrap();
        let error = worker_of(&folder).unwrap_err().to_string();
        assert!(error.contains("gone.js"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }
}
