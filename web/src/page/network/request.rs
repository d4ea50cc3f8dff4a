//! One request, and why it failed. The browser says only that it did; a second request tells a server that refuses
//! other pages from one that is not there.

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, ReferrerPolicy, RequestCache, RequestInit, RequestMode, Response, Url};

use super::failure::Failure;

/// Milliseconds that a server has to show that it exists.
const PROBE_PATIENCE: u32 = 5_000;

/// An address, absolute, and its names for people.
pub(super) struct Target {
    pub(super) address: String,
    pub(super) host: String,
    /// The file's name.
    pub(super) name: String,
    scheme: String,
}

impl Target {
    /// Resolves an address against the page's own.
    pub(super) fn new(address: &str, name: String) -> Result<Self, Failure> {
        let refused = |_| Failure::NotAnAddress(address.to_owned());
        let base = web_sys::window().and_then(|window| window.location().href().ok()).unwrap_or_default();
        let url = Url::new_with_base(address, &base).map_err(refused)?;
        let host = Some(url.host()).filter(|host| !host.is_empty()).unwrap_or_else(|| "the address".to_owned());
        Ok(Target { address: url.href(), host, name, scheme: url.protocol() })
    }

    /// Whether the address means the same tomorrow and in another tab.
    pub(super) fn is_lasting(&self) -> bool {
        ["http:", "https:"].contains(&self.scheme.as_str())
    }
}

/// The answer to a request for a file.
pub(super) async fn get(target: &Target, signal: Option<&AbortSignal>) -> Result<Response, Failure> {
    match send(target, signal, None).await {
        Ok(response) if response.ok() => Ok(response),
        Ok(response) => {
            let (host, name) = (target.host.clone(), target.name.clone());
            Err(Failure::Status { host, name, status: response.status() })
        }
        // Nobody waits for a reason any more.
        Err(_) if signal.is_some_and(AbortSignal::aborted) => Err(Failure::Unreachable { host: target.host.clone() }),
        Err(_) => Err(reason(target).await),
    }
}

/// The answer to a request for a file that need not be there.
pub(super) async fn get_quietly(target: &Target, signal: &AbortSignal) -> Option<Response> {
    send(target, Some(signal), None).await.ok().filter(Response::ok)
}

/// Refuses what a server gives for every address that it does not know.
pub(super) fn refuse_page(target: &Target, response: &Response) -> Result<(), Failure> {
    let kind = response.headers().get("content-type").ok().flatten().unwrap_or_default();
    if !kind.starts_with("text/html") {
        return Ok(());
    }
    Err(Failure::WebPage { host: target.host.clone(), name: target.name.clone() })
}

/// The whole of a small body.
pub(super) async fn bytes(target: &Target, response: &Response) -> Result<Vec<u8>, Failure> {
    let broken = |_: JsValue| Failure::BrokenOff {
        host: target.host.clone(),
        name: target.name.clone(),
        received: 0,
        total: content_length(response),
    };
    let buffer = JsFuture::from(response.array_buffer().map_err(broken)?).await.map_err(broken)?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// How many bytes the server announces.
pub(super) fn content_length(response: &Response) -> Option<u64> {
    response.headers().get("content-length").ok().flatten()?.parse().ok()
}

async fn send(target: &Target, signal: Option<&AbortSignal>, probe: Option<RequestMode>) -> Result<Response, JsValue> {
    let window = web_sys::window().ok_or(JsValue::UNDEFINED)?;
    let options = RequestInit::new();
    // Whose page a visitor looks at is nobody's business, and some hosts refuse by it.
    options.set_referrer_policy(ReferrerPolicy::NoReferrer);
    // Without being told how long an answer is good, a browser guesses, and gives yesterday's file for a new one.
    options.set_cache(RequestCache::NoCache);
    options.set_signal(signal);
    if let Some(mode) = probe {
        options.set_mode(mode);
        options.set_method("HEAD");
    }
    Ok(JsFuture::from(window.fetch_with_str_and_init(&target.address, &options)).await?.unchecked_into())
}

/// Why a request ended without an answer.
async fn reason(target: &Target) -> Failure {
    let host = target.host.clone();
    let Some(window) = web_sys::window() else { return Failure::Unreachable { host } };
    if !window.navigator().on_line() {
        return Failure::Offline { host };
    }
    let over_https = window.location().protocol().is_ok_and(|protocol| protocol == "https:");
    if over_https && target.scheme == "http:" && !is_loopback(&host) {
        return Failure::Insecure { host };
    }
    // Without CORS the answer cannot be read, but that there was one can be seen.
    let patience = AbortSignal::timeout_with_u32(PROBE_PATIENCE);
    match send(target, Some(&patience), Some(RequestMode::NoCors)).await {
        Ok(_) => Failure::NotReadable { host },
        Err(_) => Failure::Unreachable { host },
    }
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.starts_with("127.") || name == "[::1]"
}
