//! `cargo xtask bench`: what an import costs, measured on the release build against the fake GitLab.
//!
//! Nothing is asserted and nothing is written: a table shows each figure beside its target. The database is Weir's
//! own and runs before the clock does.

mod fake;
mod growth;
mod http;
mod import;
mod load;
mod measure;
mod scenarios;
mod serving;
mod table;

use std::path::PathBuf;

use anyhow::Context;

use crate::command::{cargo, succeed};

pub use measure::measure;
pub use scenarios::names;

/// The programs that are measured.
pub struct Programs {
    pub weir: PathBuf,
    pub fake: PathBuf,
    pub xtask: PathBuf,
}

/// Builds the programs and runs the scenarios of these names: all of them, or all quick ones, where none is named.
pub fn run(named: &[String], quick: bool) -> anyhow::Result<()> {
    succeed(cargo(&["build", "--release", "--package", "weir", "--package", "fake-gitlab", "--bins"]))?;
    let programs = Programs::beside_this_one()?;
    let table = scenarios::run(&programs, named, quick)?;
    table.print();
    Ok(())
}

impl Programs {
    fn beside_this_one() -> anyhow::Result<Programs> {
        let xtask = std::env::current_exe()?;
        let target =
            xtask.parent().and_then(|it| it.parent()).context("this program is not where cargo puts it")?;
        let release = target.join("release");
        Ok(Programs { weir: release.join("weir"), fake: release.join("fake-gitlab"), xtask })
    }
}
