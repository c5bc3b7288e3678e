//! Other programs.

use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use crate::root::root;

/// Variables that cargo sets for the program it runs. A cargo below it would rebuild crates that look at them.
const CARGOS_OWN: &[&str] =
    &["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];

/// Cargo, in the repository's folder.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names.filter(|name| CARGOS_OWN.iter().any(|own| name.starts_with(own))) {
        command.env_remove(name);
    }
    command
}

/// Another program, in the repository's folder.
pub fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

/// Runs it and shows what it prints.
pub fn succeed(mut command: Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("{name} cannot be run"))?;
    ensure!(status.success(), "{name} ended with {status}");
    Ok(())
}

/// Whether it runs and succeeds, without showing what it prints.
pub fn succeeds(mut command: Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
}

/// Fails with how to install a program that is missing.
pub fn require(mut version: Command, name: &str, install: &str) -> anyhow::Result<()> {
    match version.stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        _ => bail!("{name} is missing. Install it with: {install}"),
    }
}
