//! `weir refresh`: one thing read again now, and what that changed.

use std::process::ExitCode;
use std::sync::Arc;

use catalogue::Connector;
use clap::Args;
use gitlab_client::SystemClock;
use serde::Serialize;
use serde_json::Value;
use sync::{Change, Options, Outcome, Target};
use url::Url;

use crate::connection::{Connection, ConnectionArguments};
use crate::numbers::counted;
use crate::problem::Problem;
use crate::settings::{Settings, variable};
use crate::{database, report, terminal};

/// Requests under way at once.
const CONCURRENCY: usize = 8;

const EXAMPLES: &str = "\
Examples:
  weir refresh https://gitlab.example.com/shop/api/-/merge_requests/7
  weir refresh https://gitlab.example.com/shop/api/-/pipelines/1234
  weir refresh https://gitlab.example.com/shop/api --json

Give --url where GitLab's address has a path of its own. Exit codes: 0 read, 2 usage, 3 invalid_credentials,
4 invalid_permissions, 1 anything else.";

/// Options of `weir refresh`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The address of a project, merge request, pipeline or job, as the browser shows it
    #[arg(value_name = "ADDRESS")]
    pub address: String,
    #[command(flatten)]
    pub connection: ConnectionArguments,
    /// Do not use GraphQL
    #[arg(long)]
    pub rest_only: bool,
    /// Print one JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Refreshed<'r> {
    #[serde(flatten)]
    outcome: &'r Outcome,
    changes: &'r [Change],
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let json = arguments.json;
    Ok(attend(settings, arguments).await.unwrap_or_else(|problem| report::tell(&problem, json)))
}

async fn attend(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let connection = ConnectionArguments { url: arguments.url(), ..arguments.connection.clone() };
    let connection = connection.connect(Some(CONCURRENCY)).await?;
    let target = Target::parse(&arguments.address, connection.client.base_url()).map_err(Problem)?;
    let store = database::open(settings, 4).await?.store;
    let Connection { client, .. } = connection.sharing(&store).await?;
    let (outcome, changes) = sync::refresh(client, store, arguments.options(), target).await;
    if arguments.json {
        terminal::print_json(&Refreshed { outcome: &outcome, changes: &changes });
    } else {
        changes.iter().for_each(|it| terminal::print(&line(it)));
    }
    if let Some(failure) = outcome.error {
        return Ok(Problem(failure).tell());
    }
    let found = if changes.is_empty() {
        "Nothing changed".to_owned()
    } else {
        counted(changes.len() as u64, "change")
    };
    terminal::say(&format!("{found}; {}.", counted(outcome.requests, "request")));
    Ok(ExitCode::SUCCESS)
}

fn line(change: &Change) -> String {
    let row = format!("{} {}", change.table, change.key);
    match &change.column {
        Some(column) => format!("{row} {column}: {} -> {}", value(&change.before), value(&change.after)),
        None if change.before == Value::Null => format!("{row}: new"),
        None => format!("{row}: gone"),
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "(none)".to_owned(),
        other => other.to_string(),
    }
}

impl Arguments {
    /// The GitLab that was named, or else the host of the address.
    fn url(&self) -> Option<String> {
        let named = self.connection.url.clone().or_else(|| variable("GITLAB_HOST").map(|it| it.value));
        let host = || {
            let address = Url::parse(&self.address).ok().filter(Url::has_host)?;
            Some(address.origin().ascii_serialization())
        };
        named.or_else(host)
    }

    fn options(&self) -> Options {
        let options = Options::new(Connector::ALL.to_vec(), Arc::new(SystemClock));
        Options { rest_only: self.rest_only, workers: CONCURRENCY, ..options }
    }
}
