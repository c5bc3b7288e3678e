//! A data directory of a test: the server is stopped and everything removed when the test ends, however it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use store::server::{Options, Running, Server, Status};

pub struct Place {
    pub root: PathBuf,
    pub data_dir: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        let root = PathBuf::from(format!("/tmp/weir-test-{:08x}", rand::random::<u32>()));
        fs::create_dir(&root).unwrap();
        let data_dir = root.join("data dir");
        Self { root, data_dir }
    }

    pub fn options(&self) -> Options {
        Options::new(&self.data_dir)
    }

    pub async fn open(&self) -> Running {
        Server::open(&self.options()).await.unwrap()
    }

    pub fn pid(&self) -> i32 {
        match Server::status(&self.data_dir).unwrap() {
            Status::Running { pid, .. } => pid.unwrap(),
            other => panic!("not running: {other:?}"),
        }
    }

    pub fn runs(&self) -> bool {
        matches!(Server::status(&self.data_dir).unwrap(), Status::Running { .. })
    }

    /// The folder of the cluster, wherever it was put.
    pub fn home(&self) -> PathBuf {
        match fs::read_to_string(self.data_dir.join("postgresql-location")) {
            Ok(path) => PathBuf::from(path),
            Err(_) => self.data_dir.join("postgresql"),
        }
    }

    pub fn cluster(&self) -> PathBuf {
        self.home().join("data")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let pid_file = self.cluster().join("postmaster.pid");
        if let Some(pid) = first_line(&pid_file).filter(|it| works_in(*it, &self.cluster())) {
            kill(pid, "-QUIT");
            wait_until("the server is gone", || !pid_file.exists());
        }
        let _ = fs::remove_dir_all(self.home());
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn first_line(pid_file: &Path) -> Option<i32> {
    fs::read_to_string(pid_file).ok()?.lines().next()?.parse().ok()
}

fn works_in(pid: i32, folder: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd"))
        .is_ok_and(|it| folder.canonicalize().is_ok_and(|cluster| it == cluster))
}

pub fn kill(pid: i32, signal: &str) {
    let status = Command::new("kill").args([signal, &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..2000 {
        if condition() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("waited too long until {what}");
}

/// The first column of the first row, as text.
pub async fn ask(url: &str, sql: &str) -> Result<String, sqlx::Error> {
    let mut database = PgConnection::connect(url).await?;
    let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&mut database).await?;
    let text = row.try_get(0)?;
    database.close().await?;
    Ok(text)
}

pub async fn run(url: &str, sql: &str) -> Result<(), sqlx::Error> {
    let mut database = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut database).await?;
    database.close().await
}

pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
