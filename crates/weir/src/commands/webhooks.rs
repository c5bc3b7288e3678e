//! `weir webhooks`: the secret that GitLab's webhooks prove themselves with.

use std::process::ExitCode;

use chrono::TimeDelta;
use clap::{Args, Subcommand};
use gitlab_client::{Clock, SystemClock};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::configuration::ConfigurationArguments;
use crate::moments::show;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::{database, keys, terminal};

/// How long the old secrets are still taken, unless told otherwise.
const DAYS: u32 = 7;

const EXAMPLES: &str = "\
Examples:
  weir webhooks secret                  the secret token and the signing token to give to GitLab
  weir webhooks secret --rotate         new ones; the old are taken for seven days more
  weir webhooks secret --rotate --keep-days 0    new ones; the old stop working at once";

/// Options of `weir webhooks`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    configuration: ConfigurationArguments,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show the secrets that webhooks are to have
    Secret {
        /// Make new ones first
        #[arg(long)]
        rotate: bool,
        /// Days for which the old ones are still taken
        #[arg(long, value_name = "DAYS", default_value_t = DAYS, requires = "rotate")]
        keep_days: u32,
        /// Print one JSON object on standard output
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let configuration = arguments.configuration.read()?;
    let database = database::of(settings, &configuration, 1).await?;
    let ring = keys::find(&configuration.encryption, database.data_dir()).await?;
    let (store, now) = (&database.store, SystemClock.now());
    store.unlock(&ring, now).await?;
    let Action::Secret { rotate, keep_days, json } = arguments.action;
    if rotate {
        store.rotate_webhook_secrets(&ring, now + TimeDelta::days(keep_days.into()), now).await?;
    }
    let secrets = store.webhook_secrets(&ring, now).await?;
    let current = |signing: bool| {
        let found = secrets.iter().find(|it| it.signing == signing && it.valid_until.is_none());
        found.map(|it| it.secret.expose_secret().to_owned()).unwrap_or_default()
    };
    if json {
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
    }
    Ok(ExitCode::SUCCESS)
}
