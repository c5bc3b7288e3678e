//! Finds an installed PostgreSQL that really runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::ServerError;
use super::account::Account;
use super::fetch;
use super::home::Home;

/// The oldest major version that Weir's tables work on.
pub(super) const OLDEST: u32 = 15;

/// Folders of a version's folder: `/usr/lib/postgresql/15` + `bin`, and the like.
const PARENTS: [(&str, &str, &str); 6] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// One installation.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    folder: PathBuf,
    pub(super) version: u32,
}

impl Binaries {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The installation to use: the cluster's version if there is a cluster, else the newest; fetched when there is
    /// none.
    pub(super) async fn get(
        home: &Home,
        named: Option<&Path>,
        cluster: Option<u32>,
    ) -> Result<Self, ServerError> {
        if let Some(folder) = named {
            return Self::named(folder, home.account, cluster).await;
        }
        if let Some(found) = Self::find(home, cluster).await {
            return Ok(found);
        }
        let folder = fetch::fetch(home, cluster).await?;
        Self::named(&folder, home.account, cluster).await
    }

    async fn named(folder: &Path, account: Account, cluster: Option<u32>) -> Result<Self, ServerError> {
        let unusable = |reason| ServerError::UnusableBinaries { path: folder.to_owned(), reason };
        let found = Self::inspect(folder, account).await.map_err(unusable)?;
        match cluster {
            Some(version) if version != found.version => Err(unusable(format!(
                "it is version {}, and the database was made by version {version}",
                found.version
            ))),
            _ => Ok(found),
        }
    }

    /// An installation of the cluster's version, or the newest, without fetching one.
    pub(super) async fn find(home: &Home, cluster: Option<u32>) -> Option<Self> {
        let mut newest: Option<Self> = None;
        for folder in candidates(&home.root.join("binaries")) {
            match Self::inspect(&folder, home.account).await {
                Ok(found) if Some(found.version) == cluster => return Some(found),
                Ok(found) if cluster.is_none() => {
                    if newest.as_ref().is_none_or(|it| it.version < found.version) {
                        newest = Some(found);
                    }
                }
                Ok(_) => {}
                Err(reason) => tracing::debug!(folder = %folder.display(), reason, "not a usable PostgreSQL"),
            }
        }
        newest
    }

    /// Runs `postgres --version` as the account that will run the server: a folder can be there and yet be out of
    /// its reach, or hold wrappers of something not installed.
    async fn inspect(folder: &Path, account: Account) -> Result<Self, String> {
        for name in ["initdb", "pg_ctl", "postgres"] {
            if !folder.join(name).exists() {
                return Err(format!("there is no {name}"));
            }
        }
        let mut command = account.command(&folder.join("postgres"));
        let output = command.arg("--version").current_dir("/").output().await;
        let output = output.map_err(|it| format!("{} cannot run it: {it}", account.name()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version =
            major(&text).ok_or_else(|| format!("it does not tell its version ({})", text.trim()))?;
        match version >= OLDEST {
            true => Ok(Self { folder: folder.to_owned(), version }),
            false => Err(format!("it is version {version}, and Weir needs {OLDEST} or newer")),
        }
    }
}

/// `postgres (PostgreSQL) 15.16 (Debian 15.16-0+deb12u1)` is 15; `17beta1` is 17.
fn major(text: &str) -> Option<u32> {
    let number = text.split_once("(PostgreSQL) ")?.1;
    let end = number.find(|it: char| !it.is_ascii_digit()).unwrap_or(number.len());
    number[..end].parse().ok()
}

/// Folders that may hold PostgreSQL, links resolved, each once.
fn candidates(fetched: &Path) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    for (parent, prefix, below) in PARENTS {
        folders.extend(children(Path::new(parent), prefix, below));
    }
    folders.extend(["/usr/local/pgsql/bin", "/usr/lib/postgresql/bin", "/usr/bin"].map(PathBuf::from));
    folders.extend(children(fetched, "", "bin"));
    let mut seen = BTreeSet::new();
    folders.iter().filter_map(|it| resolved(it)).filter(|it| seen.insert(it.clone())).collect()
}

fn children(parent: &Path, prefix: &str, below: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let named = entries.filter(|it| it.file_name().to_string_lossy().starts_with(prefix));
    let mut folders: Vec<PathBuf> = named.map(|it| it.path().join(below)).collect();
    folders.sort();
    folders.reverse();
    folders
}

fn resolved(folder: &Path) -> Option<PathBuf> {
    let postgres = folder.join("postgres").canonicalize().ok()?;
    Some(postgres.parent()?.to_owned())
}

/// A client program: the one that belongs to the server's version, as `pg_dump` refuses a newer server's data, else
/// the one on the PATH.
pub(super) async fn client_program(home: &Home, name: &str) -> Option<PathBuf> {
    let version = home.version().ok().flatten();
    let beside = Binaries::find(home, version).await.map(|it| it.program(name));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|it| it.join(name)).collect::<Vec<_>>();
    beside.into_iter().chain(on_path).find(|it| it.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_every_spelling() {
        assert_eq!(major("postgres (PostgreSQL) 15.16 (Debian 15.16-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 17beta1"), Some(17));
        assert_eq!(major("postgres (PostgreSQL) 18"), Some(18));
        assert_eq!(major("command not found"), None);
    }
}
