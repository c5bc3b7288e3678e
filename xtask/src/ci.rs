//! `cargo xtask ci`: everything CI checks, cheapest first.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::command::{cargo, program, require, succeed, succeeds};
use crate::{docs, record, test, tidy};

/// How long the database of advisories may take to arrive, in seconds.
const FETCH_WITHIN: &str = "60";

/// Runs every step; stops at the first that fails.
pub async fn run(no_tests: bool) -> anyhow::Result<()> {
    let mut times = Vec::new();
    step("fmt", &mut times, async || succeed(cargo(&["fmt", "--all", "--check"]))).await?;
    step("tidy", &mut times, async || tidy::run()).await?;
    step("typos", &mut times, async || typos()).await?;
    step("deny", &mut times, async || deny()).await?;
    step("clippy", &mut times, async || clippy()).await?;
    step("doc links", &mut times, async || doc_links()).await?;
    step("generated files", &mut times, generated).await?;
    step("doc examples", &mut times, async || succeed(cargo(&["test", "--workspace", "--doc", "--quiet"])))
        .await?;
    print(&times);
    if !no_tests {
        step("tests", &mut times, async || test::run(&[]).await).await?;
    }
    Ok(())
}

async fn step(
    name: &'static str,
    times: &mut Vec<(&'static str, Duration)>,
    work: impl AsyncFnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    eprintln!("==> {name}");
    let began = Instant::now();
    work().await.with_context(|| format!("CI stops at {name}"))?;
    times.push((name, began.elapsed()));
    Ok(())
}

fn print(times: &[(&str, Duration)]) {
    eprintln!("==> passed");
    for (name, time) in times {
        eprintln!("{name:<16} {:>7.1} s", time.as_secs_f64());
    }
}

fn typos() -> anyhow::Result<()> {
    require(program("typos", &["--version"]), "typos", "pip install typos")?;
    succeed(program("typos", &["--format", "brief"]))
}

fn clippy() -> anyhow::Result<()> {
    succeed(cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))
}

fn doc_links() -> anyhow::Result<()> {
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"]);
    // What documents an option is also its help, where a bare address reads better.
    doc.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::bare-urls");
    succeed(doc)
}

async fn generated() -> anyhow::Result<()> {
    record::run(true).await?;
    docs::run(true).await
}

/// Licences, layers and sources need no network. Advisories do; without it that is said, for nobody to think they passed.
fn deny() -> anyhow::Result<()> {
    let install = "cargo install cargo-deny --locked --version 0.20.2";
    require(cargo(&["deny", "--version"]), "cargo-deny", install)?;
    succeed(cargo(&["deny", "--log-level", "error", "check", "bans", "licenses", "sources"]))?;
    let fetch = program("timeout", &[FETCH_WITHIN, "cargo", "deny", "fetch", "db"]);
    if succeeds(fetch) {
        return succeed(cargo(&["deny", "--log-level", "error", "check", "--disable-fetch", "advisories"]));
    }
    eprintln!(
        "NOT CHECKED: advisories. Their database (github.com/rustsec/advisory-db) cannot be fetched from here."
    );
    Ok(())
}
