//! Reading and writing files, with the path in every failure.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use vitrine_engine::ModelReader;
use vitrine_image::{Array, read_npy, read_npz};

use crate::failure::Failure;

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|source| Failure::Read { path: path.to_owned(), source })
}

/// Reads a model's file.
pub(crate) fn model(path: &Path) -> Result<ModelReader, Failure> {
    let read = || -> io::Result<ModelReader> {
        let mut file = File::open(path)?;
        let mut reader = ModelReader::new(usize::try_from(file.metadata()?.len()).unwrap_or_default());
        io::copy(&mut file, &mut reader)?;
        Ok(reader)
    };
    read().map_err(|source| Failure::Read { path: path.to_owned(), source })
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|source| Failure::Write { path: path.to_owned(), source })
}

pub(crate) fn create_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|source| Failure::Write { path: path.to_owned(), source })
}

/// Name of a file without its folders.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The array in a .npy file, or in a .npz file the one of this name or the only one; nothing for other files.
pub(crate) fn array(path: &Path, wanted: &str) -> Result<Option<Array>, Failure> {
    let refused = |source| Failure::File { path: path.to_owned(), source };
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("npy") => read_npy(&read(path)?).map(Some).map_err(refused),
        Some("npz") => {
            let mut arrays = read_npz(&read(path)?).map_err(refused)?;
            let at = match arrays.iter().position(|(name, _)| name == wanted) {
                Some(at) => at,
                None if arrays.len() == 1 => 0,
                None => {
                    let names: Vec<&str> = arrays.iter().map(|(name, _)| name.as_str()).collect();
                    let (path, names) = (path.display(), names.join(", "));
                    return Err(Failure::Usage(format!("{path} has no array named {wanted:?}; it has: {names}.")));
                }
            };
            Ok(Some(arrays.swap_remove(at).1))
        }
        _ => Ok(None),
    }
}
