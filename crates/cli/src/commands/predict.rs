//! `vitrine predict`.

use crate::{arguments::Predict, failure::Failure, setup};

pub(crate) async fn predict(arguments: &Predict) -> Result<(), Failure> {
    let session = setup::with_input(&arguments.subject, &arguments.common).await?;
    let mut predictions = session.predictions()?;
    predictions.truncate(arguments.top);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&predictions)?);
        return Ok(());
    }
    for prediction in predictions {
        println!("{:6.2} %  {:>4}  {}", prediction.score * 100.0, prediction.class, prediction.label);
    }
    Ok(())
}
