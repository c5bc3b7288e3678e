//! The account that PostgreSQL runs as: the caller's own, or an unprivileged one when the caller is root.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{Gid, Uid, User, geteuid};
use tokio::process::Command;

use super::ServerError;

/// Accounts that root may hand the cluster to, in this order.
const CANDIDATES: [&str; 3] = ["postgres", "weir", "nobody"];

/// Variables that PostgreSQL may need from our environment. Everything else stays here: tokens among it, and
/// `PG*` variables that would change what it does.
const KEPT_VARIABLES: [&str; 4] = ["PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// An account of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: Uid,
    pub(super) gid: Gid,
}

impl Account {
    pub(super) fn caller() -> Self {
        Self { uid: geteuid(), gid: nix::unistd::getegid() }
    }

    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { uid: Uid::from_raw(metadata.uid()), gid: Gid::from_raw(metadata.gid()) }
    }

    /// The account to run PostgreSQL as. An existing cluster decides, then the owner of the data directory, so that
    /// `sudo weir` and `weir` can share one.
    pub(super) fn choose(
        data_dir: &Metadata,
        cluster: Option<&Metadata>,
        preferred: Option<&str>,
    ) -> Result<Self, ServerError> {
        let caller = Self::caller();
        if !caller.uid.is_root() {
            return Ok(caller);
        }
        let maker = cluster.map(Self::of).filter(|it| !it.uid.is_root());
        let owner = Some(Self::of(data_dir)).filter(|it| !it.uid.is_root() && it.has_name());
        maker.or(owner).map_or_else(|| Self::unprivileged(preferred), Ok)
    }

    fn unprivileged(preferred: Option<&str>) -> Result<Self, ServerError> {
        if let Some(name) = preferred {
            return Self::named(name).ok_or_else(|| ServerError::NoSuchAccount { name: name.to_owned() });
        }
        CANDIDATES.into_iter().find_map(Self::named).ok_or(ServerError::NoAccount)
    }

    fn named(name: &str) -> Option<Self> {
        let user = User::from_name(name).ok()??;
        (!user.uid.is_root()).then_some(Self { uid: user.uid, gid: user.gid })
    }

    /// Containers run under numbers that no account has. PostgreSQL starts as one of them, but `initdb` does not.
    pub(super) fn has_name(self) -> bool {
        matches!(User::from_uid(self.uid), Ok(Some(_)))
    }

    /// For messages: the name, or the number of an account without one (as in containers).
    pub(super) fn name(self) -> String {
        match User::from_uid(self.uid) {
            Ok(Some(user)) => user.name,
            _ => format!("the account number {}", self.uid),
        }
    }

    /// A command that runs as this account, without our environment.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(KEPT_VARIABLES.iter().filter_map(|it| Some((it, std::env::var_os(it)?))));
        command.stdin(std::process::Stdio::null());
        if self != Self::caller() {
            // The standard library also drops root's supplementary groups when a uid is given.
            command.gid(self.gid.as_raw()).uid(self.uid.as_raw());
        }
        command
    }

    /// Whether this account can go into a folder. Asked of the kernel, as the mode bits do not tell about access
    /// lists and mounts.
    pub(super) async fn can_enter(self, folder: &Path) -> bool {
        let mut command = self.command(Path::new("/bin/sh"));
        command.args(["-c", ":"]).current_dir(folder);
        command.status().await.is_ok_and(|it| it.success())
    }
}
