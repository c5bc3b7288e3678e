//! `weir doctor`: walks through the set-up and says what is wrong and how to mend it.

use std::process::ExitCode;

use clap::Args;

use crate::connection::ConnectionArguments;
use crate::problem::Problem;
use crate::settings::Settings;

mod database;
mod finding;
mod gitlab;

use finding::{Findings, Grade};

const EXAMPLES: &str = "\
Examples:
  weir doctor
  GITLAB_TOKEN=... weir doctor --url gitlab.example.com

Each line says ok, warn or fail, and what to do. Tokens are never shown. Exit code 1 if anything fails.";

/// Options of `weir doctor`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let mut findings = Findings::default();
    let store = database::examine(settings, &mut findings).await;
    let url = gitlab::examine(&arguments.connection, &mut findings).await;
    if let Some(database) = store {
        database::left_out(&database, url.as_deref(), &mut findings).await;
    }
    let failed = findings.worst() == Grade::Fail;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
