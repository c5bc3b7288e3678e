//! What can be wrong with a data directory.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::Command;

use store::server::{Listen, Server, ServerError, Status};

use crate::place::{Place, ask, is_root, kill, run, wait_until};
use crate::processes;

#[tokio::test]
async fn an_initialisation_that_was_killed_is_done_again() {
    let place = Place::new();
    drop(place.open().await);
    Server::stop(&place.data_dir).await.unwrap();
    // As initdb leaves it: not under its name yet.
    fs::rename(place.cluster(), place.home().join("unfinished-1")).unwrap();
    assert_eq!(Server::status(&place.data_dir).unwrap(), Status::NotInitialised);
    let running = place.open().await;
    assert_eq!(ask(&running.url(), "select 'again'").await.unwrap(), "again");
    assert!(!place.home().join("unfinished-1").exists());
}

#[tokio::test]
async fn a_weir_killed_while_it_initialises_leaves_nothing_in_the_way() {
    let place = Place::new();
    for pause in [20, 150, 400, 700] {
        let command = processes::url_command(&place.data_dir);
        let mut weir = Command::new(&command[0]);
        let mut weir =
            weir.args(&command[1..]).stdout(std::process::Stdio::null()).process_group(0).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(pause));
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", weir.id())]).status();
        weir.wait().unwrap();
    }
    let running = place.open().await;
    assert_eq!(ask(&running.url(), "select 'there'").await.unwrap(), "there");
}

#[tokio::test]
async fn the_pid_of_a_dead_server_may_be_anothers() {
    let place = Place::new();
    drop(place.open().await);
    let pid = place.pid();
    let file = place.cluster().join("postmaster.pid");
    let text = fs::read_to_string(&file).unwrap();
    kill(pid, "-KILL");
    wait_until("the server is gone", || !place.runs());
    // A process of the server's account, such as PostgreSQL would believe to be its own kind.
    let mut other = Command::new("sleep");
    other.arg("60");
    if is_root() {
        use std::os::unix::fs::MetadataExt;
        other.uid(fs::metadata(place.cluster()).unwrap().uid());
    }
    let mut other = other.spawn().unwrap();
    fs::write(&file, text.replacen(&pid.to_string(), &other.id().to_string(), 1)).unwrap();
    assert!(!Server::stop(&place.data_dir).await.unwrap());
    let running = place.open().await;
    assert_eq!(ask(&running.url(), "select 'back'").await.unwrap(), "back");
    assert!(other.try_wait().unwrap().is_none(), "a stranger was stopped");
    other.kill().unwrap();
    other.wait().unwrap();
}

#[tokio::test]
async fn a_cluster_of_a_version_that_is_not_installed_is_named() {
    let place = Place::new();
    drop(place.open().await);
    let program = fs::read_link(format!("/proc/{}/exe", place.pid())).unwrap();
    Server::stop(&place.data_dir).await.unwrap();
    fs::write(place.cluster().join("PG_VERSION"), "99\n").unwrap();
    let mut options = place.options();
    options.binaries = program.parent().map(Into::into);
    let error = Server::open(&options).await.unwrap_err();
    assert!(error.to_string().contains("99"), "{error}");
}

#[tokio::test]
async fn named_binaries_that_are_none_are_refused() {
    let place = Place::new();
    let mut options = place.options();
    options.binaries = Some(place.root.clone());
    let error = Server::open(&options).await.unwrap_err();
    assert!(matches!(error, ServerError::UnusableBinaries { .. }), "{error}");
}

#[tokio::test]
async fn an_address_in_use_is_said_and_not_remembered() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut options = place.options();
    options.listen = Some(Listen::At(taken.local_addr().unwrap()));
    let error = Server::open(&options).await.unwrap_err();
    assert!(error.to_string().contains("choose another address with --listen"), "{error}");
    assert_eq!(place.open().await.tcp_url(), None);
}

#[tokio::test]
async fn a_data_directory_that_is_a_file_is_said() {
    let place = Place::new();
    fs::write(&place.data_dir, "").unwrap();
    let error = Server::open(&place.options()).await.unwrap_err();
    assert!(error.to_string().contains("data dir"), "{error}");
}

#[tokio::test]
async fn lost_passwords_are_made_anew() {
    let place = Place::new();
    run(&place.open().await.url(), "create table kept (id int)").await.unwrap();
    for running in [true, false] {
        fs::remove_file(place.home().join("password")).unwrap();
        fs::remove_file(place.home().join("reader-password")).unwrap();
        if !running {
            Server::stop(&place.data_dir).await.unwrap();
        }
        let running = place.open().await;
        assert_eq!(ask(&running.url(), "select count(*)::text from kept").await.unwrap(), "0");
        assert_eq!(ask(&running.reader_url(), "select count(*)::text from kept").await.unwrap(), "0");
    }
}

#[tokio::test]
async fn a_first_start_that_was_cut_short_is_finished() {
    let place = Place::new();
    let running = place.open().await;
    let server = running.url().replace("/weir?", "/postgres?");
    run(&server, "drop database weir").await.unwrap();
    run(&server, "drop role weir_reader").await.unwrap();
    let running = place.open().await;
    assert!(!running.started());
    assert_eq!(ask(&running.reader_url(), "select current_user::text").await.unwrap(), "weir_reader");
}

#[tokio::test]
async fn settings_of_the_operator_win_and_a_wrong_one_is_said() {
    let place = Place::new();
    drop(place.open().await);
    Server::stop(&place.data_dir).await.unwrap();
    let custom = place.home().join("custom.conf");
    fs::write(&custom, "max_connections = 33\nport = 1\n").unwrap();
    assert_eq!(ask(&place.open().await.url(), "show max_connections").await.unwrap(), "33");
    Server::stop(&place.data_dir).await.unwrap();
    fs::write(&custom, "shared_buffers = 'much'\n").unwrap();
    let error = Server::open(&place.options()).await.unwrap_err();
    assert!(
        error.to_string().contains("custom.conf") || error.to_string().contains("shared_buffers"),
        "{error}"
    );
}

#[tokio::test]
async fn a_long_path_gets_a_short_socket() {
    let mut place = Place::new();
    place.data_dir = place.root.join("long ".repeat(24)).join("it's \"quoted\", $HOME and ü");
    fs::create_dir_all(&place.data_dir).unwrap();
    let running = place.open().await;
    assert!(running.url().contains("%2Ftmp%2Fweir-"), "{}", running.url());
    assert_eq!(ask(&running.url(), "select 'short'").await.unwrap(), "short");
    let socket = ask(&running.url(), "show unix_socket_directories").await.unwrap();
    Server::stop(&place.data_dir).await.unwrap();
    fs::remove_dir_all(socket.trim_matches('"')).unwrap();
}
