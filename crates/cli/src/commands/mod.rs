//! The commands, one file each.

mod evaluate;
mod explain;
mod inspect;
mod methods;
mod metrics;
mod models;
mod predict;
mod protocols;
mod run;

pub(crate) use explain::{infill, parameters};

use crate::{
    arguments::{Arguments, Command},
    failure::Failure,
};

pub(crate) async fn dispatch(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Models(arguments) => models::models(&arguments),
        Command::Methods(arguments) => methods::methods(&arguments),
        Command::Metrics(arguments) => metrics::metrics(&arguments),
        Command::Protocols(arguments) => protocols::protocols(&arguments),
        Command::Inspect(arguments) => inspect::inspect(&arguments).await,
        Command::Run(arguments) => run::run(&arguments).await,
        Command::Predict(arguments) => predict::predict(&arguments).await,
        Command::Explain(arguments) => explain::explain(&arguments).await,
        Command::Evaluate(arguments) => evaluate::evaluate(&arguments).await,
    }
}
