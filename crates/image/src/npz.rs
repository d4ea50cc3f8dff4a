//! NPZ files: several named arrays in one ZIP archive.

use std::{
    collections::HashSet,
    io::{Read, Write},
};

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveWriter, path::EntryPath};

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
    let archive = ZipArchive::from_slice(bytes).map_err(damaged)?;
    let mut entries = archive.entries();
    let mut arrays = Vec::new();
    let mut budget = MAX_UNPACKED;
    while let Some(header) = entries.next_entry().map_err(damaged)? {
        let name = String::from_utf8_lossy(header.file_path().as_ref()).into_owned();
        let Some(name) = name.strip_suffix(".npy").map(str::to_owned) else { continue };
        let entry = archive.get_entry(header.wayfinder()).map_err(damaged)?;
        let packed: Box<dyn Read> = match header.compression_method() {
            CompressionMethod::STORE => Box::new(entry.data()),
            CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(entry.data())),
            other => return Err(damaged(format!("array {name:?} is packed by method {}", other.as_u16()))),
        };
        let mut unpacked = Vec::new();
        // Read until it ends, not as far as the archive claims: the claim may be false.
        entry.verifying_reader(packed).take(budget + 1).read_to_end(&mut unpacked).map_err(damaged)?;
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
    let mut archive = ZipArchiveWriter::new(Vec::new());
    let mut names = HashSet::new();
    for (name, array) in arrays {
        if !names.insert(name) {
            return Err(refused(format!("two arrays are named {name:?}")));
        }
        let npy = write_npy(&array.shape, &array.values)?;
        // Names of values are no paths: nothing in them is to be cleaned up.
        let path = EntryPath::verbatim(format!("{name}.npy").into_bytes());
        let (mut entry, config) = archive.new_file(path).start().map_err(unwritten)?;
        let mut writer = config.wrap(&mut entry);
        writer.write_all(&npy).map_err(unwritten)?;
        let (_, descriptor) = writer.finish().map_err(unwritten)?;
        entry.finish(descriptor).map_err(unwritten)?;
    }
    archive.finish().map_err(unwritten)
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
