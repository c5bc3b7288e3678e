//! `cargo xtask test`: every test, against one PostgreSQL that is there for this run alone.

use std::process::ExitStatus;

use anyhow::{Context, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use crate::command::{cargo, succeeds};
use crate::database::with_database;

/// The variable by which tests find the server; see `store::testing`.
const DATABASE_URL: &str = "WEIR_TEST_DATABASE_URL";

/// Runs the tests.
pub async fn run(arguments: &[String]) -> anyhow::Result<()> {
    let status = with_database(async |url| {
        let mut command = Command::from(tests(arguments));
        // Variables of the person who runs this must not decide what a test sees.
        for name in ["DATABASE_URL", "WEIR_DATA_DIR", "GITLAB_TOKEN", "GITLAB_HOST"] {
            command.env_remove(name);
        }
        let child = command.env(DATABASE_URL, url).spawn().context("cargo cannot be run")?;
        wait(child).await
    });
    ensure!(status.await?.success(), "the tests failed");
    Ok(())
}

fn tests(arguments: &[String]) -> std::process::Command {
    let mut command = if succeeds(cargo(&["nextest", "--version"])) {
        cargo(&["nextest", "run"])
    } else {
        eprintln!(
            "cargo-nextest is not installed (cargo install cargo-nextest --locked): running cargo test."
        );
        cargo(&["test"])
    };
    if !arguments.iter().any(|it| it.starts_with("-p") || it.starts_with("--package")) {
        command.arg("--workspace");
    }
    command.args(arguments);
    command
}

/// Waits for the tests even when this program is asked to end, so that the server can be stopped after them.
async fn wait(mut child: Child) -> anyhow::Result<ExitStatus> {
    let (mut interrupt, mut end) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    loop {
        tokio::select! {
            status = child.wait() => return Ok(status?),
            // A terminal sends it to the tests as well.
            _ = interrupt.recv() => {}
            _ = end.recv() => terminate(&child),
        }
    }
}

fn terminate(child: &Child) {
    let id = child.id().and_then(|it| i32::try_from(it).ok());
    if let Some(id) = id {
        // It may have ended meanwhile.
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
    }
}
