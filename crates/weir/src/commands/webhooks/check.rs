//! `weir webhooks check`: whether webhooks tell what changes, and if not, why.

use std::process::ExitCode;

use clap::Args;
use gitlab_client::{Clock, SystemClock};
use serde::Serialize;
use sync::hooks::{Address, Asked, CheckedHook, CheckedPlace, Gap, Report, check};

use super::clients::Tokens;
use super::places::PlaceArguments;
use super::{Opened, secrets};
use crate::moments::show;
use crate::problem::Problem;
use crate::terminal::{Colour, paint_result};
use crate::{report, terminal};

/// Gaps that are shown.
const SHOWN: usize = 20;

const EXAMPLES: &str = "\
Examples:
  weir webhooks check                           every connection: hooks, last deliveries, gaps
  weir webhooks check --group acme --hours 2    one group, and what moved in two hours
  weir webhooks check --address https://weir.example.com --json

Without tokens those of the connections are used. Seeing hooks takes the role Maintainer (projects),
Owner (groups) or administrator (system hooks), with the scope read_api.
Exit codes: 0 all is well, 1 something needs attention, 2 usage.";

/// Options of `weir webhooks check`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    places: PlaceArguments,
    /// Where hooks are to lead [default: where those lead that are known]
    #[arg(long, value_name = "URL")]
    address: Option<String>,
    /// How far back to look for what was not told of
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(i64).range(1..=168))]
    hours: i64,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    tokens: Tokens,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Checked<'c> {
    ok: bool,
    error: Option<()>,
    gitlabs: &'c [Report],
}

/// Runs the command.
pub async fn run(opened: &Opened, arguments: Arguments) -> Result<ExitCode, Problem> {
    let json = arguments.json;
    Ok(attend(opened, &arguments).await.unwrap_or_else(|problem| report::tell(&problem, json)))
}

async fn attend(opened: &Opened, arguments: &Arguments) -> Result<ExitCode, Problem> {
    let address = arguments.address.as_deref().map(Address::parse).transpose();
    let address = address.map_err(|it| Problem::usage(format!("--address: {it}")))?;
    let now = SystemClock.now();
    let token_id = secrets(opened, now).await?.token.id;
    let asked = Asked { places: arguments.places.named(), address, hours: arguments.hours, token_id };
    let mut reports = Vec::new();
    for client in arguments.tokens.all(opened).await? {
        reports.push(check(&client, &opened.database.store, &asked, now).await?);
    }
    let ok = !reports.iter().any(Report::needs_attention);
    if arguments.json {
        terminal::print_json(&Checked { ok, error: None, gitlabs: &reports });
    } else {
        reports.iter().for_each(tell);
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(report: &Report) {
    let mut lines = vec![report.url.clone()];
    report.places.iter().for_each(|it| place(it, &mut lines));
    lines.extend(report.problems.iter().map(|it| bad(it)));
    lines.extend(report.notes.iter().map(|it| note(it)));
    gaps(report, &mut lines);
    terminal::print(&lines.join("\n"));
}

fn bad(text: &str) -> String {
    format!("  {}  {text}", paint_result("fail", Colour::Red))
}

fn note(text: &str) -> String {
    format!("  {}  {text}", paint_result("note", Colour::Yellow))
}

fn good(text: &str) -> String {
    format!("  {}  {text}", paint_result("ok  ", Colour::Green))
}

fn place(place: &CheckedPlace, lines: &mut Vec<String>) {
    lines.extend(place.error.iter().map(|it| bad(&it.message)));
    lines.extend(place.problems.iter().map(|it| bad(&format!("{}: {it}", place.name))));
    for it in &place.hooks {
        hook(&place.name, it, lines);
    }
}

fn hook(place: &str, hook: &CheckedHook, lines: &mut Vec<String>) {
    let name = format!("{place}, hook {}", hook.hook_id);
    if hook.problems.is_empty() {
        let deliveries = match &hook.deliveries {
            Some(it) if it.looked_at > 0 => {
                format!(", {} of the last {} deliveries failed", it.failed, it.looked_at)
            }
            Some(_) => ", no delivery yet".to_owned(),
            None => String::new(),
        };
        lines.push(good(&format!("{name}: leads to {}{deliveries}", hook.url)));
    } else {
        lines.push(bad(&format!("{name}: {}", hook.problems.join(" "))));
    }
    lines.extend(hook.notes.iter().map(|it| note(&format!("{name}: {it}"))));
}

fn gaps(report: &Report, lines: &mut Vec<String>) {
    let (Some(since), Some(until)) = (report.since, report.until) else { return };
    let counts: Vec<String> = report
        .counts
        .iter()
        .map(|it| format!("{} of {} {}s", it.changed - it.unnamed, it.changed, it.kind.replace('_', " ")))
        .collect();
    let told = if counts.is_empty() {
        "nothing moved in projects under a hook".to_owned()
    } else {
        counts.join(", ")
    };
    if since >= until {
        lines.push(note(&format!(
            "It is too early for gaps: what is told of is noted since {}.",
            show(since)
        )));
        return;
    }
    lines.push(format!(
        "  In all of this GitLab, told of what moved from {} to {}: {told}.",
        show(since),
        show(until)
    ));
    lines.extend(report.gaps.iter().take(SHOWN).map(gap));
    if report.gaps.len() > SHOWN {
        lines.push(format!("  {} more; --json lists them.", report.gaps.len() - SHOWN));
    }
    if report.uncovered_projects > 0 {
        lines.push(note(&format!(
            "Something moved in {} more projects of which no known hook tells: there it comes with the next sync.",
            report.uncovered_projects
        )));
    }
}

fn gap(gap: &Gap) -> String {
    let (kind, mark) = (gap.kind.replace('_', " "), if gap.kind == "pipeline" { "" } else { " number" });
    let example = gap.example.map(|it| format!(" (such as{mark} {it})")).unwrap_or_default();
    let text = format!(
        "{}: {} of {} {kind}s that moved were not told of{example}. {}",
        gap.project,
        gap.unnamed,
        gap.changed,
        gap.reasons.join(" ")
    );
    if gap.attention { bad(&text) } else { note(&text) }
}
