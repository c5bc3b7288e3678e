//! `weir verify`: whether the tokens reach what an import needs.

use std::process::ExitCode;
use std::time::Instant;

use catalogue::Connector;
use clap::Args;
use gitlab_client::{Client, Clock, SystemClock};
use serde::Serialize;
use sync::Outcome;
use sync::verify::{Probe, TokenReport, Verification};

use crate::connection::{Connection, ConnectionArguments};
use crate::problem::Problem;
use crate::settings::{Settings, variable};
use crate::terminal::{Colour, paint};
use crate::{connectors, report, terminal};

/// Somebody is waiting for the verdict.
const ATTEMPTS: u32 = 3;

const EXAMPLES: &str = "\
Examples:
  GITLAB_TOKEN=... weir verify --url gitlab.example.com
  weir verify --url gitlab.example.com --token-command 'pass show gitlab'
  weir verify --json 2>/dev/null                     one JSON object for a script

Exit codes: 0 it will work, 2 usage, 3 invalid_credentials (no token, expired, revoked, unknown),
4 invalid_permissions (scope or role missing), 5 no_resources (nothing in sight), 1 anything else.";

/// Options of `weir verify`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: ConnectionArguments,
    /// What is to be imported; repeatable [default: everything this version has]
    #[arg(long = "connector", value_name = "CONNECTOR")]
    pub connectors: Vec<String>,
    /// Print one JSON object on standard output at the end
    #[arg(long)]
    pub json: bool,
}

/// What `--json` prints: the object of every command, and what was found.
#[derive(Serialize)]
struct Verified<'v> {
    #[serde(flatten)]
    outcome: Outcome,
    url: &'v str,
    version: Option<&'v str>,
    tokens: &'v [TokenReport],
    probes: &'v [Probe],
}

/// Runs the command.
pub async fn run(_: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let json = arguments.json;
    Ok(attend(arguments).await.unwrap_or_else(|problem| report::tell(&problem, json)))
}

async fn attend(arguments: Arguments) -> Result<ExitCode, Problem> {
    let connectors = connectors::named(&arguments.connectors)?;
    let Connection { client, job_token, .. } = arguments.connection.connect(None).await?;
    let began = Instant::now();
    let found = verify(&client, &connectors, job_project(job_token)?.as_deref()).await;
    lines(&found).iter().for_each(|it| terminal::say(it));
    if arguments.json {
        let usage = client.usage();
        let outcome = Outcome {
            ok: found.ok,
            error: found.error.clone(),
            requests: usage.requests,
            bytes: usage.bytes,
            not_modified: usage.not_modified,
            waited_seconds: usage.waited.as_secs_f64(),
            duration_seconds: began.elapsed().as_secs_f64(),
            ..report::empty(&connectors)
        };
        let Verification { url, version, tokens, probes, .. } = &found;
        terminal::print_json(&Verified { outcome, url, version: version.as_deref(), tokens, probes });
    }
    Ok(verdict(found))
}

/// Verifies a client's tokens for these connectors as of today; those of a CI job by the project they read.
pub async fn verify(client: &Client, connectors: &[Connector], job_project: Option<&str>) -> Verification {
    let client = client.with_attempts(ATTEMPTS);
    match job_project {
        Some(project) => sync::verify::verify_job(&client, project).await,
        None => sync::verify::verify(&client, connectors, SystemClock.now().date_naive()).await,
    }
}

/// The project that the tokens of a CI job read; none for other tokens.
pub fn job_project(job_token: bool) -> Result<Option<String>, Problem> {
    if !job_token {
        return Ok(None);
    }
    let project = variable("CI_PROJECT_ID").map(|it| it.value);
    project.map(Some).ok_or_else(|| {
        Problem::usage(
            "A job token (CI_JOB_TOKEN) reads one project: name it in CI_PROJECT_ID, or use GITLAB_TOKEN.",
        )
    })
}

fn verdict(found: Verification) -> ExitCode {
    match found.error {
        Some(failure) => Problem(failure).tell(),
        None => {
            terminal::say("Everything an import needs can be read. Next: weir sync");
            ExitCode::SUCCESS
        }
    }
}

/// What was found, line by line.
pub fn lines(found: &Verification) -> Vec<String> {
    let version = found.version.as_ref().map_or(String::new(), |it| format!(" (GitLab {it})"));
    let mut lines = vec![format!("{}{version}", found.url)];
    lines.extend(found.tokens.iter().map(|it| format!("  {}  token {}", mark(it.note.is_none()), token(it))));
    lines.extend(found.probes.iter().map(|it| format!("  {}  {}: {}", mark(it.ok), it.name, it.detail)));
    lines
}

fn mark(ok: bool) -> String {
    if ok { paint("ok  ", Colour::Green) } else { paint("note", Colour::Yellow) }
}

fn token(token: &TokenReport) -> String {
    let mut parts = Vec::new();
    if !token.scopes.is_empty() {
        parts.push(format!("may {}", token.scopes.join(", ")));
    }
    parts.extend(token.expires_at.map(|it| format!("valid until {it}")));
    parts.extend(token.note.clone());
    if parts.is_empty() { token.label.clone() } else { format!("{}: {}", token.label, parts.join("; ")) }
}
