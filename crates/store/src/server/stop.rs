//! Stops the server.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::account::Account;
use super::error::{At, ServerError};
use super::home::{self, Home};
use super::{lock, postmaster, probe, settings};

/// A fast shutdown ends the connections and writes everything to the tables' files.
const FAST: Duration = Duration::from_secs(60);

/// An immediate one leaves that to the next start.
const IMMEDIATE: Duration = Duration::from_secs(10);

pub(super) async fn stop(data_dir: &Path) -> Result<bool, ServerError> {
    let Ok(data_dir) = data_dir.canonicalize() else { return Ok(false) };
    stop_in(&data_dir).await.map_err(|it| home::explain(it, &data_dir))
}

async fn stop_in(data_dir: &Path) -> Result<bool, ServerError> {
    let owner = Account::of(&fs::metadata(data_dir).at("reading", data_dir)?);
    let Some(home) = Home::find(data_dir)? else { return Ok(false) };
    let _alone = lock::exclusive(&Home::start_lock(data_dir), owner).await?;
    let port = settings::port(postmaster::listen(&home));
    let runs = !is_gone(&home, port);
    shut_down(&home, port).await?;
    // Before the lock is given up, so that no process that was using it starts it again in between.
    home.write(&Home::stopped(data_dir), 0o600, "")?;
    Ok(runs)
}

/// Stops the server of this home, if there is one. Call it under the start lock.
pub(super) async fn shut_down(home: &Home, port: u16) -> Result<(), ServerError> {
    for (signal, patience) in [(Signal::SIGINT, FAST), (Signal::SIGQUIT, IMMEDIATE)] {
        if is_gone(home, port) {
            return Ok(());
        }
        postmaster::signal(home, signal);
        wait(home, port, patience).await;
    }
    match is_gone(home, port) {
        true => Ok(()),
        false => Err(ServerError::StopFailed { seconds: (FAST + IMMEDIATE).as_secs(), log: home.log() }),
    }
}

async fn wait(home: &Home, port: u16, patience: Duration) {
    let begin = Instant::now();
    while !is_gone(home, port) && begin.elapsed() < patience {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// PostgreSQL closes its socket first and removes `postmaster.pid` last.
fn is_gone(home: &Home, port: u16) -> bool {
    !probe::listens(home, port) && !postmaster::is_alive(home)
}
