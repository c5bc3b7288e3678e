//! `weir worker`: workers alone, beside others on the same database.

use std::process::ExitCode;

use clap::Args;
use sync::Stop;

use super::serve::{Opened, open};
use crate::configuration::ConfigurationArguments;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::{interrupt, terminal};

const EXAMPLES: &str = "\
Examples:
  DATABASE_URL=postgresql://... WEIR_ENCRYPTION_KEY_FILE=/run/secrets/weir weir worker

Run as many as you like, on as many machines: they share the work of one database.";

/// Options of `weir worker`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    configuration: ConfigurationArguments,
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let Opened { worker, database, .. } = open(settings, &arguments.configuration).await?;
    let stop = Stop::default();
    let listener = interrupt::stop_on_signal(stop.clone());
    terminal::say("Weir works. Ctrl-C ends it after the pages in hand.");
    sync::tasks::work(worker, stop).await;
    drop((listener, database));
    terminal::say("Stopped. What was begun goes on elsewhere, or with the next start.");
    Ok(ExitCode::SUCCESS)
}
