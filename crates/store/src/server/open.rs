//! From nothing, or a stopped cluster, or a running server, to one that answers.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::account::Account;
use super::binaries::Binaries;
use super::error::{At, ServerError};
use super::home::{self, Home};
use super::options::{Listen, Options};
use super::running::Running;
use super::{cluster, lock, postmaster, probe, reader, settings, stop, watch};

pub(super) async fn open(options: &Options) -> Result<Running, ServerError> {
    let data_dir = make_data_dir(&options.data_dir)?;
    open_in(&data_dir, options, wanted).await.map_err(|it| home::explain(it, &data_dir))
}

/// The same for a server that was opened before: it is neither made nor started against somebody's will.
pub(super) async fn reopen(options: &Options) -> Result<Running, ServerError> {
    let Ok(data_dir) = options.data_dir.canonicalize() else {
        return Err(ServerError::Gone { path: options.data_dir.clone() });
    };
    open_in(&data_dir, options, still_wanted).await.map_err(|it| home::explain(it, &data_dir))
}

/// A command wants the server, whoever stopped it before.
fn wanted(data_dir: &Path) -> Result<(), ServerError> {
    let mark = Home::stopped(data_dir);
    match fs::remove_file(&mark) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ServerError::io("removing", &mark, error))
        }
        _ => Ok(()),
    }
}

fn still_wanted(data_dir: &Path) -> Result<(), ServerError> {
    if Home::stopped(data_dir).exists() {
        return Err(ServerError::Stopped);
    }
    match Home::find(data_dir)?.map(|it| it.version()).transpose()?.flatten() {
        Some(_) => Ok(()),
        None => Err(ServerError::Gone { path: data_dir.to_owned() }),
    }
}

async fn open_in(
    data_dir: &Path,
    options: &Options,
    may_open: impl FnOnce(&Path) -> Result<(), ServerError>,
) -> Result<Running, ServerError> {
    let owner = Account::of(&fs::metadata(data_dir).at("reading", data_dir)?);
    let _alone = lock::exclusive(&Home::start_lock(data_dir), owner).await?;
    may_open(data_dir)?;
    let home = Home::make(data_dir, options.account.as_deref()).await?;
    let listen = options.listen.unwrap_or_else(|| postmaster::listen(&home));
    leave_other_address(&home, listen).await?;
    let started = bring_up(&home, options, listen).await?;
    // Before the lock is given up, so that no watcher stops the server in between.
    let lease = lock::shared(&home.lease(), home.owner)?;
    settings::remember(&home, listen)?;
    watch::ensure(&home, options.watch_command.as_ref())?;
    Running::new(home, listen, started, lease)
}

/// The address is part of what the server is started with, so another one takes a restart.
async fn leave_other_address(home: &Home, listen: Listen) -> Result<(), ServerError> {
    let Some(before) = postmaster::running_listen(home).filter(|it| *it != listen) else { return Ok(()) };
    if is_in_use(home).await? {
        return Err(ServerError::InUse);
    }
    stop::shut_down(home, settings::port(before)).await
}

async fn is_in_use(home: &Home) -> Result<bool, ServerError> {
    for _ in 0..3 {
        if lock::try_alone(&home.lease(), home.owner)?.is_some() {
            return Ok(false);
        }
        // A watcher that is just looking holds the lease for an instant.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(true)
}

async fn bring_up(home: &Home, options: &Options, listen: Listen) -> Result<bool, ServerError> {
    let port = settings::port(listen);
    let version = home.version()?;
    if version.is_some() && home.password().exists() && probe::listens(home, port) {
        let password = probe::password(home)?;
        if let probe::Answer::Ready = probe::ask(home, port, &password).await? {
            return Ok(false);
        }
    }
    let binaries = Binaries::get(home, options.binaries.as_deref(), version).await?;
    if version.is_none() {
        cluster::initialise(home, &binaries).await?;
    }
    if !home.password().exists() {
        stop::shut_down(home, port).await?;
        cluster::renew_password(home, &binaries).await?;
    }
    let password = probe::password(home)?;
    let started = postmaster::bring_up(home, &binaries, listen, &password).await?;
    reader::prepare(home, port, &password).await?;
    Ok(started)
}

/// The data directory as an absolute path without links, made when missing.
fn make_data_dir(path: &Path) -> Result<PathBuf, ServerError> {
    if !path.exists() {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).at("creating", parent)?;
        }
        // Root's server runs as another account, which has to pass through. What is secret has its own permissions.
        let mode = if Account::caller().uid.is_root() { 0o711 } else { 0o700 };
        DirBuilder::new().recursive(true).mode(mode).create(path).at("creating", path)?;
    }
    path.canonicalize().at("reading", path)
}
