//! `vitrine explain`.

use std::{collections::BTreeMap, path::Path};

use vitrine_engine::{ExplainOptions, Explanation, Session};
use vitrine_explain::{Cost, Visualisation, infill_paths};
use vitrine_image::{Palette, Scale, encode_png, overlay, render, write_npy};
use vitrine_protocol::{ExplainRequest, Picture, Report};

use crate::{arguments::Explain, failure::Failure, files, output::say, progress::Bar, setup};

/// How strongly `overlay.png` shows the map.
const OPACITY: f32 = 0.6;

/// Values above this percentile take the strongest colour, in the pictures alone.
const PERCENTILE: f32 = 99.5;

pub(crate) async fn explain(arguments: &Explain) -> Result<(), Failure> {
    let parameters = parameters(&arguments.parameters)?;
    let method = vitrine_evaluate::find_method(&arguments.method)?;
    // Before the work, so that a folder that cannot be written costs nothing.
    files::create_folder(&arguments.out)?;
    let session = setup::with_input(&arguments.subject, &arguments.common).await?;
    let mut infill_files = BTreeMap::new();
    for path in infill_paths(method, &parameters) {
        let tensor = infill(&session, Path::new(&path))?;
        infill_files.insert(path, tensor);
    }
    let batch = arguments.common.batch.and_then(|batch| usize::try_from(batch).ok());
    let request = ExplainRequest {
        run: 0,
        method: arguments.method.clone(),
        target: arguments.target.clone(),
        layer: Some(arguments.layer.join(",")).filter(|layers| !layers.is_empty()),
        parameters,
        seed: arguments.seed,
        infill_files: Vec::new(),
    };
    let options = ExplainOptions { batch, infill_files };
    let name = method.info().name;
    let Cost { forward_passes, backward_passes } = session.cost(&request, &options)?;
    let bar = Bar::new(&name, arguments.common.quiet);
    bar.tell(&format!("{name}: {forward_passes} forward and {backward_passes} backward passes"));
    let explanation = session.explain(&request, &options, &bar).await;
    bar.finish();
    let explanation = explanation?;
    write(&arguments.out, &session, &explanation)?;
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&explanation.report)?);
    } else {
        print(&explanation.report, &arguments.out);
    }
    Ok(())
}

pub(crate) fn parameters(given: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |text: &String| match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err(Failure::Usage(format!("--param takes KEY=VALUE, not {text:?}."))),
    };
    given.iter().map(pair).collect()
}

/// The tensor of an infill that is a file.
pub(crate) fn infill(session: &Session, path: &Path) -> Result<Vec<f32>, Failure> {
    let (input_name, _) = session.model()?.input();
    if let Some(array) = files::array(path, &input_name)? {
        return Ok(array.values);
    }
    Ok(session.infill(&files::name(path), &files::read(path)?)?)
}

fn write(folder: &Path, session: &Session, explanation: &Explanation) -> Result<(), Failure> {
    let (attribution, map) = (&explanation.attribution, &explanation.attribution.map);
    files::write(&folder.join("attribution.npy"), &write_npy(&attribution.shape, &attribution.values)?)?;
    files::write(&folder.join("heatmap.npy"), &write_npy(&[map.height, map.width], &map.values)?)?;
    let signed = map.values.iter().any(|&value| value < 0.0);
    let palette = Palette::default_for(signed);
    let heat = render(&map.values, palette, Scale::fit(&map.values, palette, PERCENTILE));
    if let Some(picture) =
        session.picture()?.filter(|picture| (picture.height, picture.width) == (map.height, map.width))
    {
        let rgba = overlay(&picture.rgba, &heat, OPACITY);
        files::write(&folder.join("overlay.png"), &encode_png(&Picture { rgba, ..*picture })?)?;
    }
    if let Some(Visualisation { values, picture }) = &attribution.visualisation {
        let (_, shape) = session.model()?.input();
        let shape = shape.get(1..).unwrap_or_default();
        files::write(&folder.join("visualisation.npy"), &write_npy(shape, values)?)?;
        files::write(&folder.join("visualisation.png"), &encode_png(picture)?)?;
    }
    let picture = Picture { width: map.width, height: map.height, rgba: heat };
    files::write(&folder.join("heatmap.png"), &encode_png(&picture)?)?;
    let report = serde_json::to_string_pretty(&explanation.report)?;
    files::write(&folder.join("report.json"), report.as_bytes())
}

fn print(report: &Report, folder: &Path) {
    say!("{} of {} on {}", report.method, report.target, report.input);
    say!("  device      {}", report.device);
    say!("  prediction  {}", report.prediction);
    if let Some(baseline) = report.baseline_prediction {
        say!("  baseline    {baseline}");
    }
    if let Some(gap) = report.completeness_gap {
        say!("  gap         {gap:?} (sum of the attributions minus the change they should explain)");
    }
    say!("  passes      {} forward, {} backward", report.forward_passes, report.backward_passes);
    say!("  seconds     {:.2}", report.seconds.explain);
    for note in &report.notes {
        say!("  note        {note}");
    }
    say!("  written to  {}", folder.display());
}
