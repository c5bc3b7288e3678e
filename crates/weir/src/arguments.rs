//! The command line as a whole: what every command shares, and the commands.

use clap::{Parser, Subcommand};

use crate::commands::{
    api_key, database, demo, doctor, extract, health, key, proof, psql, refresh, schema, serve, sql, status,
    sync, verify, webhooks, worker,
};
use crate::problem::Problem;
use crate::secrets;
use crate::settings::Settings;

const FIRST_STEPS: &str = "\
First steps:
  weir demo                                          see it work, with an invented GitLab
  GITLAB_TOKEN=... weir verify --url gitlab.example.com    check a token of your own
  GITLAB_TOKEN=... weir sync --url gitlab.example.com      read your GitLab, then: weir sql '...'

Every command explains itself with examples: weir sync --help";

/// Reads everything GitLab knows about how you build software into PostgreSQL. Never reads source code.
#[derive(Parser)]
#[command(name = "weir", version, after_help = FIRST_STEPS, max_term_width = 100)]
pub struct Arguments {
    #[command(flatten)]
    pub settings: Settings,
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Run unattended: API, schedule and workers in one process
    Serve(serve::Arguments),
    /// Run workers alone, beside others on the same database
    Worker(worker::Arguments),
    /// Read a GitLab from within its network, for a Weir outside
    Extract(extract::Arguments),
    /// Make, list and revoke keys of the API
    ApiKey(api_key::Arguments),
    /// The key that tokens in the database are sealed with
    Key(key::Arguments),
    /// Webhooks: make them in GitLab, check them, show their secret
    Webhooks(webhooks::Arguments),
    /// Check that a token reaches what an import needs
    Verify(verify::Arguments),
    /// Import a GitLab, or bring the import up to date
    Sync(Box<sync::Arguments>),
    /// Ask a question in SQL (reads only)
    Sql(sql::Arguments),
    /// Open a psql prompt on the database
    Psql(psql::Arguments),
    /// Start, stop and address the database
    Database(database::Arguments),
    /// Show the tables, their columns and what they mean
    Schema(schema::Arguments),
    /// Show what was read, how far, and what was left out
    Status(status::Arguments),
    /// Read one thing again now, by its address
    Refresh(refresh::Arguments),
    /// Hold what is stored against what GitLab has
    Proof(proof::Arguments),
    /// Walk through the set-up and say what is wrong
    Doctor(doctor::Arguments),
    /// Ask a process on this machine whether it answers, for health checks of containers
    Health(health::Arguments),
    /// See it work: an invented GitLab, imported and asked
    Demo(demo::Arguments),
}

impl Command {
    /// Whether it runs for as long as the machine does: such commands start their log themselves.
    pub fn is_unattended(&self) -> bool {
        matches!(self, Command::Serve(_) | Command::Worker(_) | Command::Extract(_))
    }
}

/// Reads the command line. Help and mistakes end the process, as everywhere.
pub fn parse() -> Result<Arguments, Problem> {
    // First of all, so that no message about a mistake repeats a token.
    secrets::refuse(std::env::args_os().skip(1))?;
    Ok(Arguments::parse())
}
