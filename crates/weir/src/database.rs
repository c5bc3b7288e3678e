//! The database in use: the user's own server, or Weir's in the data directory.

use std::path::Path;
use std::time::Duration;

use store::Store;
use store::server::{Listen, Options, Running, Server, ServerError, Status, WatchCommand};

use crate::configuration::Configuration;
use crate::problem::Problem;
use crate::settings::Settings;

/// An open database. Weir's own server counts as in use for as long as this lives.
pub struct Database {
    pub store: Store,
    running: Option<Running>,
}

impl Database {
    /// Where Weir's own server keeps its data; none where this is another.
    pub fn data_dir(&self) -> Option<&Path> {
        self.running.as_ref().map(Running::data_dir)
    }
}

/// Opens the database in use with Weir's schema in it, starting Weir's own server if no other is named.
pub async fn open(settings: &Settings, connections: u32) -> Result<Database, Problem> {
    match settings.database_url() {
        Some(url) => at(&url.value, connections).await,
        None => own(&settings.data_dir()?.value, connections).await,
    }
}

/// Connections of a process that nobody watches: its workers and the requests it answers share them.
pub const UNATTENDED: u32 = 24;

/// Opens the database that the configuration or the command line names.
pub async fn of(
    settings: &Settings,
    configuration: &Configuration,
    connections: u32,
) -> Result<Database, Problem> {
    match (&settings.database_url, &configuration.database_url) {
        (None, Some(url)) => at(url, connections).await,
        _ => open(settings, connections).await,
    }
}

/// The database with the rights of a reader: the role of Weir's own server, or one that the configuration names.
pub async fn reader(database: &Database, configuration: &Configuration) -> Result<Option<Store>, Problem> {
    let url = match (&configuration.reader_database_url, &database.running) {
        (Some(url), _) => url.clone(),
        (None, Some(running)) => running.reader_url(),
        (None, None) => return Ok(None),
    };
    let store = Store::connect(&url, READERS).await?;
    if store.sees_secrets().await? {
        return Err(Problem::usage(READS_SECRETS));
    }
    Ok(Some(store))
}

const READS_SECRETS: &str = "The role of WEIR_READER_DATABASE_URL can read the tables in which Weir keeps sealed tokens. Make one that cannot: \
                             `create role weir_reader login password '...'`; Weir grants it what it may read with its next start.";

/// Questions in SQL that are answered at once.
const READERS: u32 = 4;

/// Opens the database in use for questions: a server of the user's own is left as it is.
pub async fn open_for_reading(settings: &Settings) -> Result<Database, Problem> {
    match settings.database_url() {
        Some(url) => Ok(Database { store: Store::connect(&url.value, 1).await?, running: None }),
        None => {
            let owned = own(&settings.data_dir()?.value, 1).await?;
            let Some(running) = &owned.running else { return Ok(owned) };
            // The owner of Weir's own server may run programs and read files; its reader may not.
            Ok(Database { store: Store::connect(&running.reader_url(), 1).await?, ..owned })
        }
    }
}

async fn at(url: &str, connections: u32) -> Result<Database, Problem> {
    let store = Store::open(url, connections).await?;
    grant(&store).await;
    Ok(Database { store, running: None })
}

/// Weir's own database in this data directory.
pub async fn own(data_dir: &Path, connections: u32) -> Result<Database, Problem> {
    let running = Server::open(&options(data_dir, None)).await?;
    let store = Store::open(&running.url(), connections).await?;
    grant(&store).await;
    Ok(Database { store, running: Some(running) })
}

/// Between two looks at whether Weir's own server is still there.
const LOOK: Duration = Duration::from_secs(1);
/// So many starts in a row have to fail.
const FAILURES: usize = 3;

/// Starts Weir's own server again whenever it has ended, unless somebody stopped it. Returns when it cannot be started, with
/// the reason.
pub async fn kept(data_dir: &Path) -> Problem {
    // Each counts as a user of the server that it started.
    let mut started: Vec<Running> = Vec::new();
    let mut failures = 0;
    loop {
        tokio::time::sleep(LOOK).await;
        if matches!(Server::status(data_dir), Ok(Status::Running { .. })) {
            failures = 0;
            continue;
        }
        match Server::reopen(&options(data_dir, None)).await {
            Ok(running) => started.push(running),
            Err(error @ (ServerError::Stopped | ServerError::Gone { .. })) => return error.into(),
            Err(error) => {
                failures += 1;
                if failures == FAILURES {
                    return error.into();
                }
            }
        }
    }
}

/// Readers without rights are no reason to stop.
async fn grant(store: &Store) {
    if let Err(error) = store.grant_reader().await {
        tracing::warn!(%error, "the role for readers could not be given its rights");
    }
}

/// How Weir's own server is opened, with the watcher that stops it when nobody uses it.
pub fn options(data_dir: &Path, listen: Option<Listen>) -> Options {
    let mut options = Options::new(data_dir);
    options.listen = listen;
    options.watch_command = std::env::current_exe().ok().map(|program| WatchCommand {
        program,
        arguments: vec![
            "database".to_owned(),
            "watch".to_owned(),
            format!("--data-dir={}", data_dir.display()),
        ],
    });
    options
}
