//! One import into a database of its own.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::Programs;
use super::fake::Fake;

/// The token that every fake knows.
pub const TOKEN: &str = "glpat-fake-token";

/// A data directory with a running database; both are gone when this is dropped.
pub struct Place<'p> {
    programs: &'p Programs,
    data_dir: PathBuf,
    tokens: String,
}

/// What an import did and used.
#[derive(Debug, Clone)]
pub struct Import {
    /// From the start of the program to its end.
    pub seconds: f64,
    /// Of these, the sync itself.
    pub sync_seconds: f64,
    pub cpu_seconds: f64,
    pub peak_bytes: f64,
    pub requests: f64,
    /// Rows written, in all tables.
    pub written: f64,
}

impl<'p> Place<'p> {
    /// A fresh database.
    pub fn new(programs: &'p Programs) -> anyhow::Result<Place<'p>> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let data_dir = std::env::temp_dir().join(format!("weir-bench-{}-{number}", std::process::id()));
        let place = Place { programs, data_dir, tokens: TOKEN.to_owned() };
        place.weir(&["database", "start"])?;
        // The schema, too, is made before the clock runs: it is part of the start of the database.
        place.count("select count(*) from gitlab_projects")?;
        Ok(place)
    }

    /// With these tokens instead of the one that every fake knows.
    pub fn with_tokens(mut self, tokens: &[&str]) -> Place<'p> {
        self.tokens = tokens.join(",");
        self
    }

    /// Imports everything from a fake.
    pub fn import(&self, fake: &Fake, options: &[&str]) -> anyhow::Result<Import> {
        self.run("sync", fake, options)
    }

    /// Proves that everything was imported.
    pub fn prove(&self, fake: &Fake) -> anyhow::Result<Import> {
        self.run("proof", fake, &[])
    }

    fn run(&self, command: &str, fake: &Fake, options: &[&str]) -> anyhow::Result<Import> {
        let file = self.data_dir.with_extension("usage");
        let mut measuring = Command::new(&self.programs.xtask);
        measuring
            .arg("measure")
            .arg(&file)
            .arg(&self.programs.weir)
            .args([command, "--json", "--url", &fake.url]);
        let output = self.succeed(measuring.args(options))?;
        let usage: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
        std::fs::remove_file(&file)?;
        let outcome: Value = serde_json::from_slice(&output.stdout).context("weir printed no JSON")?;
        ensure!(outcome["ok"] == true, "it failed: {}", outcome["error"]);
        let tables = outcome["resources"].as_object().context("the outcome names no tables")?;
        Ok(Import {
            seconds: number(&usage["seconds"])?,
            sync_seconds: number(&outcome["duration_seconds"])?,
            cpu_seconds: number(&usage["cpu_seconds"])?,
            peak_bytes: number(&usage["peak_bytes"])?,
            requests: number(&outcome["requests"])?,
            written: tables.values().filter_map(|it| it["written"].as_f64()).sum(),
        })
    }

    /// The number that a query gives.
    pub fn count(&self, query: &str) -> anyhow::Result<f64> {
        let output = self.weir(&["sql", "--format", "csv", query])?;
        let text = String::from_utf8(output.stdout)?;
        text.lines()
            .nth(1)
            .and_then(|it| it.trim().parse().ok())
            .with_context(|| format!("{query} gave {text:?}"))
    }

    /// What a command says.
    pub fn said(&self, arguments: &[&str]) -> anyhow::Result<String> {
        Ok(String::from_utf8(self.weir(arguments)?.stdout)?.trim().to_owned())
    }

    /// Runs a statement as the owner of the database, for what Weir itself never does.
    pub fn execute(&self, statement: &str) -> anyhow::Result<String> {
        let mut psql = Command::new("psql");
        psql.arg(self.said(&["database", "url"])?).args([
            "--quiet",
            "--no-align",
            "--tuples-only",
            "--command",
            statement,
        ]);
        let output = psql.output().context("psql cannot be run; it comes with PostgreSQL")?;
        ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// The number that a query gives its owner, of tables that nobody else reads.
    pub fn count_as_owner(&self, query: &str) -> anyhow::Result<f64> {
        let text = self.execute(query)?;
        text.parse().with_context(|| format!("{query} gave {text:?}"))
    }

    /// A command on this database that is not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.programs.weir);
        command.args(arguments);
        self.place(&mut command);
        command
    }

    fn weir(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        self.succeed(Command::new(&self.programs.weir).args(arguments))
    }

    fn place(&self, command: &mut Command) {
        command
            .env("WEIR_DATA_DIR", &self.data_dir)
            .env("GITLAB_TOKEN", &self.tokens)
            .env_remove("DATABASE_URL");
    }

    fn succeed(&self, command: &mut Command) -> anyhow::Result<Output> {
        self.place(command);
        let output = command.output().with_context(|| format!("{command:?} cannot be run"))?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{command:?} ended with {}:\n{told}", output.status);
        Ok(output)
    }
}

fn number(value: &Value) -> anyhow::Result<f64> {
    value.as_f64().with_context(|| format!("{value} is no number"))
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // What cannot be removed is in the folder for temporary files.
        let _ = self.weir(&["database", "stop"]);
        let _ = std::fs::remove_dir_all(&self.data_dir);
    }
}
