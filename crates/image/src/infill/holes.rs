//! Which pixels are removed.

use crate::error::check_length;
use crate::{ImageError, Planes};

/// The removed pixels of a picture, checked against it.
pub(super) struct Holes<'a> {
    /// One per pixel, rows from the top: whether it is removed.
    pub(super) removed: &'a [bool],
}

impl<'a> Holes<'a> {
    /// Nothing where nothing is removed.
    pub(super) fn new(planes: &Planes, removed: &'a [bool]) -> Result<Option<Self>, ImageError> {
        let refuse = |reason: String| Err(ImageError::Infill { reason });
        let area = planes.height * planes.width;
        check_length("the mask of removed pixels", area, removed.len())?;
        check_length("the picture", planes.channels * area, planes.values.len())?;
        if !removed.contains(&true) {
            return Ok(None);
        }
        if !removed.contains(&false) {
            return refuse("every pixel is removed; keep at least one".to_owned());
        }
        let kept = planes.values.iter().zip(removed.iter().cycle()).filter(|(_, removed)| !**removed);
        match kept.map(|(value, _)| value).find(|value| !value.is_finite()) {
            Some(value) => refuse(format!("a pixel that is kept holds {value}, where a finite number is needed")),
            None => Ok(Some(Holes { removed })),
        }
    }
}
