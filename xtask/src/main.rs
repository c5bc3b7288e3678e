//! Repository chores as code: `cargo xtask <chore>`.

mod bench;
mod ci;
mod command;
mod database;
mod docs;
mod generated;
mod namespaces;
mod record;
mod root;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Everything CI checks, in order; stops at the first failure.
    Ci {
        /// Leave the tests to a command of their own.
        #[arg(long)]
        no_tests: bool,
    },
    /// Runs the tests against a PostgreSQL of their own, which needs no configuration and no root.
    Test {
        /// Passed on to cargo nextest, such as `-p store` or the name of a test.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Checks the rules of the repository that no other tool knows.
    Tidy,
    /// Writes docs/schema.md and docs/endpoints.md.
    Docs {
        /// Write nothing; fail when a file is out of date.
        #[arg(long)]
        check: bool,
    },
    /// Writes the samples of the catalogue, as the fake GitLab answers.
    Record {
        /// Write nothing; fail when a file is out of date.
        #[arg(long)]
        check: bool,
    },
    /// Measures the release build against the fake GitLab.
    Bench {
        /// Scenarios, by name; all of them where none is named.
        #[arg(value_parser = bench::names())]
        scenarios: Vec<String>,
        /// Without the scenarios that take minutes.
        #[arg(long)]
        quick: bool,
    },
    /// An extractor and a Weir in two network namespaces, held against a direct sync. Needs root and iproute2.
    Namespaces {
        /// Milliseconds that everything takes from one side to the other.
        #[arg(long, default_value_t = 0)]
        delay_ms: u64,
        /// How much there is, as the fake GitLab names it.
        #[arg(long, default_value = "small")]
        scale: String,
        /// The release build.
        #[arg(long)]
        release: bool,
    },
    /// Runs a program and writes what it used as JSON into a file.
    #[command(hide = true)]
    Measure {
        /// The file.
        file: std::path::PathBuf,
        /// The program and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        program: Vec<String>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse().chore).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(chore: Chore) -> anyhow::Result<()> {
    match chore {
        Chore::Ci { no_tests } => ci::run(no_tests).await,
        Chore::Test { arguments } => test::run(&arguments).await,
        Chore::Tidy => tidy::run(),
        Chore::Docs { check } => docs::run(check).await,
        Chore::Record { check } => record::run(check).await,
        Chore::Bench { scenarios, quick } => bench::run(&scenarios, quick),
        Chore::Namespaces { delay_ms, scale, release } => {
            let delay = std::time::Duration::from_millis(delay_ms);
            namespaces::run(&namespaces::Options { delay, scale, release }).await
        }
        Chore::Measure { file, program } => bench::measure(&file, &program),
    }
}
