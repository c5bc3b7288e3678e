//! `weir status`: what was read, how far, and what was left out.

mod unattended;

use std::process::ExitCode;

use clap::Args;
use gitlab_client::{Clock, SystemClock};
use serde::Serialize;
use store::{Figures, Skip, StatusReport, SyncSummary};

use crate::configuration::ConfigurationArguments;
use crate::moments::show;
use crate::numbers::{bytes, counted, seconds};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::table::{Side, table};
use crate::{database, report, terminal};
use unattended::unattended;

const EXAMPLES: &str = "\
Examples:
  weir status
  weir status --json | jq '.connections[].cursors'
  weir status --json | jq '.serve.connections[] | select(.state != \"working\")'";

/// Options of `weir status`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    configuration: ConfigurationArguments,
    /// Print one JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Status<'s> {
    ok: bool,
    error: Option<()>,
    connections: &'s [StatusReport],
    /// What `weir serve` imports unattended; absent where there is no connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    serve: Option<&'s Figures>,
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let json = arguments.json;
    Ok(attend(settings, &arguments).await.unwrap_or_else(|problem| report::tell(&problem, json)))
}

async fn attend(settings: &Settings, arguments: &Arguments) -> Result<ExitCode, Problem> {
    let configuration = arguments.configuration.read()?;
    let database = database::of(settings, &configuration, 1).await?;
    let connections = database.store.status().await?;
    let figures = database.store.figures().await?;
    let serve = (!figures.connections.is_empty()).then_some(&figures);
    if arguments.json {
        terminal::print_json(&Status { ok: true, error: None, connections: &connections, serve });
    } else if connections.is_empty() && serve.is_none() {
        terminal::print("Nothing was read yet. Start with weir sync, or see an example with weir demo.");
    } else {
        let mut parts: Vec<String> = serve.map(|it| unattended(it, SystemClock.now())).into_iter().collect();
        parts.extend(connections.iter().map(connection));
        terminal::print(&parts.join("\n\n"));
        crate::webhook_line::line(&database.store)
            .await?
            .iter()
            .for_each(|it| terminal::print(&format!("\n{it}")));
    }
    Ok(ExitCode::SUCCESS)
}

fn connection(report: &StatusReport) -> String {
    let version = report.version.as_ref().map_or(String::new(), |it| format!(", GitLab {it}"));
    let graphql = if report.graphql == Some(false) { ", without GraphQL" } else { "" };
    let mut parts = vec![format!("{}{version}{graphql}", report.url), syncs(&report.syncs)];
    parts.extend(cursors(report));
    if report.pending > 0 {
        parts.push(format!("{} still to be read: weir sync", counted(report.pending.unsigned_abs(), "list")));
    }
    parts.extend(skips(&report.skips));
    parts.extend(rejects(report));
    parts.join("\n\n")
}

fn syncs(syncs: &[SyncSummary]) -> String {
    let headings =
        ["sync", "state", "started", "took", "requests", "bytes", "waited", "why"].map(str::to_owned);
    use Side::{Left, Right};
    let sides = [Right, Left, Left, Right, Right, Right, Right, Left];
    table(&headings, &sides, &syncs.iter().map(sync).collect::<Vec<_>>())
}

fn sync(sync: &SyncSummary) -> Vec<String> {
    let took = sync.finished_at.and_then(|it| (it - sync.started_at).to_std().ok());
    let why = sync.error.as_ref().and_then(|it| it["message"].as_str()).unwrap_or_default();
    vec![
        sync.id.to_string(),
        sync.state.clone(),
        show(sync.started_at),
        took.map(crate::numbers::duration).unwrap_or_default(),
        sync.requests.to_string(),
        bytes(sync.bytes.unsigned_abs()),
        seconds(sync.waited_seconds),
        why.to_owned(),
    ]
}

fn cursors(report: &StatusReport) -> Option<String> {
    let headings = ["resource", "reader", "partitions", "whole", "complete to"].map(str::to_owned);
    let sides = [Side::Left, Side::Left, Side::Right, Side::Right, Side::Left];
    let row = |it: &store::CursorSummary| {
        let complete = it.complete_to.map(show).unwrap_or_default();
        let numbers = [it.partitions.to_string(), it.whole.to_string()];
        [it.resource.clone(), it.reader.clone()].into_iter().chain(numbers).chain([complete]).collect()
    };
    let rows: Vec<Vec<String>> = report.cursors.iter().map(row).collect();
    (!rows.is_empty()).then(|| table(&headings, &sides, &rows))
}

fn skips(skips: &[Skip]) -> Option<String> {
    let headings = ["left out", "of", "reason", "detail"].map(str::to_owned);
    let row = |it: &Skip| vec![it.resource.clone(), it.parent.clone(), it.reason.clone(), it.detail.clone()];
    let rows: Vec<Vec<String>> = skips.iter().map(row).collect();
    (!rows.is_empty()).then(|| table(&headings, &[Side::Left; 4], &rows))
}

fn rejects(report: &StatusReport) -> Option<String> {
    let headings = ["not understood", "count", "newest error"].map(str::to_owned);
    let row = |it: &store::RejectSummary| vec![it.resource.clone(), it.count.to_string(), it.error.clone()];
    let rows: Vec<Vec<String>> = report.rejects.iter().map(row).collect();
    (!rows.is_empty()).then(|| table(&headings, &[Side::Left, Side::Right, Side::Left], &rows))
}
