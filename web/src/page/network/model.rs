//! A model from its place, or from what the browser keeps of it.

use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortController, AbortSignal, Response};
use yew::Callback;

use super::failure::Failure;
use super::request::{self, Target};
use super::{hub, kept, transfer};
use crate::model_file::{Content, KeptModel, ModelFile};
use crate::place::{Place, card_beside};
use crate::state::{Action, Delivery, Origin};

/// A download that goes on; dropping it ends it.
pub(crate) struct Downloading(AbortController);

impl Downloading {
    /// Begins download `number`; what comes of it goes to `on`. `size` is the file's, where it is known beforehand.
    pub(crate) fn start(number: u32, origin: Origin, size: Option<u64>, on: Callback<Action>) -> Option<Self> {
        let controller = AbortController::new().ok()?;
        let signal = controller.signal();
        spawn_local(async move {
            let report = {
                let on = on.clone();
                move |received, total| on.emit(Action::Delivered(number, Delivery::Received { received, total }))
            };
            let delivery = deliver(&origin, size, &signal, report).await;
            on.emit(Action::Delivered(number, delivery));
        });
        Some(Downloading(controller))
    }
}

impl Drop for Downloading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn deliver(
    origin: &Origin,
    size: Option<u64>,
    signal: &AbortSignal,
    report: impl Fn(u64, Option<u64>),
) -> Delivery {
    let fetched = match origin {
        Origin::Kept(model) => return from_shelf(model).await,
        Origin::Place(Place::Repository(repository)) => hub::list(repository, signal).await.map(Delivery::Listed),
        Origin::Place(place) => fetch(place, size, signal, report).await,
    };
    fetched.unwrap_or_else(|failure| Delivery::Failed(failure.to_string()))
}

async fn from_shelf(model: &KeptModel) -> Delivery {
    match kept::read(&model.key).await {
        Some(file) => Delivery::Arrived { file, note: None },
        None => Delivery::Failed(format!(
            "The copy of {} that this browser kept is damaged or gone. Delete it and load the model from where it came.",
            model.name
        )),
    }
}

/// A file from the network. A copy that is kept spares the transfer if it is the same, and stands in if there is none.
async fn fetch(
    place: &Place,
    size: Option<u64>,
    signal: &AbortSignal,
    report: impl Fn(u64, Option<u64>),
) -> Result<Delivery, Failure> {
    let address = place.address(&hub::address()).unwrap_or_default();
    let target = Target::new(&address, place.name())?;
    let copy = kept::find(&target.address).await;
    if let Some(copy) = copy.as_ref().filter(|_| place.is_immutable())
        && let Some(file) = kept::read(&copy.key).await
    {
        return Ok(Delivery::Arrived { file, note: None });
    }
    let failure = match arrive(&target, copy.as_ref(), size, signal, report).await {
        Ok(file) => return Ok(Delivery::Arrived { file, note: None }),
        Err(failure) => failure,
    };
    let file = match copy {
        Some(copy) => kept::read(&copy.key).await,
        None => None,
    };
    let note = Some(format!("{failure} The copy kept in this browser was loaded instead."));
    file.map(|file| Delivery::Arrived { file, note }).ok_or(failure)
}

async fn arrive(
    target: &Target,
    copy: Option<&KeptModel>,
    size: Option<u64>,
    signal: &AbortSignal,
    report: impl Fn(u64, Option<u64>),
) -> Result<ModelFile, Failure> {
    let response = request::get(target, Some(signal)).await?;
    request::refuse_page(target, &response)?;
    let version = version(&response);
    if let Some(copy) = copy.filter(|copy| version.is_some() && copy.version == version)
        && let Some(file) = kept::read(&copy.key).await
    {
        // The rest of the answer is not wanted.
        if let Some(body) = response.body() {
            drop(body.cancel());
        }
        return Ok(file);
    }
    let blob = transfer::receive(target, &response, size, report).await?;
    Ok(ModelFile {
        name: target.name.clone(),
        size: blob.size() as u64,
        content: Content::new(blob),
        card: card(target, signal).await,
        key: target.address.clone(),
        version,
        keep: target.is_lasting(),
    })
}

/// The model card beside a model; most have none.
async fn card(target: &Target, signal: &AbortSignal) -> Option<String> {
    let beside = Target::new(&card_beside(&target.address)?, target.name.clone()).ok()?;
    let response = request::get_quietly(&beside, signal).await?;
    let text = String::from_utf8(request::bytes(&beside, &response).await.ok()?).ok()?;
    // Some servers answer every request with a page.
    Some(text).filter(|text| text.trim_start().starts_with('{'))
}

/// What the server says about the version of a file, if that is enough to tell it from another one.
fn version(response: &Response) -> Option<String> {
    let header = |name| response.headers().get(name).ok().flatten();
    let mark = header("etag").or_else(|| header("last-modified"))?;
    Some(format!("{mark} {}", header("content-length").unwrap_or_default()))
}
