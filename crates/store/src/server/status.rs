//! What is known of the server without starting it.

use std::path::{Path, PathBuf};

use super::error::ServerError;
use super::home::Home;
use super::options::Listen;
use super::{postmaster, probe, settings};

/// The server of a data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// There is no database yet.
    NotInitialised,
    /// There is one, and nobody runs it.
    Stopped { version: u32, data: PathBuf, log: PathBuf, account: String },
    /// It answers.
    Running { version: u32, data: PathBuf, log: PathBuf, account: String, pid: Option<i32>, listen: Listen },
}

pub(super) fn status(data_dir: &Path) -> Result<Status, ServerError> {
    let Ok(data_dir) = data_dir.canonicalize() else { return Ok(Status::NotInitialised) };
    let Some(home) = Home::find(&data_dir)? else { return Ok(Status::NotInitialised) };
    let Some(version) = home.version()? else { return Ok(Status::NotInitialised) };
    let (data, log, account) = (home.data(), home.log(), home.account.name());
    let listen = postmaster::listen(&home);
    if !probe::listens(&home, settings::port(listen)) {
        return Ok(Status::Stopped { version, data, log, account });
    }
    let pid = postmaster::pid(&home).map(|it| it.as_raw());
    Ok(Status::Running { version, data, log, account, pid, listen })
}
