//! An image that a link names by its address.

use vitrine_protocol::File;

use super::failure::Failure;
use super::request::{self, Target};
use crate::model_file::MAX_BYTES;

/// Fetches an image.
pub(crate) async fn fetch_image(address: &str) -> Result<File, Failure> {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    let name = path.rsplit('/').next().unwrap_or(path).to_owned();
    let target = Target::new(address, name)?;
    let response = request::get(&target, None).await?;
    request::refuse_page(&target, &response)?;
    if let Some(size) = request::content_length(&response).filter(|size| *size > MAX_BYTES) {
        return Err(Failure::TooLarge { name: target.name, size });
    }
    let bytes = request::bytes(&target, &response).await?;
    Ok(File { name: target.name, bytes })
}
