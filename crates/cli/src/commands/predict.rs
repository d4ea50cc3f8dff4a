//! `vitrine predict`.

use vitrine_protocol::DetectedBox;

use crate::{arguments::Predict, failure::Failure, output::say, setup};

pub(crate) async fn predict(arguments: &Predict) -> Result<(), Failure> {
    let session = setup::with_input(&arguments.subject, &arguments.common).await?;
    let mut predictions = session.predictions()?;
    predictions.truncate(arguments.top);
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&predictions)?);
        return Ok(());
    }
    for prediction in predictions {
        let score = match session.gives_probabilities()? {
            true => format!("{:6.2} %", prediction.score * 100.0),
            false => format!("{:8.4}", prediction.score),
        };
        let place = prediction.place.map(|place| {
            let DetectedBox { candidate, left, top, right, bottom } = place;
            format!("  box:{candidate} from ({left:.0}, {top:.0}) to ({right:.0}, {bottom:.0})")
        });
        say!("{score}  {:>4}  {}{}", prediction.class, prediction.label, place.unwrap_or_default());
    }
    Ok(())
}
