//! What the caller decides about the server.

use std::net::SocketAddr;
use std::path::PathBuf;

/// How [`Server::open`](super::Server::open) finds and starts the server.
#[derive(Clone, Debug)]
pub struct Options {
    /// Everything Weir keeps on this machine; it is created when missing.
    pub data_dir: PathBuf,
    /// What to do about TCP. None leaves it as it was last time, which is off at first.
    pub listen: Option<Listen>,
    /// The command that calls [`Server::watch`](super::Server::watch); without one the server runs until stopped.
    pub watch_command: Option<WatchCommand>,
    /// The folder with `postgres`, `initdb` and `pg_ctl`, instead of the installed ones.
    pub binaries: Option<PathBuf>,
    /// The account that a new cluster belongs to when root starts it.
    pub account: Option<String>,
}

/// Whether the server can be reached over TCP. The choice is remembered in the data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Only through the socket in the data directory.
    Off,
    /// Also at this address, with a password.
    At(SocketAddr),
}

/// A program with its arguments that runs beside the server.
#[derive(Clone, Debug)]
pub struct WatchCommand {
    pub program: PathBuf,
    pub arguments: Vec<String>,
}

impl Options {
    /// The usual server of a data directory. `WEIR_POSTGRES_BIN` and `WEIR_DATABASE_USER` are heeded.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            listen: None,
            watch_command: None,
            binaries: std::env::var_os("WEIR_POSTGRES_BIN").filter(|it| !it.is_empty()).map(PathBuf::from),
            account: std::env::var("WEIR_DATABASE_USER").ok().filter(|it| !it.is_empty()),
        }
    }
}

/// The platform's folder for Weir's data, such as `~/.local/share/weir`; None without a home directory.
pub fn default_data_dir() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "weir").map(|it| it.data_dir().to_owned())
}
