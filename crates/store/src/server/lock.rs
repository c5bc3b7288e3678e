//! File locks: one process at a time starts or stops the server, and every process that uses it holds a lease.
//!
//! The kernel releases them when their holder dies, however it dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::libc;

use super::account::Account;
use super::error::{At, ServerError};

/// Initialising on a slow disk, or recovery after a crash, can keep the lock this long.
const PATIENCE: Duration = Duration::from_secs(660);

/// Waits until this process alone may start or stop the server.
pub(super) async fn exclusive(path: &Path, owner: Account) -> Result<File, ServerError> {
    let file = open(path, owner)?;
    let begin = Instant::now();
    while !try_exclusive(&file, path)? {
        if begin.elapsed() > PATIENCE {
            return Err(ServerError::Locked { path: path.to_owned() });
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(file)
}

/// Marks the server as in use for as long as the file stays open.
pub(super) fn shared(path: &Path, owner: Account) -> Result<File, ServerError> {
    let file = open(path, owner)?;
    // It blocks for an instant at most: only who checks for other users holds it exclusively.
    file.lock_shared().at("locking", path)?;
    Ok(file)
}

/// Takes the lock if nobody else holds it.
pub(super) fn try_alone(path: &Path, owner: Account) -> Result<Option<File>, ServerError> {
    let file = open(path, owner)?;
    Ok(try_exclusive(&file, path)?.then_some(file))
}

fn try_exclusive(file: &File, path: &Path) -> Result<bool, ServerError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(ServerError::io("locking", path, source)),
    }
}

fn open(path: &Path, owner: Account) -> Result<File, ServerError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    match options.clone().create_new(true).open(path) {
        Ok(file) => {
            give(&file, owner).at("creating", path)?;
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path).at("opening", path),
        Err(error) => Err(ServerError::io("creating", path, error)),
    }
}

/// Hands a file that we have just created to the owner of the data directory.
pub(super) fn give(file: &File, owner: Account) -> io::Result<()> {
    match Account::caller() == owner {
        true => Ok(()),
        false => fchown(file, Some(owner.uid.as_raw()), Some(owner.gid.as_raw())),
    }
}
