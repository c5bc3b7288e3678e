//! Weir's own PostgreSQL: found or fetched, initialised, started and stopped in the data directory.
//!
//! The server is a process of its own. It outlives the command that started it, so several Weir processes share
//! one, and killing any of them costs nothing that was committed.

mod account;
mod binaries;
mod cluster;
mod detach;
mod error;
mod fetch;
mod home;
mod lock;
mod open;
mod options;
mod postmaster;
mod probe;
mod reader;
mod running;
mod secret;
mod settings;
mod status;
mod stop;
mod watch;

pub use error::ServerError;
pub use options::{Listen, Options, WatchCommand, default_data_dir};
pub(crate) use reader::PRIVATE_TABLES;
pub use reader::grant_reader;
pub use running::Running;
pub use status::Status;

use std::path::Path;
use std::time::Duration;

/// The server nobody has used for this long stops by itself.
pub const IDLE_LIMIT: Duration = Duration::from_secs(600);

/// The database that Weir's tables are in.
pub const DATABASE: &str = "weir";

/// The role Weir works as; it owns the database.
pub const OWNER_ROLE: &str = "weir";

/// The role for BI tools and people who only look.
pub const READER_ROLE: &str = "weir_reader";

/// Weir's own PostgreSQL in one data directory.
pub struct Server;

impl Server {
    /// Makes the server of this data directory run, and holds it in use until the result is dropped.
    ///
    /// The first call initialises the cluster; a call that finds the server running only connects. Any number of
    /// processes may call it at once.
    pub async fn open(options: &Options) -> Result<Running, ServerError> {
        open::open(options).await
    }

    /// Makes a server run again that was opened before and has ended. One that somebody stopped stays stopped.
    pub async fn reopen(options: &Options) -> Result<Running, ServerError> {
        open::reopen(options).await
    }

    /// What is known of the server without starting it.
    pub fn status(data_dir: &Path) -> Result<Status, ServerError> {
        status::status(data_dir)
    }

    /// Stops the server until [`open`](Server::open) is called again; open transactions are rolled back, committed ones are
    /// kept. False: it was not running.
    pub async fn stop(data_dir: &Path) -> Result<bool, ServerError> {
        stop::stop(data_dir).await
    }

    /// Waits until nobody has used the server for `idle`, then stops it. Returns early when the server stops, and
    /// at once when another watcher is at work. The body of the command given as [`Options::watch_command`].
    pub async fn watch(data_dir: &Path, idle: Duration) -> Result<(), ServerError> {
        watch::watch(data_dir, idle).await
    }
}
