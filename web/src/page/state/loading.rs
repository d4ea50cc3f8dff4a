//! Which model and image are loaded, and which are on their way.

use std::collections::VecDeque;

use vitrine_protocol::{File, ImageSource, ModelSource, Request};

use super::Command;
use crate::link::Link;
use crate::model_file::ModelFile;

/// A file that a visitor gave: bytes, but for models, which can be large.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Given {
    Model(ModelFile),
    Other(File),
}

/// A model as the worker is asked to load it.
#[derive(Clone, Debug, PartialEq)]
enum Model {
    Builtin {
        id: String,
        /// The visitor's correction of its card.
        card: Option<String>,
    },
    File(ModelFile),
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
    Model(Named<Model>),
    Image(Named<ImageSource>),
    /// The image at hand, once more, for a model that was changed.
    SameImage,
}

/// The model and the image at hand, and what is to replace them.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    model: Option<Named<Model>>,
    image: Option<Named<ImageSource>>,
    queue: VecDeque<Loading>,
    fetches: usize,
}

/// Files a visitor gave at once, by what they are.
#[derive(Debug, PartialEq)]
pub(super) enum Chosen {
    Model(ModelFile),
    Image(File),
}

/// Tells a model (with or without its card) from an image by the names alone; the worker looks at the bytes.
pub(super) fn sort(files: Vec<Given>) -> Result<Chosen, String> {
    let (mut models, mut cards, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for file in files {
        match file {
            Given::Model(model) => models.push(model),
            Given::Other(file) if file.name.to_ascii_lowercase().ends_with(".json") => cards.push(file),
            Given::Other(file) => others.push(file),
        }
    }
    match (models.pop(), cards.pop(), others.pop()) {
        (Some(model), card, _) if models.is_empty() && cards.is_empty() => {
            let card = card.map(|card| String::from_utf8_lossy(&card.bytes).into_owned());
            Ok(Chosen::Model(ModelFile { card, ..model }))
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
        let mut commands = Vec::new();
        if let Some(model) = model {
            let (model, card) = without_correction(model);
            if model != first_model {
                commands.push(self.load_model(model.clone()));
            }
            commands.extend(card.map(|card| self.use_card(model, card)));
        }
        if let Some(image) = image.filter(|image| *image != sample(0)) {
            commands.push(self.load_image(image));
        }
        commands
    }

    pub(super) fn load_sample(&mut self, index: usize) -> Command {
        self.load_image(sample(index))
    }

    pub(super) fn load_builtin(&mut self, id: String) -> Command {
        self.load_model(builtin(id))
    }

    pub(super) fn load_file(&mut self, link: Option<String>, file: ModelFile) -> Command {
        self.load_model(Named { link, source: Model::File(file) })
    }

    pub(super) fn load_image_file(&mut self, link: Option<String>, file: File) -> Command {
        self.load_image(Named { link, source: ImageSource::File(file) })
    }

    /// The model at hand with another card. A file is loaded again where the card asks for another plan of the graph.
    pub(super) fn set_card(&mut self, card: String, replan: bool) -> Option<Command> {
        let model = self.model.clone()?;
        match model.source {
            Model::File(file) if replan => Some(self.load_file(model.link, ModelFile { card: Some(card), ..file })),
            _ => Some(self.use_card(model, card)),
        }
    }

    fn use_card(&mut self, mut model: Named<Model>, text: String) -> Command {
        let (Model::Builtin { card, .. } | Model::File(ModelFile { card, .. })) = &mut model.source;
        *card = Some(text.clone());
        self.queue.extend([Loading::Model(model), Loading::SameImage]);
        Command::Send(Request::SetCard(text))
    }

    /// The model at hand, if it came from a file.
    pub(super) fn model_file(&self) -> Option<ModelFile> {
        match &self.model.as_ref()?.source {
            Model::File(file) => Some(file.clone()),
            Model::Builtin { .. } => None,
        }
    }

    /// Another model at hand, while there is no worker that could load it.
    pub(super) fn replace_model(&mut self, link: Option<String>, file: ModelFile) {
        self.model = Some(Named { link, source: Model::File(file) });
    }

    /// A fetch has ended, well or not.
    pub(super) fn fetch_ended(&mut self) {
        self.fetches = self.fetches.saturating_sub(1);
    }

    /// What came first in the queue is loaded; gives the file if the browser is to keep it.
    pub(super) fn model_loaded(&mut self) -> Option<ModelFile> {
        let Some(Loading::Model(model)) = self.queue.front() else { return None };
        let mut model = model.clone();
        self.queue.pop_front();
        let file = match &mut model.source {
            Model::File(file) if file.keep => {
                let wanted = file.clone();
                file.keep = false;
                Some(wanted)
            }
            Model::File(_) | Model::Builtin { .. } => None,
        };
        self.model = Some(model);
        file
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

    /// Loads the image that a link names and that is not at hand.
    pub(super) fn follow_image(&mut self, link: &Link, samples: usize) -> Result<Option<Command>, String> {
        let Some(image) = link.image.as_ref().filter(|image| Some(*image) != self.image_link().as_ref()) else {
            return Ok(None);
        };
        match image.strip_prefix("sample-").and_then(|index| index.parse().ok()) {
            Some(index) if index < samples => Ok(Some(self.load_sample(index))),
            // Names of samples have neither dots nor slashes.
            None if image.contains(['.', '/']) => {
                self.fetches += 1;
                Ok(Some(Command::FetchImage(image.clone())))
            }
            _ => Err(format!(
                "The link asks for the image {image:?}; there are sample-0 to sample-{}, or give the address of an \
                 image file.",
                samples.saturating_sub(1)
            )),
        }
    }

    fn load_model(&mut self, model: Named<Model>) -> Command {
        let command = match &model.source {
            Model::Builtin { id, .. } => Command::Send(Request::LoadModel(ModelSource::Builtin(id.clone()))),
            Model::File(file) => Command::SendModel(file.clone()),
        };
        self.queue.extend([Loading::Model(model), Loading::SameImage]);
        command
    }

    fn load_image(&mut self, image: Named<ImageSource>) -> Command {
        let request = Request::LoadImage(image.source.clone());
        self.queue.push_back(Loading::Image(image));
        Command::Send(request)
    }
}

fn builtin(id: String) -> Named<Model> {
    Named { link: Some(id.clone()), source: Model::Builtin { id, card: None } }
}

/// A built-in model brings its own card, so a correction of it is apart.
fn without_correction(mut model: Named<Model>) -> (Named<Model>, Option<String>) {
    let correction = match &mut model.source {
        Model::Builtin { card, .. } => card.take(),
        Model::File(_) => None,
    };
    (model, correction)
}

fn sample(index: usize) -> Named<ImageSource> {
    Named { link: Some(format!("sample-{index}")), source: ImageSource::Sample(index) }
}
