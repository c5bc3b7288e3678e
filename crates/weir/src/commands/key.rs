//! `weir key`: the key that tokens in the database are sealed with.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use gitlab_client::{Clock, SystemClock};
use secrecy::ExposeSecret;
use store::Unlocked;
use store::vault::Key;

use crate::configuration::ConfigurationArguments;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::{database, keys, numbers, terminal};

const EXAMPLES: &str = "\
Examples:
  weir key generate                     print a new key
  weir key check                        whether the key that is given opens this database
  WEIR_ENCRYPTION_KEY=new WEIR_ENCRYPTION_KEY_PREVIOUS=old weir key rotate";

/// Options of `weir key`.
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
    /// Print a new key
    Generate,
    /// Tell whether the key that is given opens the tokens in the database
    Check,
    /// Seal every token with the key in use; the one before it is given as WEIR_ENCRYPTION_KEY_PREVIOUS
    Rotate,
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    if matches!(arguments.action, Action::Generate) {
        terminal::print(Key::generate().1.expose_secret());
        return Ok(ExitCode::SUCCESS);
    }
    let configuration = arguments.configuration.read()?;
    let database = database::of(settings, &configuration, 2).await?;
    let ring = keys::find(&configuration.encryption, database.data_dir()).await?;
    let now = SystemClock.now();
    let unlocked = database.store.unlock(&ring, now).await?;
    let id = ring.current().id();
    match (arguments.action, unlocked) {
        (Action::Rotate, Unlocked::Older(_)) => {
            let count = database.store.rotate_key(&ring, now).await?;
            let tokens = numbers::counted(count, "token");
            terminal::say(&format!(
                "Sealed {tokens} with the key {id}. The one before it is not needed any more."
            ));
        }
        (Action::Rotate, _) => terminal::say(&format!("Everything is sealed with the key {id} already.")),
        (_, Unlocked::Older(count)) => terminal::say(&format!(
            "The key before this one opens the database; {} to be sealed anew with weir key rotate.",
            numbers::counted(count.unsigned_abs(), "token")
        )),
        _ => terminal::say(&format!("The key {id} opens the tokens in this database.")),
    }
    Ok(ExitCode::SUCCESS)
}
