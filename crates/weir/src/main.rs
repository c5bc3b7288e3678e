//! The `weir` command: reads a GitLab into PostgreSQL and answers questions about it.

mod address;
mod arguments;
mod commands;
mod configuration;
mod connection;
mod connectors;
mod database;
mod interrupt;
mod keys;
mod logging;
mod moments;
mod numbers;
mod problem;
mod progress;
mod reload;
mod report;
mod secrets;
mod service_manager;
mod settings;
mod summary;
mod table;
mod terminal;
mod tokens;
mod webhook_line;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use problem::Problem;

fn main() -> ExitCode {
    match arguments::parse() {
        Ok(arguments) => start(arguments),
        Err(problem) => problem.tell(),
    }
}

fn start(arguments: Arguments) -> ExitCode {
    if !arguments.command.is_unattended() {
        logging::start(arguments.settings.verbose);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(run(arguments)).unwrap_or_else(|problem| problem.tell());
            // A prompt or a server that hangs does not keep the command from ending.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            Problem::failed("runtime", format!("This machine refuses to start threads: {error}.")).tell()
        }
    }
}

async fn run(Arguments { settings, command }: Arguments) -> Result<ExitCode, Problem> {
    match command {
        Command::Serve(arguments) => commands::serve::run(&settings, arguments).await,
        Command::Worker(arguments) => commands::worker::run(&settings, arguments).await,
        Command::Extract(arguments) => commands::extract::run(&settings, arguments).await,
        Command::ApiKey(arguments) => commands::api_key::run(&settings, arguments).await,
        Command::Key(arguments) => commands::key::run(&settings, arguments).await,
        Command::Webhooks(arguments) => commands::webhooks::run(&settings, arguments).await,
        Command::Verify(arguments) => commands::verify::run(&settings, arguments).await,
        Command::Sync(arguments) => commands::sync::run(&settings, *arguments).await,
        Command::Sql(arguments) => commands::sql::run(&settings, arguments).await,
        Command::Psql(arguments) => commands::psql::run(&settings, arguments).await,
        Command::Database(arguments) => commands::database::run(&settings, arguments).await,
        Command::Schema(arguments) => commands::schema::run(&settings, arguments).await,
        Command::Status(arguments) => commands::status::run(&settings, arguments).await,
        Command::Proof(arguments) => commands::proof::run(&settings, arguments).await,
        Command::Refresh(arguments) => commands::refresh::run(&settings, arguments).await,
        Command::Health(arguments) => commands::health::run(arguments).await,
        Command::Doctor(arguments) => commands::doctor::run(&settings, arguments).await,
        Command::Demo(arguments) => commands::demo::run(&settings, arguments).await,
    }
}
