//! What a program uses. It runs below a process of its own, so that the figures are that program's alone.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::json;

/// Runs a program to its end and writes what it used into a file.
pub fn measure(file: &Path, program: &[String]) -> anyhow::Result<()> {
    let (name, arguments) = program.split_first().context("no program is given")?;
    let began = Instant::now();
    let status =
        Command::new(name).args(arguments).status().with_context(|| format!("{name} cannot be run"))?;
    let seconds = began.elapsed().as_secs_f64();
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = used.user_time().num_microseconds() + used.system_time().num_microseconds();
    // Linux counts it in KiB, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let usage =
        json!({ "seconds": seconds, "cpu_seconds": cpu as f64 / 1e6, "peak_bytes": used.max_rss() * unit });
    std::fs::write(file, usage.to_string())?;
    ensure!(status.success(), "{name} ended with {status}");
    Ok(())
}
