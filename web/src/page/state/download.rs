//! A model on its way from an address, a repository or the browser's storage, and what that storage holds.

use std::rc::Rc;

use super::{Command, State, Worker};
use crate::model_file::{KeptModel, ModelFile, address_of};
use crate::place::{Place, Repository};

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Origin {
    Place(Place),
    Kept(KeptModel),
}

/// A model on its way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Download {
    /// Tells it from those that the visitor has turned away from.
    pub(crate) number: u32,
    pub(crate) origin: Origin,
    /// Bytes that have come.
    pub(crate) received: u64,
    /// Bytes in all, where that is known.
    pub(crate) total: Option<u64>,
    /// Whether a link asked for it, whose question is then kept.
    from_link: bool,
}

impl Download {
    /// The file's name.
    pub(crate) fn name(&self) -> String {
        match &self.origin {
            Origin::Place(place) => place.name(),
            Origin::Kept(model) => model.name.clone(),
        }
    }
}

/// What comes of a download.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Delivery {
    /// The models of a repository, at least one.
    Listed(Vec<RemoteFile>),
    /// So many bytes have come.
    Received { received: u64, total: Option<u64> },
    /// The model is there; `note` says what the visitor should know of it.
    Arrived { file: ModelFile, note: Option<String> },
    /// Why nothing more comes.
    Failed(String),
}

/// A file of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteFile {
    pub(crate) path: String,
    /// In bytes, where the hub says so.
    pub(crate) size: Option<u64>,
}

/// The models of a repository, of which the visitor has to choose one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Offer {
    pub(crate) repository: Repository,
    pub(crate) files: Rc<[RemoteFile]>,
    from_link: bool,
}

/// Models that the browser keeps.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Shelf {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// Why there is no place to keep any.
    Absent(String),
    Models(Rc<[KeptModel]>),
}

impl Shelf {
    pub(crate) fn models(&self) -> &[KeptModel] {
        match self {
            Shelf::Models(models) => models,
            Shelf::Unknown | Shelf::Absent(_) => &[],
        }
    }

    /// Bytes in all.
    pub(crate) fn size(&self) -> u64 {
        self.models().iter().map(|model| model.size).sum()
    }
}

impl State {
    /// The visitor typed where a model is: a built-in model's id, an address or a repository.
    pub(super) fn load_text(&mut self, text: &str) -> Vec<Command> {
        if self.models.iter().any(|(id, _)| id == text.trim()) {
            return self.choose_model(text.trim().to_owned());
        }
        match Place::parse(text) {
            Ok(place) => self.begin_download(Origin::Place(place), None, false),
            Err(message) => {
                self.fail(message);
                Vec::new()
            }
        }
    }

    /// The visitor chose one of a repository's models.
    pub(super) fn choose_offered(&mut self, path: &str) -> Vec<Command> {
        let Some(offer) = self.offer.take() else { return Vec::new() };
        let Some(file) = offer.files.iter().find(|file| file.path == path) else { return Vec::new() };
        let place = Place::RepositoryFile(offer.repository, file.path.clone());
        self.begin_download(Origin::Place(place), file.size, offer.from_link)
    }

    /// The visitor chose a model that the browser keeps.
    pub(super) fn choose_kept(&mut self, key: &str) -> Vec<Command> {
        let Some(model) = self.shelf.models().iter().find(|model| model.key == key) else { return Vec::new() };
        let origin = Origin::Kept(model.clone());
        self.begin_download(origin, None, false)
    }

    /// The visitor wants the model at hand to be kept, though it came from no address.
    pub(super) fn keep_model(&mut self) -> Vec<Command> {
        self.sources.model_file().map(Command::Keep).into_iter().collect()
    }

    /// Whether the model at hand is a file that could be kept and is not.
    pub(crate) fn can_keep(&self) -> bool {
        let key = self.sources.model_file().map(|file| file.key);
        matches!(self.shelf, Shelf::Models(_)) && key.is_some_and(|key| !self.is_kept(&key))
    }

    /// The key of the model at hand.
    pub(crate) fn model_key(&self) -> Option<String> {
        self.sources.model_file().map(|file| file.key)
    }

    pub(super) fn is_kept(&self, key: &str) -> bool {
        self.shelf.models().iter().any(|model| model.key == key)
    }

    pub(super) fn begin_download(&mut self, origin: Origin, size: Option<u64>, from_link: bool) -> Vec<Command> {
        if self.worker != Worker::Ready {
            return Vec::new();
        }
        let mut commands = self.begin_loading(|_| Vec::new());
        commands.extend(self.leave_download());
        self.last_download += 1;
        let number = self.last_download;
        self.download = Some(Download { number, origin: origin.clone(), received: 0, total: size, from_link });
        commands.push(Command::Download { number, origin, size });
        commands
    }

    /// Turns away from a download that goes on and from models that wait to be chosen.
    pub(super) fn leave_download(&mut self) -> Option<Command> {
        self.offer = None;
        self.model_note = None;
        self.download.take().map(|_| Command::StopDownload)
    }

    /// The visitor does not want to wait any longer.
    pub(super) fn stop_download(&mut self) -> Option<Command> {
        let name = self.download.as_ref().map(Download::name);
        let command = self.leave_download();
        if let Some(name) = name {
            self.run_when_ready = false;
            self.model_note = Some(format!("{name} was not loaded: stopped."));
        }
        command
    }

    pub(super) fn take_delivery(&mut self, number: u32, delivery: Delivery) -> Vec<Command> {
        let Some(download) = self.download.as_mut().filter(|download| download.number == number) else {
            // Of a download that the visitor has turned away from.
            return Vec::new();
        };
        match delivery {
            Delivery::Received { received, total } => {
                (download.received, download.total) = (received, total);
                Vec::new()
            }
            Delivery::Listed(files) => self.take_list(files),
            Delivery::Arrived { file, note } => self.take_model(file, note),
            Delivery::Failed(message) => {
                self.download = None;
                self.fail(message);
                Vec::new()
            }
        }
    }

    fn take_list(&mut self, files: Vec<RemoteFile>) -> Vec<Command> {
        let Some(Download { origin: Origin::Place(Place::Repository(repository)), from_link, .. }) =
            self.download.take()
        else {
            return Vec::new();
        };
        if let [file] = files.as_slice() {
            let origin = Origin::Place(Place::RepositoryFile(repository, file.path.clone()));
            return self.begin_download(origin, file.size, from_link);
        }
        self.run_when_ready = false;
        self.model_note = Some(format!("{} holds {} models. Choose one.", repository.id, files.len()));
        self.offer = Some(Offer { repository, files: files.into(), from_link });
        Vec::new()
    }

    fn take_model(&mut self, file: ModelFile, note: Option<String>) -> Vec<Command> {
        let Some(download) = self.download.take() else { return Vec::new() };
        if !download.from_link {
            self.question.forget_model();
        }
        let link = match &download.origin {
            Origin::Place(place) => Some(place.to_string()),
            Origin::Kept(model) => address_of(&model.key).map(str::to_owned),
        };
        self.model_note = note;
        if self.worker == Worker::Ready {
            self.begin_loading(|state| vec![state.sources.load_file(link, file)])
        } else {
            // A worker that is being started loads it as the model that was there before.
            self.sources.replace_model(link, file);
            Vec::new()
        }
    }

    /// The browser's storage has changed, or was looked at for the first time.
    pub(super) fn take_shelf(&mut self, shelf: Shelf, note: Option<String>) {
        self.shelf = shelf;
        if note.is_some() {
            self.model_note = note;
        }
    }

    /// What a screen reader is told of a download; it does not count.
    pub(super) fn download_sentence(&self) -> Option<String> {
        let download = self.download.as_ref()?;
        Some(match &download.origin {
            Origin::Place(Place::Repository(repository)) => format!("Looking into {} ...", repository.id),
            Origin::Place(place) => format!("Downloading {}. Escape stops it.", place.name()),
            Origin::Kept(model) => format!("Loading {} ...", model.name),
        })
    }
}
