//! `weir proof`: whether the tables say what GitLab says.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use gitlab_client::SystemClock;
use serde::Serialize;
use store::Proof;
use sync::{Options, Outcome, Scope};

use crate::connection::{Connection, ConnectionArguments};
use crate::moments::show;
use crate::numbers::counted;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::table::{Side, table};
use crate::{connectors, database, report, terminal};

/// Requests under way at once.
const CONCURRENCY: usize = 8;

const EXAMPLES: &str = "\
Examples:
  weir proof --url gitlab.example.com                what is not proved, and why
  weir proof --all                                   every project, with GitLab's count beside ours
  weir proof --json 2>/dev/null | jq '.proofs[] | select(.state != \"proved\")'

It counts what GitLab has and what is stored, and changes no row. Exit codes: 0 everything is proved, 1 not, 2 usage,
3 invalid_credentials, 4 invalid_permissions.";

/// Options of `weir proof`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: ConnectionArguments,
    /// What to prove; repeatable [default: everything that was ever imported]
    #[arg(long = "connector", value_name = "CONNECTOR")]
    pub connectors: Vec<String>,
    /// Only projects below this group, by path; repeatable
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// Only this project, by path or id; repeatable
    #[arg(long = "project", value_name = "PROJECT")]
    pub projects: Vec<String>,
    /// Show also what is proved
    #[arg(long)]
    pub all: bool,
    /// Print one JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Proved<'p> {
    #[serde(flatten)]
    outcome: &'p Outcome,
    proofs: &'p [Proof],
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let json = arguments.json;
    Ok(attend(settings, arguments).await.unwrap_or_else(|problem| report::tell(&problem, json)))
}

async fn attend(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let options = arguments.options()?;
    let connection = arguments.connection.connect(Some(CONCURRENCY)).await?;
    let store = database::open(settings, 4).await?.store;
    let Connection { client, .. } = connection.sharing(&store).await?;
    let (outcome, proofs) = sync::prove(client, store, options).await;
    if arguments.json {
        terminal::print_json(&Proved { outcome: &outcome, proofs: &proofs });
    } else if let Some(text) = lines(&proofs, arguments.all) {
        terminal::print(&text);
    }
    let proved = proofs.iter().filter(|it| it.state == "proved").count() as u64;
    terminal::say(&format!(
        "{} proved, with {}.",
        counted(proved, "listing"),
        counted(outcome.requests, "request")
    ));
    Ok(outcome.error.map_or(ExitCode::SUCCESS, |failure| Problem(failure).tell()))
}

/// A line for each listing; none where there is nothing to show.
fn lines(proofs: &[Proof], all: bool) -> Option<String> {
    let shown: Vec<&Proof> = proofs.iter().filter(|it| all || it.state != "proved").collect();
    let headings = ["project", "listing", "state", "GitLab", "Weir", "last proved", "what differs"];
    let sides = [Side::Left, Side::Left, Side::Left, Side::Right, Side::Right, Side::Left, Side::Left];
    let rows: Vec<Vec<String>> = shown.into_iter().map(row).collect();
    (!rows.is_empty()).then(|| table(&headings.map(str::to_owned), &sides, &rows))
}

fn row(proof: &Proof) -> Vec<String> {
    vec![
        proof.project.clone(),
        proof.resource.replace('_', " "),
        proof.state.clone(),
        proof.theirs.map_or_else(|| "?".to_owned(), |it| it.to_string()),
        proof.ours.to_string(),
        proof.proved_at.map_or_else(|| "-".to_owned(), show),
        proof.detail.clone(),
    ]
}

impl Arguments {
    fn options(&self) -> Result<Options, Problem> {
        let connectors = match self.connectors.is_empty() {
            true => Vec::new(),
            false => connectors::named(&self.connectors)?,
        };
        let scope =
            Scope { groups: self.groups.clone(), projects: self.projects.clone(), ..Scope::default() };
        Ok(Options { scope, workers: CONCURRENCY, ..Options::new(connectors, Arc::new(SystemClock)) })
    }
}
