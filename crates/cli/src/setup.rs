//! From arguments to a session with model and input loaded.

use std::path::{Path, PathBuf};

use vitrine_engine::{ModelReader, Session};
use vitrine_protocol::DeviceChoice;

use crate::{
    arguments::{Common, Subject},
    failure::Failure,
    files,
};

/// A model's name, file and card.
pub(crate) struct ModelFile {
    pub(crate) name: String,
    pub(crate) onnx: ModelReader,
    pub(crate) card: Option<String>,
}

/// Finds a model: a built-in id, or a file with its card.
pub(crate) fn model_file(model: Option<&str>, card: Option<&Path>) -> Result<ModelFile, Failure> {
    let models = vitrine_zoo::models();
    let named = match model {
        Some(id) => models.iter().find(|builtin| builtin.id == id),
        None => models.first(),
    };
    let given = card.map(read_text).transpose()?;
    if let Some(builtin) = named {
        let card = given.or_else(|| Some(builtin.card.to_owned()));
        return Ok(ModelFile { name: builtin.id.to_owned(), onnx: builtin.onnx().into(), card });
    }
    let path = PathBuf::from(model.unwrap_or_default());
    if !path.exists() {
        let known = models.iter().map(|builtin| builtin.id).collect::<Vec<_>>().join(", ");
        let path = path.display();
        return Err(Failure::Usage(format!("{path} is neither a file nor a built-in model; built in are: {known}.")));
    }
    let beside = path.with_extension("card.json");
    let card = match given {
        Some(card) => Some(card),
        None if beside.exists() => Some(read_text(&beside)?),
        None => None,
    };
    Ok(ModelFile { name: files::name(&path), onnx: files::model(&path)?, card })
}

fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(files::read(path)?).map_err(|_| Failure::Usage(format!("{} is not a text file.", path.display())))
}

/// A session with the model loaded.
pub(crate) async fn with_model(model: Option<&str>, common: &Common) -> Result<Session, Failure> {
    let file = model_file(model, common.card.as_deref())?;
    let mut session = Session::start(DeviceChoice::from(common.device)).await?;
    session.load_model(&file.name, file.onnx, file.card.as_deref()).await?;
    Ok(session)
}

/// A session with model and input loaded; the input of a model that has only one.
pub(crate) async fn with_input(subject: &Subject, common: &Common) -> Result<Session, Failure> {
    let mut session = with_model(subject.model.as_deref(), common).await?;
    match &subject.input[..] {
        [] => session.load_sample(0).await?,
        [input] => load_input(&mut session, input).await?,
        _ => {
            let advice = "`vitrine run` takes several of one model, `vitrine evaluate` several pictures";
            return Err(Failure::Usage(format!("This command takes one --input; {advice}.")));
        }
    }
    Ok(session)
}

/// Loads an image, a ready-made tensor, or a sample image by its label.
pub(crate) async fn load_input(session: &mut Session, input: &str) -> Result<(), Failure> {
    let (input_name, _) = session.model()?.input();
    let path = named_path(input, &input_name);
    if let Some(index) = sample(&path) {
        return Ok(session.load_sample(index).await?);
    }
    match files::array(&path, &input_name)? {
        Some(array) => session.load_tensor(&files::name(&path), array.shape, array.values).await?,
        None => session.load_image(&files::name(&path), &files::read(&path)?).await?,
    }
    Ok(())
}

/// Which sample image has this name; none where there is a file of that name.
pub(crate) fn sample(path: &Path) -> Option<usize> {
    let named = |sample: &vitrine_zoo::Sample| Path::new(sample.label) == path && !path.exists();
    vitrine_zoo::samples().iter().position(named)
}

/// The path of `NAME=PATH` for this name, or the text itself.
pub(crate) fn named_path(text: &str, name: &str) -> PathBuf {
    PathBuf::from(text.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')).unwrap_or(text))
}
