//! Which model and image are loaded, and which are on their way.

use std::collections::VecDeque;

use vitrine_protocol::{File, ImageSource, ModelSource, Request};

use super::Command;
use crate::link::Link;

/// What a link names by its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fetch {
    /// An ONNX file, and the model card beside it if there is one.
    Model(String),
    /// An image file.
    Image(String),
}

/// A model or an image, and how a link names it; files of the visitor's own have no name in links.
#[derive(Clone, Debug, PartialEq)]
struct Named<T> {
    link: Option<String>,
    source: T,
}

/// Something the worker was asked to load, in the order of its answers.
#[derive(Clone, Debug, PartialEq)]
enum Loading {
    Model(Named<ModelSource>),
    Image(Named<ImageSource>),
    /// The image at hand, once more, for a model that was changed.
    SameImage,
}

/// The model and the image at hand, and what is to replace them.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    model: Option<Named<ModelSource>>,
    image: Option<Named<ImageSource>>,
    queue: VecDeque<Loading>,
    fetches: usize,
}

/// Files a visitor gave at once, by what they are.
#[derive(Debug, PartialEq)]
pub(super) enum Chosen {
    Model(ModelSource),
    Image(File),
}

/// Tells a model (with or without its card) from an image by the names alone; the worker looks at the bytes.
pub(super) fn sort(files: Vec<File>) -> Result<Chosen, String> {
    let (mut models, mut cards, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for file in files {
        let name = file.name.to_ascii_lowercase();
        if name.ends_with(".onnx") {
            models.push(file);
        } else if name.ends_with(".json") {
            cards.push(file);
        } else {
            others.push(file);
        }
    }
    match (models.pop(), cards.pop(), others.pop()) {
        (Some(onnx), card, _) if models.is_empty() && cards.is_empty() => {
            let card = card.map(|card| String::from_utf8_lossy(&card.bytes).into_owned());
            Ok(Chosen::Model(ModelSource::File { onnx, card }))
        }
        (Some(_), ..) => Err("Give one model at a time: one .onnx file, with its .card.json if it has one.".to_owned()),
        (None, Some(card), _) => {
            Err(format!("{} is a model card. Give it together with the .onnx file it belongs to.", card.name))
        }
        (None, None, Some(image)) if others.is_empty() => Ok(Chosen::Image(image)),
        (None, None, Some(_)) => Err("Give one image at a time.".to_owned()),
        (None, None, None) => Err("There was no file in what you gave.".to_owned()),
    }
}

impl Sources {
    /// Nothing is on its way.
    pub(super) fn is_settled(&self) -> bool {
        self.queue.is_empty() && self.fetches == 0
    }

    /// How a link names the model: as it will be, once everything asked for is loaded.
    pub(super) fn model_link(&self) -> Option<String> {
        let coming = self.queue.iter().rev().find_map(|entry| match entry {
            Loading::Model(model) => Some(model),
            _ => None,
        });
        coming.or(self.model.as_ref())?.link.clone()
    }

    /// How a link names the image.
    pub(super) fn image_link(&self) -> Option<String> {
        self.coming_image()?.link.clone()
    }

    /// Index of the sample that is the image.
    pub(super) fn sample(&self) -> Option<usize> {
        match self.coming_image()?.source {
            ImageSource::Sample(index) => Some(index),
            ImageSource::File(_) => None,
        }
    }

    /// Name of the file that is the image.
    pub(super) fn own_image(&self) -> Option<String> {
        match &self.coming_image()?.source {
            ImageSource::Sample(_) => None,
            ImageSource::File(file) => Some(file.name.clone()),
        }
    }

    fn coming_image(&self) -> Option<&Named<ImageSource>> {
        let coming = self.queue.iter().rev().find_map(|entry| match entry {
            Loading::Image(image) => Some(image),
            _ => None,
        });
        coming.or(self.image.as_ref())
    }

    /// A worker has just started: it loads its defaults by itself, and then what was loaded before it.
    pub(super) fn restore(&mut self, default_model: Option<&(String, String)>) -> Vec<Command> {
        let model = self.model.take();
        let image = self.image.replace(sample(0));
        let first_model = builtin(default_model.map(|(id, _)| id.clone()).unwrap_or_default());
        self.queue = VecDeque::from([Loading::Model(first_model.clone()), Loading::SameImage]);
        let mut requests = Vec::new();
        if let Some(model) = model.filter(|model| *model != first_model) {
            requests.push(self.load_model(model));
        }
        if let Some(image) = image.filter(|image| *image != sample(0)) {
            requests.push(self.load_image(image));
        }
        requests.into_iter().map(Command::Send).collect()
    }

    pub(super) fn load_sample(&mut self, index: usize) -> Request {
        self.load_image(sample(index))
    }

    pub(super) fn load_builtin(&mut self, id: String) -> Request {
        self.load_model(builtin(id))
    }

    pub(super) fn load_files(&mut self, chosen: Chosen) -> Request {
        match chosen {
            Chosen::Model(source) => self.load_model(Named { link: None, source }),
            Chosen::Image(file) => self.load_image(Named { link: None, source: ImageSource::File(file) }),
        }
    }

    /// What a link named has arrived: the file, and for a model perhaps its card.
    pub(super) fn load_fetched(&mut self, fetch: Fetch, files: Vec<File>) -> Vec<Request> {
        let mut files = files.into_iter();
        let Some(file) = files.next() else { return Vec::new() };
        vec![match fetch {
            Fetch::Model(address) => {
                let card = files.next().map(|card| String::from_utf8_lossy(&card.bytes).into_owned());
                self.load_model(Named { link: Some(address), source: ModelSource::File { onnx: file, card } })
            }
            Fetch::Image(address) => self.load_image(Named { link: Some(address), source: ImageSource::File(file) }),
        }]
    }

    /// A fetch has ended, well or not.
    pub(super) fn fetch_ended(&mut self) {
        self.fetches = self.fetches.saturating_sub(1);
    }

    pub(super) fn model_loaded(&mut self) {
        if let Some(Loading::Model(model)) = self.queue.front() {
            self.model = Some(model.clone());
            self.queue.pop_front();
        }
    }

    pub(super) fn image_loaded(&mut self) {
        match self.queue.front() {
            Some(Loading::Image(image)) => self.image = Some(image.clone()),
            Some(Loading::SameImage) => {}
            Some(Loading::Model(_)) | None => return,
        }
        self.queue.pop_front();
    }

    /// What came first in the queue did not load.
    pub(super) fn load_failed(&mut self) {
        let failed = self.queue.pop_front();
        if matches!(failed, Some(Loading::Model(_))) && self.queue.front() == Some(&Loading::SameImage) {
            self.queue.pop_front();
        }
    }

    /// Nobody will answer any more.
    pub(super) fn forget_coming(&mut self) {
        self.queue.clear();
    }

    /// Loads what a link names and is not at hand.
    pub(super) fn follow(
        &mut self,
        link: &Link,
        models: &[(String, String)],
        samples: usize,
    ) -> Result<Vec<Command>, String> {
        let mut commands = Vec::new();
        if let Some(model) = link.model.as_ref().filter(|model| Some(*model) != self.model_link().as_ref()) {
            if models.iter().any(|(id, _)| id == model) {
                commands.push(Command::Send(self.load_builtin(model.clone())));
            } else if is_address(model) {
                self.fetches += 1;
                commands.push(Command::Fetch(Fetch::Model(model.clone())));
            } else {
                let known: Vec<&str> = models.iter().map(|(id, _)| id.as_str()).collect();
                return Err(format!(
                    "The link asks for the model {model:?}; there are {}, or give the address of an .onnx file.",
                    known.join(", ")
                ));
            }
        }
        if let Some(image) = link.image.as_ref().filter(|image| Some(*image) != self.image_link().as_ref()) {
            let index = image.strip_prefix("sample-").and_then(|index| index.parse().ok());
            match index {
                Some(index) if index < samples => commands.push(Command::Send(self.load_sample(index))),
                None if is_address(image) => {
                    self.fetches += 1;
                    commands.push(Command::Fetch(Fetch::Image(image.clone())));
                }
                _ => {
                    return Err(format!(
                        "The link asks for the image {image:?}; there are sample-0 to sample-{}, or give the address \
                         of an image file.",
                        samples.saturating_sub(1)
                    ));
                }
            }
        }
        Ok(commands)
    }

    fn load_model(&mut self, model: Named<ModelSource>) -> Request {
        let request = Request::LoadModel(model.source.clone());
        self.queue.extend([Loading::Model(model), Loading::SameImage]);
        request
    }

    fn load_image(&mut self, image: Named<ImageSource>) -> Request {
        let request = Request::LoadImage(image.source.clone());
        self.queue.push_back(Loading::Image(image));
        request
    }
}

fn builtin(id: String) -> Named<ModelSource> {
    Named { link: Some(id.clone()), source: ModelSource::Builtin(id) }
}

fn sample(index: usize) -> Named<ImageSource> {
    Named { link: Some(format!("sample-{index}")), source: ImageSource::Sample(index) }
}

/// Whether a text can be the address of a file; ids have neither dots nor slashes.
fn is_address(text: &str) -> bool {
    text.contains(['.', '/'])
}
