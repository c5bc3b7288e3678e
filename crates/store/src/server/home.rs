//! Where the cluster is: inside the data directory, or beside it when its account cannot get there.
//!
//! ```text
//! <data dir>/postgresql.lock        held while the server is being started or stopped
//! <data dir>/postgresql-stopped     from when somebody stopped the server until a command wants it again
//! <data dir>/postgresql-location    only when the cluster is elsewhere: the path of that folder
//! <data dir>/postgresql/            the home:
//!     data/                         the cluster itself, of PostgreSQL's account
//!     log/                          its log of the last seven days
//!     socket/                       its socket, unless the path is too long for one
//!     binaries/                     PostgreSQL, when it had to be fetched
//!     postgresql.conf, pg_hba.conf  written by Weir at each start
//!     custom.conf                   settings of the operator, read last
//!     listen                        the TCP address chosen with --listen
//!     password, reader-password     readable by the owner of the data directory only
//! ```

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use super::account::Account;
use super::error::{At, ServerError};
use super::lock;

/// Homes of data directories that PostgreSQL's account cannot enter, such as those below /root.
const ELSEWHERE: &str = "/var/lib/weir";

/// The shortest limit of a socket's path among the platforms, less the terminating zero.
const SOCKET_PATH_LIMIT: usize = 103;

/// The folder that holds the cluster, and the accounts concerned.
#[derive(Clone, Debug)]
pub(super) struct Home {
    pub(super) root: PathBuf,
    pub(super) data_dir: PathBuf,
    /// Who owns the data directory and may read the passwords.
    pub(super) owner: Account,
    /// Who PostgreSQL runs as.
    pub(super) account: Account,
}

impl Home {
    pub(super) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    pub(super) fn password(&self) -> PathBuf {
        self.root.join("password")
    }

    pub(super) fn reader_password(&self) -> PathBuf {
        self.root.join("reader-password")
    }

    pub(super) fn lease(&self) -> PathBuf {
        self.root.join("lease")
    }

    pub(super) fn watcher(&self) -> PathBuf {
        self.root.join("watcher")
    }

    pub(super) fn listen(&self) -> PathBuf {
        self.root.join("listen")
    }

    pub(super) fn start_lock(data_dir: &Path) -> PathBuf {
        data_dir.join("postgresql.lock")
    }

    /// Says that somebody stopped the server. Beside the home, which may be moved away meanwhile.
    pub(super) fn stopped(data_dir: &Path) -> PathBuf {
        data_dir.join("postgresql-stopped")
    }

    /// The cluster's major version; None before it is initialised. The folder gets its name only when complete.
    pub(super) fn version(&self) -> Result<Option<u32>, ServerError> {
        let file = self.data().join("PG_VERSION");
        match fs::read_to_string(&file) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(explain(ServerError::io("reading", &file, error), &self.data_dir)),
        }
    }

    /// The folder of the socket. A long path does not fit into a socket's address, so it gets a short one in /tmp,
    /// which every process works out alike.
    pub(super) fn socket_dir(&self) -> PathBuf {
        let inside = self.root.join("socket");
        match inside.as_os_str().len() + "/.s.PGSQL.65535".len() <= SOCKET_PATH_LIMIT {
            true => inside,
            false => PathBuf::from(format!("/tmp/weir-{:016x}", fingerprint(&self.root))),
        }
    }

    pub(super) fn socket(&self, port: u16) -> PathBuf {
        self.socket_dir().join(format!(".s.PGSQL.{port}"))
    }

    /// The home of a data directory in which one was made before.
    pub(super) fn find(data_dir: &Path) -> Result<Option<Self>, ServerError> {
        let root = location(data_dir)?;
        let Ok(data_dir_metadata) = fs::metadata(data_dir) else { return Ok(None) };
        let cluster = fs::metadata(root.join("data")).ok();
        if !root.is_dir() {
            return Ok(None);
        }
        let owner = Account::of(&data_dir_metadata);
        let account = cluster.as_ref().map_or(owner, Account::of);
        Ok(Some(Self { root, data_dir: data_dir.to_owned(), owner, account }))
    }

    /// The home of a data directory, made when missing. Call it under the start lock.
    pub(super) async fn make(data_dir: &Path, preferred: Option<&str>) -> Result<Self, ServerError> {
        let metadata = fs::metadata(data_dir).at("reading", data_dir)?;
        let root = location(data_dir)?;
        let cluster = fs::metadata(root.join("data")).ok();
        let account = Account::choose(&metadata, cluster.as_ref(), preferred)?;
        let mut home = Self { root, data_dir: data_dir.to_owned(), owner: Account::of(&metadata), account };
        match cluster {
            Some(cluster) => home.check_owner(Account::of(&cluster))?,
            None => home.begin_anew()?,
        }
        if !home.root.is_dir() {
            home.place().await?;
        }
        home.make_folders()?;
        Ok(home)
    }

    fn check_owner(&self, cluster: Account) -> Result<(), ServerError> {
        match cluster.uid == self.account.uid {
            true => Ok(()),
            false => Err(owned_by_another(&self.data(), cluster)),
        }
    }

    /// An attempt that failed before there was a cluster may have chosen another account.
    fn begin_anew(&self) -> Result<(), ServerError> {
        if !self.account.has_name() {
            return Err(ServerError::NamelessAccount { uid: self.account.uid.as_raw() });
        }
        for folder in [self.log(), self.socket_dir()] {
            // What stays is looked at when the folders are made.
            let _ = fs::remove_dir_all(folder);
        }
        Ok(())
    }

    /// Makes the home inside the data directory if PostgreSQL's account can get there, else elsewhere. Permissions
    /// of folders that are not ours stay as they are.
    async fn place(&mut self) -> Result<(), ServerError> {
        if !self.account.can_enter(&self.data_dir).await {
            self.root = Path::new(ELSEWHERE).join(format!("{:016x}", rand::random::<u64>()));
            let pointer = self.data_dir.join("postgresql-location");
            let place = self.root.to_string_lossy().into_owned();
            fs::create_dir_all(ELSEWHERE).at("creating", Path::new(ELSEWHERE))?;
            self.write(&pointer, 0o600, &place)?;
        }
        // Others can pass through to the folders of PostgreSQL's account, but not list or read what is here.
        self.make_folder(&self.root, 0o711, self.owner)
    }

    fn make_folders(&self) -> Result<(), ServerError> {
        let socket_dir = self.socket_dir();
        self.make_folder(&self.log(), 0o700, self.account)?;
        self.make_folder(&socket_dir, 0o700, self.account)?;
        self.check_socket_dir(&socket_dir)
    }

    /// In /tmp anybody could have made the folder before us, to listen in place of our server.
    fn check_socket_dir(&self, path: &Path) -> Result<(), ServerError> {
        let metadata = fs::symlink_metadata(path).at("reading", path)?;
        let reason = match metadata {
            it if !it.is_dir() => "it is not a folder".to_owned(),
            it if it.uid() != self.account.uid.as_raw() => {
                format!("it belongs to {}", Account::of(&it).name())
            }
            it if it.mode() & 0o077 != 0 => "others can write to it".to_owned(),
            _ => return Ok(()),
        };
        Err(ServerError::UnsafeSocketDir { path: path.to_owned(), reason })
    }

    /// A folder of the given account; one that exists is left as it is.
    pub(super) fn make_folder(&self, path: &Path, mode: u32, of: Account) -> Result<(), ServerError> {
        match DirBuilder::new().mode(mode).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            Err(error) => return Err(ServerError::io("creating", path, error)),
        }
        // The umask may have taken bits away.
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).at("creating", path)?;
        match of == Account::caller() {
            true => Ok(()),
            false => lchown(path, Some(of.uid.as_raw()), Some(of.gid.as_raw())).at("creating", path),
        }
    }

    /// Writes a small file of the data directory's owner; readers see the old content or the new, never a half.
    pub(super) fn write(&self, path: &Path, mode: u32, content: &str) -> Result<(), ServerError> {
        self.write_for(self.owner, path, mode, content)
    }

    pub(super) fn write_for(
        &self,
        of: Account,
        path: &Path,
        mode: u32,
        content: &str,
    ) -> Result<(), ServerError> {
        let draft = path.with_extension(format!("{:016x}", rand::random::<u64>()));
        let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft);
        let written = new.and_then(|mut file| {
            file.set_permissions(fs::Permissions::from_mode(mode))?;
            lock::give(&file, of)?;
            file.write_all(content.as_bytes())?;
            file.sync_all()
        });
        written.and_then(|()| fs::rename(&draft, path)).at("writing", path)
    }
}

/// Says whose data directory it is when the caller is not allowed to use it.
pub(super) fn explain(error: ServerError, data_dir: &Path) -> ServerError {
    let ServerError::NotWritable { .. } = error else { return error };
    match fs::metadata(data_dir).map(|it| Account::of(&it)) {
        Ok(owner) if owner.uid != Account::caller().uid => owned_by_another(data_dir, owner),
        _ => error,
    }
}

fn owned_by_another(path: &Path, owner: Account) -> ServerError {
    ServerError::OwnedByAnother {
        path: path.to_owned(),
        owner: owner.name(),
        caller: Account::caller().name(),
    }
}

fn location(data_dir: &Path) -> Result<PathBuf, ServerError> {
    let pointer = data_dir.join("postgresql-location");
    match fs::read_to_string(&pointer) {
        Ok(path) => Ok(PathBuf::from(path.trim_end())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(data_dir.join("postgresql")),
        Err(error) => Err(ServerError::io("reading", &pointer, error)),
    }
}

/// FNV-1a: the same in every version of Weir, which the standard library's hasher does not promise.
fn fingerprint(path: &Path) -> u64 {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
