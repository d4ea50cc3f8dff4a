//! NPZ files: several named arrays in one ZIP archive.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::{Array, ImageError, read_npy, write_npy};

/// Most bytes that an archive may unpack to.
const MAX_UNPACKED: u64 = 1 << 30;

/// Reads every array of an NPZ file, stored or deflated, in the order of the archive; entries that are not `.npy` files
/// are left out, as NumPy does.
///
/// # Errors
/// [`ImageError::Array`] for a file that is not a ZIP archive, is damaged, or unpacks to more than a gigabyte, and for
/// an array that [`read_npy`] refuses, with its name.
pub fn read_npz(bytes: &[u8]) -> Result<Vec<(String, Array)>, ImageError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut arrays = Vec::new();
    let mut budget = MAX_UNPACKED;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(damaged)?;
        let Some(name) = entry.name().map_err(damaged)?.strip_suffix(".npy").map(str::to_owned) else { continue };
        let mut unpacked = Vec::new();
        // Read until it ends, not as far as the archive claims: the claim may be false.
        entry.take(budget + 1).read_to_end(&mut unpacked).map_err(damaged)?;
        budget = budget
            .checked_sub(unpacked.len() as u64)
            .ok_or_else(|| refused("it unpacks to more than a gigabyte".to_owned()))?;
        let array = read_npy(&unpacked).map_err(|error| match error {
            ImageError::Array { reason, .. } => refused(format!("array {name:?}: {reason}")),
            other => other,
        })?;
        arrays.push((name, array));
    }
    Ok(arrays)
}

/// An NPZ file of these arrays, uncompressed, under their names; any characters but NUL may stand in a name.
///
/// # Errors
/// [`ImageError::Array`] when two arrays have one name, [`ImageError::Length`] for an array whose values do not fit its
/// shape.
pub fn write_npz<'a>(arrays: impl IntoIterator<Item = (&'a str, &'a Array)>) -> Result<Vec<u8>, ImageError> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, array) in arrays {
        let npy = write_npy(&array.shape, &array.values)?;
        archive.start_file(format!("{name}.npy"), options).map_err(unwritten)?;
        archive.write_all(&npy).map_err(unwritten)?;
    }
    Ok(archive.finish().map_err(unwritten)?.into_inner())
}

fn refused(reason: String) -> ImageError {
    ImageError::Array { format: "NPZ", reason }
}

fn damaged(error: impl std::fmt::Display) -> ImageError {
    refused(format!("it is damaged or no NPZ file ({error})"))
}

fn unwritten(error: impl std::fmt::Display) -> ImageError {
    refused(format!("it cannot be written ({error})"))
}
