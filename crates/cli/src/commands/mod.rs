//! The commands, one file each.

mod explain;
mod inspect;
mod methods;
mod models;
mod predict;
mod run;

use crate::{
    arguments::{Arguments, Command},
    failure::Failure,
};

pub(crate) async fn dispatch(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Models(arguments) => models::models(&arguments),
        Command::Methods(arguments) => methods::methods(&arguments),
        Command::Inspect(arguments) => inspect::inspect(&arguments).await,
        Command::Run(arguments) => run::run(&arguments).await,
        Command::Predict(arguments) => predict::predict(&arguments).await,
        Command::Explain(arguments) => explain::explain(&arguments).await,
    }
}
