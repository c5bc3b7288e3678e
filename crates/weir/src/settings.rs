//! What every command shares, and where each setting comes from.

use std::path::PathBuf;

use clap::Args;
use nix::unistd::geteuid;

use crate::problem::Problem;

/// Where root keeps its data when it has no home.
const ROOTS_DATA: &str = "/var/lib/weir/data";

/// What every command shares.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Everywhere")]
pub struct Settings {
    /// A PostgreSQL server of your own instead of Weir's [env: DATABASE_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Where Weir keeps its database [env: WEIR_DATA_DIR; default: your platform's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Show what goes on inside, on standard error; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// A setting with the name of the place it was found in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    pub value: T,
    pub source: &'static str,
}

impl Settings {
    /// The server of the user's own, if one is named.
    pub fn database_url(&self) -> Option<Found<String>> {
        let given = self.database_url.clone().map(|value| Found { value, source: "--database-url" });
        given.or_else(|| variable("DATABASE_URL"))
    }

    /// The data directory.
    pub fn data_dir(&self) -> Result<Found<PathBuf>, Problem> {
        let found = self.find_data_dir()?;
        let value = std::path::absolute(&found.value)
            .map_err(|it| Problem::usage(format!("--data-dir cannot be used: {it}.")))?;
        Ok(Found { value, ..found })
    }

    fn find_data_dir(&self) -> Result<Found<PathBuf>, Problem> {
        if let Some(value) = self.data_dir.clone() {
            return Ok(Found { value, source: "--data-dir" });
        }
        if let Some(Found { value, source }) = variable("WEIR_DATA_DIR") {
            return Ok(Found { value: value.into(), source });
        }
        default_data_dir()
    }
}

/// The platform's folder; a system folder for root without a home, as in containers and services.
fn default_data_dir() -> Result<Found<PathBuf>, Problem> {
    let homeless = std::env::var_os("HOME").is_none_or(|it| it.is_empty() || it == "/");
    if homeless && geteuid().is_root() {
        return Ok(Found { value: ROOTS_DATA.into(), source: "the default for root without a home" });
    }
    let value = store::server::default_data_dir().ok_or_else(|| {
        Problem::usage("There is no home directory to keep data in. Name a place with --data-dir.")
    })?;
    Ok(Found { value, source: "the default" })
}

/// An environment variable that is set and not empty.
pub fn variable(name: &'static str) -> Option<Found<String>> {
    let value = std::env::var(name).ok().filter(|it| !it.trim().is_empty())?;
    Some(Found { value, source: name })
}
