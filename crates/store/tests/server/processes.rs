//! Weir processes for the tests: this test binary, started with the name of the one test below and an order.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use store::server::{Options, Server, WatchCommand};

/// Not a test: does what the command line orders, and nothing in an ordinary run.
#[tokio::test]
async fn act() {
    let arguments: Vec<String> = std::env::args().collect();
    let order = arguments.iter().position(|it| it == "order:").map(|at| &arguments[at + 1..]);
    match order {
        Some([what, data_dir]) if what == "open" => open_and_wait(Path::new(data_dir)).await,
        Some([what, data_dir]) if what == "url" => print_url(Path::new(data_dir)).await,
        Some([what, data_dir, idle]) if what == "watch" => {
            Server::watch(Path::new(data_dir), Duration::from_millis(idle.parse().unwrap())).await.unwrap();
        }
        _ => {}
    }
}

async fn open_and_wait(data_dir: &Path) {
    let _running = Server::open(&Options::new(data_dir)).await.unwrap();
    println!("\nopen");
    std::future::pending().await
}

async fn print_url(data_dir: &Path) {
    match Server::open(&Options::new(data_dir)).await {
        Ok(running) => println!("\nurl {}", running.url()),
        Err(error) => println!("\nerror {error}"),
    }
}

fn arguments(order: &[&str]) -> Vec<String> {
    let fixed = ["--exact", "processes::act", "--nocapture", "order:"];
    fixed.iter().chain(order).map(|it| (*it).to_owned()).collect()
}

/// A process that holds the server in use until it is killed; it is ready when this returns.
pub fn holder(data_dir: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(arguments(&["open", data_dir.to_str().unwrap()]))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = std::io::BufReader::new(child.stdout.as_mut().unwrap());
    let mut line = String::new();
    while line != "open\n" {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut output, &mut line).unwrap() > 0, "it ended early");
    }
    child
}

/// The command line of a process that opens the server and says its URL or its error.
pub fn url_command(data_dir: &Path) -> Vec<OsString> {
    let mut command = vec![std::env::current_exe().unwrap().into_os_string()];
    command.extend(arguments(&["url", data_dir.to_str().unwrap()]).into_iter().map(OsString::from));
    command
}

/// What such a process said after `url ` or `error `.
pub fn said(output: &[u8], word: &str) -> String {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().find_map(|it| it.strip_prefix(word)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {word} in {text}")).to_owned()
}

pub fn watch_command(data_dir: &Path, idle: Duration) -> WatchCommand {
    WatchCommand {
        program: std::env::current_exe().unwrap(),
        arguments: arguments(&["watch", data_dir.to_str().unwrap(), &idle.as_millis().to_string()]),
    }
}
