//! Stops a server that nobody uses.
//!
//! A process of its own, as PostgreSQL has no such setting. It is started beside the server and ends with it. "In
//! use" means: some Weir process holds the lease, or somebody has been connected since the last look.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::{Connection, Row};

use super::account::Account;
use super::error::{At, ServerError};
use super::home::Home;
use super::options::{Listen, WatchCommand};
use super::{DATABASE, detach, lock, postmaster, probe, settings, stop};

/// Starts a watcher unless one is at work.
pub(super) fn ensure(home: &Home, command: Option<&WatchCommand>) -> Result<(), ServerError> {
    let Some(WatchCommand { program, arguments }) = command else { return Ok(()) };
    if lock::try_alone(&home.watcher(), home.owner)?.is_none() {
        return Ok(());
    }
    let mut watcher = detach::command(Account::caller(), program);
    watcher.envs(std::env::var_os("HOME").map(|it| ("HOME", it)));
    watcher.args(arguments).current_dir("/").spawn().at("running", program)?;
    Ok(())
}

pub(super) async fn watch(data_dir: &Path, idle: Duration) -> Result<(), ServerError> {
    let data_dir = data_dir.canonicalize().at("reading", data_dir)?;
    let Some(home) = Home::find(&data_dir)? else { return Ok(()) };
    let Some(_only) = lock::try_alone(&home.watcher(), home.owner)? else { return Ok(()) };
    let pause = (idle / 20).clamp(Duration::from_millis(100), Duration::from_secs(10));
    let mut usage = Usage::default();
    let mut last_use = Instant::now();
    while runs(&home) {
        if usage.is_used(&home).await? {
            last_use = Instant::now();
        }
        if last_use.elapsed() >= idle && stop_unused(&home, &mut usage).await? {
            return Ok(());
        }
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

fn runs(home: &Home) -> bool {
    postmaster::is_alive(home)
}

/// Under the start lock, so that nobody who is just arriving finds a server that is about to leave.
async fn stop_unused(home: &Home, usage: &mut Usage) -> Result<bool, ServerError> {
    let _alone = lock::exclusive(&Home::start_lock(&home.data_dir), home.owner).await?;
    if usage.is_used(home).await? {
        return Ok(false);
    }
    stop::shut_down(home, settings::port(postmaster::listen(home))).await?;
    Ok(true)
}

/// What the last look saw.
#[derive(Default)]
struct Usage {
    sessions: i64,
}

impl Usage {
    async fn is_used(&mut self, home: &Home) -> Result<bool, ServerError> {
        let listen = postmaster::listen(home);
        // Whoever opened TCP for other programs cannot start the server from there, so it stays.
        if listen != Listen::Off || lock::try_alone(&home.lease(), home.owner)?.is_none() {
            return Ok(true);
        }
        let port = settings::port(listen);
        // A server that refuses connections is busy, or gone, which the next turn sees.
        Ok(self.is_connected(home, port).await.unwrap_or(true))
    }

    /// Whether anybody is connected, or was since the last look: short visits show in the count of sessions.
    async fn is_connected(&mut self, home: &Home, port: u16) -> Result<bool, ServerError> {
        let password = probe::password(home)?;
        let mut server = probe::connect(home, port, &password, "postgres").await?;
        let query = "select \
            (select count(*) from pg_catalog.pg_stat_activity \
             where backend_type in ('client backend', 'walsender') and pid <> pg_backend_pid()), \
            (select sessions from pg_catalog.pg_stat_database where datname = $1)";
        let row = sqlx::query(query).bind(DATABASE).fetch_one(&mut server).await?;
        let (connected, sessions): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        server.close().await?;
        let before = std::mem::replace(&mut self.sessions, sessions.unwrap_or(0));
        Ok(connected > 0 || before != self.sessions)
    }
}
