//! `weir webhooks`: hooks in GitLab that lead to Weir, and the secret that they prove themselves with.

mod check;
mod clients;
mod install;
mod places;
mod secret;

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use gitlab_client::{Clock, SystemClock};
use store::WebhookSecret;
use store::vault::Keyring;
use sync::hooks::{Secret, Secrets};

use crate::configuration::{Configuration, ConfigurationArguments};
use crate::database::Database;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::{database, keys};

const EXAMPLES: &str = "\
Examples:
  weir webhooks install --address https://weir.example.com --group acme    what would be done; with --yes do it
  weir webhooks check                   whether they tell what changes, and if not, why
  weir webhooks secret                  the secret token and the signing token to give to GitLab
  weir webhooks secret --rotate         new ones; the old are taken for seven days more
  weir webhooks secret --rotate --keep-days 0    new ones; the old stop working at once";

/// Connections to the database.
const CONNECTIONS: u32 = 4;

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
    /// Make hooks in GitLab that lead to Weir, and mend those there are
    Install(Box<install::Arguments>),
    /// See whether webhooks tell what changes, and if not, why
    Check(Box<check::Arguments>),
    /// Show the secrets that webhooks are to have
    Secret(secret::Arguments),
}

/// The database and what opens the secrets in it.
pub struct Opened {
    configuration: Configuration,
    database: Database,
    ring: Keyring,
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let configuration = arguments.configuration.read()?;
    let database = database::of(settings, &configuration, CONNECTIONS).await?;
    let ring = keys::find(&configuration.encryption, database.data_dir()).await?;
    database.store.unlock(&ring, SystemClock.now()).await?;
    let opened = Opened { configuration, database, ring };
    match arguments.action {
        Action::Install(arguments) => install::run(&opened, *arguments).await,
        Action::Check(arguments) => check::run(&opened, *arguments).await,
        Action::Secret(arguments) => secret::run(&opened, &arguments).await,
    }
}

/// The secrets in use.
async fn secrets(opened: &Opened, now: DateTime<Utc>) -> Result<Secrets, Problem> {
    let all = opened.database.store.webhook_secrets(&opened.ring, now).await?;
    let missing = || {
        Problem::failed(
            "webhook_secrets",
            "Weir has no secrets for webhooks. Make them with weir webhooks secret --rotate.",
        )
    };
    let secret = |it: &WebhookSecret| Secret { id: it.id, value: it.secret.clone() };
    let current =
        |signing: bool| all.iter().find(|it| it.signing == signing && it.valid_until.is_none()).map(secret);
    Ok(Secrets { token: current(false).ok_or_else(missing)?, signing: current(true).ok_or_else(missing)? })
}
