//! Why the server is not there, and what to do about it.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Each message is a sentence for the person at the terminal and ends with what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(
        "no PostgreSQL {wanted} was found and fetching it failed ({reason}); install it with `{install}`, or name a server with --database-url"
    )]
    NotInstalled { wanted: String, reason: String, install: String },

    #[error(
        "{path} has no PostgreSQL that Weir can use: {reason}; correct WEIR_POSTGRES_BIN, or leave it out to use the installed one"
    )]
    UnusableBinaries { path: PathBuf, reason: String },

    #[error("cannot write to the data directory {path}: {source}; choose another with --data-dir")]
    NotWritable { path: PathBuf, source: io::Error },

    #[error(
        "{path} belongs to {owner}, and Weir runs as {caller}; run Weir as {owner}, or choose another data directory with --data-dir"
    )]
    OwnedByAnother { path: PathBuf, owner: String, caller: String },

    #[error("the disk that holds {path} is full; free some space, or choose another place with --data-dir")]
    DiskFull { path: PathBuf },

    #[error("there is no account named {name} on this machine; correct WEIR_DATABASE_USER")]
    NoSuchAccount { name: String },

    #[error(
        "PostgreSQL does not run as root and no other account was found for it; create one with `useradd --system weir`, or name one in WEIR_DATABASE_USER"
    )]
    NoAccount,

    #[error(
        "the account number {uid} has no name on this machine, and PostgreSQL's initdb needs one; add a line for it to /etc/passwd, start Weir as root, or name a server with --database-url"
    )]
    NamelessAccount { uid: u32 },

    #[error(
        "cannot listen on {address}: {source}; choose another address with --listen, or none with --listen off"
    )]
    CannotListen { address: SocketAddr, source: io::Error },

    #[error(
        "changing --listen restarts the database, and another Weir process is using it; stop that process first"
    )]
    InUse,

    #[error(
        "{path} is not a place for the database's socket: {reason}; remove it, or choose another data directory with --data-dir"
    )]
    UnsafeSocketDir { path: PathBuf, reason: String },

    #[error(
        "the database refused the password in {path}; remove that file and stop the database, and Weir makes a new one"
    )]
    PasswordRefused { path: PathBuf },

    #[error("the password file {path} is missing; restore it from a backup of the data directory")]
    PasswordMissing { path: PathBuf },

    #[error("PostgreSQL could not initialise the database in {path}: {reason}")]
    InitFailed { path: PathBuf, reason: String },

    #[error("PostgreSQL did not start: {reason}; its log is in {log}")]
    StartFailed { reason: String, log: PathBuf },

    #[error("PostgreSQL did not stop within {seconds} seconds; its log is in {log}")]
    StopFailed { seconds: u64, log: PathBuf },

    #[error("the database was stopped; nothing is lost, and the next command starts it again")]
    Stopped,

    #[error(
        "there is no database in {path} any more; put it back, or run the command again to begin a new one"
    )]
    Gone { path: PathBuf },

    #[error(
        "another Weir process has been starting the database of {path} for too long; see what it waits for"
    )]
    Locked { path: PathBuf },

    #[error("{doing} {path}: {source}")]
    Io { doing: &'static str, path: PathBuf, source: io::Error },

    #[error("preparing the database: {0}")]
    Database(#[from] sqlx::Error),
}

impl ServerError {
    /// A failure to read or write a file, with the usual causes named for what they are.
    pub(super) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::NotWritable { path, source }
            }
            _ => Self::Io { doing, path, source },
        }
    }
}

/// Adds the file to an I/O error: `fs::read(&path).at("reading", &path)?`.
pub(super) trait At<T> {
    fn at(self, doing: &'static str, path: &Path) -> Result<T, ServerError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, doing: &'static str, path: &Path) -> Result<T, ServerError> {
        self.map_err(|source| ServerError::io(doing, path, source))
    }
}
