//! Maps to score: made by a method, or read from a file.

use std::{collections::BTreeMap, path::Path};

use vitrine_engine::{ExplainOptions, Session};
use vitrine_explain::infill_paths;
use vitrine_image::decode;
use vitrine_protocol::{ExplainRequest, Map, Report};

use crate::{commands::infill, failure::Failure, files, progress::Bar};

/// A map to score.
pub(crate) struct MapToScore {
    pub(crate) map: Map,
    pub(crate) attribution: Option<Vec<f32>>,
    pub(crate) report: Option<Report>,
}

/// Makes a method's map.
pub(crate) async fn explained(
    session: &Session,
    request: &ExplainRequest,
    batch: Option<usize>,
    bar: &Bar,
) -> Result<MapToScore, Failure> {
    let options = ExplainOptions { batch, infill_files: method_files(session, request)? };
    let explanation = session.explain(request, &options, bar).await?;
    let (_, shape) = session.model()?.input();
    let (attribution, report) = (explanation.attribution, explanation.report);
    let map = Map::new(attribution.map.height, attribution.map.width, &attribution.map.values);
    let is_of_input = shape.get(1..) == Some(&attribution.shape[..]);
    Ok(MapToScore { map, attribution: is_of_input.then_some(attribution.values), report: Some(report) })
}

/// The infills that a method's parameters name.
pub(crate) fn method_files(session: &Session, request: &ExplainRequest) -> Result<BTreeMap<String, Vec<f32>>, Failure> {
    let mut files = BTreeMap::new();
    if !request.method.is_empty() {
        for path in infill_paths(vitrine_evaluate::find_method(&request.method)?, &request.parameters) {
            let tensor = infill(session, Path::new(&path))?;
            files.insert(path, tensor);
        }
    }
    Ok(files)
}

/// A map from a file: an array of height and width, or a picture, whose brightness counts from 0 to 1.
pub(crate) fn map_file(path: &Path) -> Result<Map, Failure> {
    if let Some(array) = files::array(path, "map")? {
        let [ones @ .., height, width] = &array.shape[..] else {
            return Err(no_map(path, &array.shape));
        };
        if ones.iter().any(|length| *length != 1) {
            return Err(no_map(path, &array.shape));
        }
        return Ok(Map::new(*height, *width, &array.values));
    }
    let refused = |source| Failure::File { path: path.to_owned(), source };
    let pixels = decode(&files::read(path)?).map_err(refused)?;
    let brightness =
        |[red, green, blue]: &[u8; 3]| (f32::from(*red) + f32::from(*green) + f32::from(*blue)) / (3.0 * 255.0);
    let values: Vec<f32> = pixels.rgb.as_chunks().0.iter().map(brightness).collect();
    Ok(Map::new(pixels.height, pixels.width, &values))
}

fn no_map(path: &Path, shape: &[usize]) -> Failure {
    Failure::Usage(format!("{} has shape {shape:?}, and a map has a height and a width.", path.display()))
}
