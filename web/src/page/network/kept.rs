//! Models that the browser keeps for this page, in its Cache API: an entry for the file, whose headers tell what it is,
//! and one for the model card.

use js_sys::{Array, Reflect, encode_uri_component};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Cache, CacheStorage, DomException, Headers, Request, Response, ResponseInit};

use crate::model_file::{Content, KeptModel, ModelFile};
use crate::number::megabytes;
use crate::state::Shelf;

const CACHE: &str = "vitrine-models";
const NAME: &str = "x-vitrine-name";
const SIZE: &str = "x-vitrine-size";
const KEY: &str = "x-vitrine-key";
const VERSION: &str = "x-vitrine-version";

/// Everything that is kept.
pub(crate) async fn list() -> Shelf {
    match entries().await {
        Ok(models) => Shelf::Models(models.into()),
        Err(error) => Shelf::Absent(match describe(&error) {
            // Without https there is no such storage, and some browsers have none in private windows.
            None => "This browser keeps nothing for this page, because it was not opened over https.".to_owned(),
            Some(error) => format!("This browser keeps nothing for this page ({error})."),
        }),
    }
}

/// Keeps a model, or says why it is not kept.
pub(crate) async fn keep(file: &ModelFile) -> Result<(), String> {
    put(file).await.map_err(|error| {
        let full = error.dyn_ref::<DomException>().is_some_and(|error| error.name() == "QuotaExceededError");
        let size = megabytes(file.size);
        if full {
            return format!(
                "{} ({size}) is loaded but not kept: the browser has no more room for this page. Delete kept models \
                 to make room.",
                file.name
            );
        }
        let reason = describe(&error).map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("{} ({size}) is loaded but not kept: the browser refused to store it{reason}.", file.name)
    })
}

/// Keeps another card for a kept model, or says why not.
pub(crate) async fn keep_card(key: &str, card: &str) -> Result<(), String> {
    put_card(key, card).await.map_err(|error| {
        let reason = describe(&error).map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("The corrected card is in use but not kept: the browser refused to store it{reason}.")
    })
}

async fn put_card(key: &str, text: &str) -> Result<(), JsValue> {
    let response = Response::new_with_opt_str(Some(text))?;
    JsFuture::from(cache().await?.put_with_str(&card_entry(key), &response)).await.map(|_| ())
}

/// Deletes what is kept under a key.
pub(crate) async fn forget(key: &str) -> Result<(), String> {
    let refused = |error| format!("The browser did not delete it ({}).", describe(&error).unwrap_or_default());
    let cache = cache().await.map_err(refused)?;
    for entry in [model_entry(key), card_entry(key)] {
        JsFuture::from(cache.delete_with_str(&entry)).await.map_err(refused)?;
    }
    Ok(())
}

/// What is known of the model kept under a key.
pub(super) async fn find(key: &str) -> Option<KeptModel> {
    described(&matching(&cache().await.ok()?, &model_entry(key)).await.ok()??)
}

/// The model kept under a key; nothing when it is not there as it was kept.
pub(super) async fn read(key: &str) -> Option<ModelFile> {
    let cache = cache().await.ok()?;
    let response = matching(&cache, &model_entry(key)).await.ok()??;
    let kept = described(&response)?;
    let blob: Blob = JsFuture::from(response.blob().ok()?).await.ok()?.unchecked_into();
    if blob.size() as u64 != kept.size {
        return None;
    }
    let card = match matching(&cache, &card_entry(key)).await.ok()? {
        Some(response) => JsFuture::from(response.text().ok()?).await.ok()?.as_string(),
        None => None,
    };
    let KeptModel { key, name, size, version } = kept;
    Some(ModelFile { name, size, content: Content::new(blob), card, key, version, keep: false })
}

async fn entries() -> Result<Vec<KeptModel>, JsValue> {
    let cache = cache().await?;
    let requests: Array = JsFuture::from(cache.keys()).await?.unchecked_into();
    let mut models = Vec::new();
    for request in requests {
        let entry = request.unchecked_into::<Request>().url();
        models.extend(matching(&cache, &entry).await?.as_ref().and_then(described));
    }
    Ok(models)
}

async fn put(file: &ModelFile) -> Result<(), JsValue> {
    let cache = cache().await?;
    let card = card_entry(&file.key);
    // The card first: a model is listed as soon as it is there.
    match &file.card {
        Some(text) => put_card(&file.key, text).await?,
        None => {
            JsFuture::from(cache.delete_with_str(&card)).await?;
        }
    }
    let headers = Headers::new()?;
    headers.set(KEY, &encoded(&file.key))?;
    headers.set(NAME, &encoded(&file.name))?;
    headers.set(SIZE, &file.size.to_string())?;
    if let Some(version) = &file.version {
        headers.set(VERSION, &encoded(version))?;
    }
    let options = ResponseInit::new();
    options.set_headers(&headers);
    let response = Response::new_with_opt_blob_and_init(Some(file.content.blob()), &options)?;
    let stored = JsFuture::from(cache.put_with_str(&model_entry(&file.key), &response)).await;
    if stored.is_err() {
        JsFuture::from(cache.delete_with_str(&card)).await.ok();
    }
    stored.map(|_| ())
}

/// What an entry's headers say; nothing for a card.
fn described(response: &Response) -> Option<KeptModel> {
    let header = |name| response.headers().get(name).ok().flatten();
    let text = |name| decoded(&header(name)?);
    Some(KeptModel { key: text(KEY)?, name: text(NAME)?, size: header(SIZE)?.parse().ok()?, version: text(VERSION) })
}

async fn cache() -> Result<Cache, JsValue> {
    let window = web_sys::window().ok_or(JsValue::UNDEFINED)?;
    let storage = Reflect::get(&window, &"caches".into())?;
    if storage.is_undefined() {
        return Err(JsValue::UNDEFINED);
    }
    Ok(JsFuture::from(storage.unchecked_into::<CacheStorage>().open(CACHE)).await?.unchecked_into())
}

async fn matching(cache: &Cache, entry: &str) -> Result<Option<Response>, JsValue> {
    Ok(JsFuture::from(cache.match_with_str(entry)).await?.dyn_into().ok())
}

/// Entries have the form of addresses. Nobody ever fetches these.
fn model_entry(key: &str) -> String {
    format!("https://kept.invalid/model/{}", encoded(key))
}

fn card_entry(key: &str) -> String {
    format!("https://kept.invalid/card/{}", encoded(key))
}

/// Headers hold plain letters only.
fn encoded(text: &str) -> String {
    encode_uri_component(text).into()
}

fn decoded(text: &str) -> Option<String> {
    js_sys::decode_uri_component(text).ok().map(String::from)
}

fn describe(error: &JsValue) -> Option<String> {
    if let Some(error) = error.dyn_ref::<DomException>() {
        return Some(error.name());
    }
    error.dyn_ref::<js_sys::Error>().map(|error| error.message().into())
}
