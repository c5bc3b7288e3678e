//! Root, ordinary users, and what each may do with whose data directory.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use store::server::Server;

use crate::place::{Place, ask, is_root};
use crate::processes;

const NOBODY: u32 = 65534;

fn skip() -> bool {
    if !is_root() {
        println!("skipped: only root can become another account");
    }
    !is_root()
}

/// Runs the url process as an ordinary user.
fn url_as_nobody(data_dir: &Path) -> Output {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command.args(processes::url_command(data_dir)).current_dir("/").output().unwrap()
}

fn psql_as_nobody(url: &str) -> String {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "psql", url]);
    let output = command.args(["--no-psqlrc", "-Atc", "select 'psql'"]).current_dir("/").output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn account_of(pid: i32) -> u32 {
    fs::metadata(format!("/proc/{pid}")).unwrap().uid()
}

#[tokio::test]
async fn root_runs_the_server_as_an_unprivileged_account() {
    if skip() {
        return;
    }
    let place = Place::new();
    let running = place.open().await;
    assert_ne!(account_of(place.pid()), 0);
    let status = fs::read_to_string(format!("/proc/{}/status", place.pid())).unwrap();
    let groups = status.lines().find(|it| it.starts_with("Groups:")).unwrap();
    assert!(!groups.split_whitespace().any(|it| it == "0"), "{groups}");
    assert_eq!(fs::metadata(place.home().join("password")).unwrap().mode() & 0o777, 0o600);
    assert_eq!(ask(&running.url(), "select 'root'").await.unwrap(), "root");
}

#[tokio::test]
async fn root_can_name_the_account() {
    if skip() {
        return;
    }
    let place = Place::new();
    let mut options = place.options();
    options.account = Some("nobody".into());
    let running = Server::open(&options).await.unwrap();
    assert_eq!(account_of(place.pid()), NOBODY);
    drop(running);
    Server::stop(&place.data_dir).await.unwrap();
    // The cluster's owner decides from now on.
    drop(place.open().await);
    assert_eq!(account_of(place.pid()), NOBODY);
}

#[tokio::test]
async fn the_account_can_be_corrected_until_there_is_a_cluster() {
    if skip() {
        return;
    }
    let place = Place::new();
    let mut options = place.options();
    options.binaries = Some(place.root.clone());
    Server::open(&options).await.unwrap_err();
    options.account = Some("nobody".into());
    Server::open(&options).await.unwrap_err();
    drop(place.open().await);
    options.account = Some("no-such-account".into());
    options.data_dir = place.root.join("other");
    let error = Server::open(&options).await.unwrap_err();
    assert!(error.to_string().contains("WEIR_DATABASE_USER"), "{error}");
}

#[tokio::test]
async fn a_data_directory_within_a_private_folder_of_root_works_and_stays_private() {
    if skip() {
        return;
    }
    let mut place = Place::new();
    place.data_dir = place.root.join("private/data");
    fs::create_dir(place.root.join("private")).unwrap();
    fs::set_permissions(place.root.join("private"), Permissions::from_mode(0o700)).unwrap();
    let running = place.open().await;
    assert_eq!(ask(&running.url(), "select 'far'").await.unwrap(), "far");
    assert!(place.home().starts_with("/var/lib/weir"));
    assert_eq!(fs::metadata(place.root.join("private")).unwrap().mode() & 0o777, 0o700);
    let home: PathBuf = place.home();
    drop(running);
    Server::stop(&place.data_dir).await.unwrap();
    drop(place.open().await);
    assert_eq!(place.home(), home);
}

#[tokio::test]
async fn an_ordinary_user_has_a_server_of_its_own_which_root_can_share() {
    if skip() {
        return;
    }
    let place = Place::new();
    fs::create_dir(&place.data_dir).unwrap();
    chown(&place.data_dir, Some(NOBODY), Some(NOBODY)).unwrap();
    let url = processes::said(&url_as_nobody(&place.data_dir).stdout, "url");
    assert_eq!(account_of(place.pid()), NOBODY);
    assert_eq!(psql_as_nobody(&url), "psql\n");
    let running = place.open().await;
    assert!(!running.started());
    assert_eq!(running.url(), url);
    assert_eq!(ask(&url, "select 'shared'").await.unwrap(), "shared");
    drop(running);
    Server::stop(&place.data_dir).await.unwrap();
    assert!(place.open().await.started());
    assert_eq!(account_of(place.pid()), NOBODY);
    assert_eq!(processes::said(&url_as_nobody(&place.data_dir).stdout, "url"), url);
}

#[tokio::test]
async fn what_root_made_for_an_ordinary_user_belongs_to_that_user() {
    if skip() {
        return;
    }
    let place = Place::new();
    fs::create_dir(&place.data_dir).unwrap();
    chown(&place.data_dir, Some(NOBODY), Some(NOBODY)).unwrap();
    drop(place.open().await);
    Server::stop(&place.data_dir).await.unwrap();
    let url = processes::said(&url_as_nobody(&place.data_dir).stdout, "url");
    assert_eq!(psql_as_nobody(&url), "psql\n");
}

#[tokio::test]
async fn an_account_without_a_name_is_told_what_initdb_needs() {
    if skip() {
        return;
    }
    let place = Place::new();
    fs::create_dir(&place.data_dir).unwrap();
    chown(&place.data_dir, Some(54321), Some(54321)).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=54321", "--regid=54321", "--clear-groups"]);
    let output = command.args(processes::url_command(&place.data_dir)).output().unwrap();
    let said = processes::said(&output.stdout, "error");
    assert!(said.contains("/etc/passwd"), "{said}");
    // Root takes an account that has one.
    drop(place.open().await);
    assert_ne!(account_of(place.pid()), 54321);
}

#[tokio::test]
async fn a_data_directory_of_another_account_is_named_as_such() {
    if skip() {
        return;
    }
    let place = Place::new();
    drop(place.open().await);
    let said = processes::said(&url_as_nobody(&place.data_dir).stdout, "error");
    assert!(said.contains("belongs to root") && said.contains("nobody"), "{said}");
}

#[tokio::test]
async fn a_data_directory_without_rights_is_said_in_a_sentence() {
    if skip() {
        return;
    }
    let place = Place::new();
    let said = processes::said(&url_as_nobody(&place.data_dir).stdout, "error");
    assert!(said.contains("choose another with --data-dir"), "{said}");
}
