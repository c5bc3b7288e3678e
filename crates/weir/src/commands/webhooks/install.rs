//! `weir webhooks install`: hooks in GitLab that lead to Weir, made and mended.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Args;
use gitlab_client::{Clock, SystemClock};
use serde::Serialize;
use serde_json::json;
use store::{Audit, Store};
use sync::hooks::{Address, Done, Step, Wish, install};

use super::clients::Tokens;
use super::places::PlaceArguments;
use super::{Opened, secrets};
use crate::problem::Problem;
use crate::{report, terminal};

const EXAMPLES: &str = "\
Examples:
  weir webhooks install --address https://weir.example.com --group acme           what would be done
  weir webhooks install --address https://weir.example.com --group acme --yes     do it
  weir webhooks install --address https://weir.example.com --project acme/shop --project 42 --yes
  weir webhooks install --address https://weir.example.com --system --yes         self-managed, by an administrator

The token needs the scope api, and of its user the role Maintainer (projects), Owner (groups, GitLab Premium) or
administrator (system hooks). Weir's own tokens need none of this: make one for this command, and delete it afterwards.
Exit codes: 0 done, or told what would be; 2 usage, 3 invalid_credentials, 4 invalid_permissions, 1 anything else.";

/// Options of `weir webhooks install`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Where GitLab reaches weir serve
    #[arg(long, value_name = "URL")]
    address: String,
    #[command(flatten)]
    places: PlaceArguments,
    /// Do it; without this it is only said what would be done
    #[arg(long)]
    yes: bool,
    /// Leave events on that Weir has no use for
    #[arg(long)]
    keep_events: bool,
    /// Also have confidential issues and internal notes told of: their texts are then in the inbox for seven days
    #[arg(long)]
    confidential: bool,
    #[command(flatten)]
    tokens: Tokens,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Installed<'i> {
    ok: bool,
    error: Option<&'i sync::Failure>,
    dry_run: bool,
    address: String,
    hooks: &'i [Done],
}

/// Runs the command.
pub async fn run(opened: &Opened, arguments: Arguments) -> Result<ExitCode, Problem> {
    let json = arguments.json;
    Ok(attend(opened, &arguments).await.unwrap_or_else(|problem| report::tell(&problem, json)))
}

async fn attend(opened: &Opened, arguments: &Arguments) -> Result<ExitCode, Problem> {
    let address =
        Address::parse(&arguments.address).map_err(|it| Problem::usage(format!("--address: {it}")))?;
    let places = arguments.places.named();
    if places.is_empty() {
        return Err(Problem::usage("Name where the hooks are to be: --group, --project or --system."));
    }
    let client = arguments.tokens.one(opened).await?;
    let now = SystemClock.now();
    let (store, dry) = (&opened.database.store, !arguments.yes);
    let secrets = secrets(opened, now).await?;
    let wish = Wish {
        address: address.clone(),
        keep_events: arguments.keep_events,
        confidential: arguments.confidential,
    };
    let all = install(&client, store, &places, &wish, &secrets, (dry, now)).await?;
    if !dry {
        note(store, &all, now).await?;
    }
    let failure = all.iter().find_map(|it| it.error.clone());
    if arguments.json {
        let (ok, error, address) = (failure.is_none(), failure.as_ref(), address.to_string());
        terminal::print_json(&Installed { ok, error, dry_run: dry, address, hooks: &all });
    } else {
        tell(&all, dry, &address);
    }
    Ok(failure.map_or(ExitCode::SUCCESS, |it| Problem(it).exit_code()))
}

/// Writes down what was changed in GitLab.
async fn note(store: &Store, all: &[Done], now: DateTime<Utc>) -> Result<(), Problem> {
    for done in all.iter().filter(|it| matches!(it.step, Some(Step::Create | Step::Mend))) {
        let detail = json!({ "place": done.name, "hook": done.hook_id, "step": done.step, "ok": done.error.is_none() });
        let entry = Audit { actor: "command", action: "webhooks.install", detail, ..Audit::default() };
        store.audit(&entry, now).await?;
    }
    Ok(())
}

fn tell(all: &[Done], dry: bool, address: &Address) {
    for done in all {
        terminal::print(&text(done, dry));
    }
    if address.to_string().starts_with("http:") {
        terminal::warning(
            "GitLab sends the secret to this address unencrypted. Use https where others share the network.",
        );
    }
    let some = all.iter().any(|it| it.error.is_none() && it.step != Some(Step::Keep));
    if dry && some {
        terminal::say("Nothing was changed. The same command with --yes does it.");
    }
}

fn text(done: &Done, dry: bool) -> String {
    let name = done.place.as_ref().map_or_else(|| done.name.clone(), sync::hooks::Place::words);
    let hook = done.hook_id.map(|it| format!(" {it}")).unwrap_or_default();
    let what = match (&done.error, done.step, dry) {
        (Some(_), ..) => "not done".to_owned(),
        (None, Some(Step::Create), true) => "would get a hook".to_owned(),
        (None, Some(Step::Create), false) => format!("has a new hook{hook}"),
        (None, Some(Step::Mend), true) => format!("hook{hook} would be changed"),
        (None, Some(Step::Mend), false) => format!("hook{hook} was changed"),
        (None, ..) => format!("hook{hook} is as it has to be"),
    };
    let mut lines = vec![format!("{name}: {what}")];
    // What was to be done is no news where it was not.
    let changes = done.changes.iter().filter(|_| done.error.is_none());
    lines.extend(
        done.error.iter().map(|it| &it.message).chain(changes).chain(&done.notes).map(|it| format!("  {it}")),
    );
    lines.join("\n")
}
