//! `weir webhooks secret`: the secrets, shown and changed.

use std::process::ExitCode;

use chrono::TimeDelta;
use clap::Args;
use gitlab_client::{Clock, SystemClock};
use secrecy::ExposeSecret;
use serde_json::json;

use super::Opened;
use crate::moments::show;
use crate::problem::Problem;
use crate::terminal;

/// How long the old secrets are still taken, unless told otherwise.
const DAYS: u32 = 7;

/// Options of `weir webhooks secret`.
#[derive(Args)]
pub struct Arguments {
    /// Make new ones first
    #[arg(long)]
    rotate: bool,
    /// Days for which the old ones are still taken
    #[arg(long, value_name = "DAYS", default_value_t = DAYS, requires = "rotate")]
    keep_days: u32,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(opened: &Opened, arguments: &Arguments) -> Result<ExitCode, Problem> {
    let (store, ring, now) = (&opened.database.store, &opened.ring, SystemClock.now());
    if arguments.rotate {
        let until = now + TimeDelta::days(arguments.keep_days.into());
        store.rotate_webhook_secrets(ring, until, now).await?;
    }
    let secrets = store.webhook_secrets(ring, now).await?;
    let current = |signing: bool| {
        let found = secrets.iter().find(|it| it.signing == signing && it.valid_until.is_none());
        found.map(|it| it.secret.expose_secret().to_owned()).unwrap_or_default()
    };
    if arguments.json {
        let secret = json!({ "ok": true, "token": current(false), "signing_token": current(true) });
        terminal::print_json(&secret);
        return Ok(ExitCode::SUCCESS);
    }
    terminal::print(&format!("secret token   {}\nsigning token  {}", current(false), current(true)));
    terminal::say(
        "The secret token is for every GitLab, the signing token for 19.0 and newer. Give GitLab one of the two.",
    );
    if let Some(until) = secrets.iter().filter_map(|it| it.valid_until).max() {
        terminal::say(&format!("Older ones are taken until {}.", show(until)));
        terminal::say("Hooks that weir webhooks install made get the new ones by running it again.");
    }
    Ok(ExitCode::SUCCESS)
}
