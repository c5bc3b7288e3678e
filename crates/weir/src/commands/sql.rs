//! `weir sql`: a question of the user's own, which can read and nothing else.

use std::io::Read;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use store::StoreError;

use crate::problem::Problem;
use crate::settings::Settings;
use crate::{database, numbers, terminal};

mod csv;
mod json;
pub mod text;

const EXAMPLES: &str = "\
Examples:
  weir sql \"select state, count(*) from gitlab_merge_requests group by state\"
  weir sql --format csv \"select * from gitlab_users\" > users.csv
  weir sql --format json \"select * from gitlab_projects\" | jq .
  weir sql - < question.sql                          the query from standard input

The query runs in a transaction that PostgreSQL itself keeps from writing. Tables and columns: weir schema";

/// Options of `weir sql`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The query; - reads it from standard input
    #[arg(allow_hyphen_values = true)]
    pub query: String,
    /// How to print the rows
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// How rows are printed.
#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    /// Aligned columns, for people
    Table,
    /// Comma-separated values with a heading
    Csv,
    /// An array of objects
    Json,
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let query = query(&arguments.query)?;
    let database = database::open_for_reading(settings).await?;
    let result = database.store.query(&query).await.map_err(|it| explain(it, &query))?;
    terminal::print(&match arguments.format {
        Format::Table => text::text(&result),
        Format::Csv => csv::csv(&result),
        Format::Json => json::json(&result),
    });
    if result.rows.is_empty() {
        terminal::say("The query gave no rows.");
    } else if matches!(arguments.format, Format::Table) {
        terminal::say(&format!("({})", numbers::counted(result.rows.len() as u64, "row")));
    }
    Ok(ExitCode::SUCCESS)
}

fn query(argument: &str) -> Result<String, Problem> {
    let mut text = argument.to_owned();
    if argument == "-" {
        text.clear();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|it| Problem::usage(format!("Standard input cannot be read: {it}.")))?;
    }
    if text.trim().is_empty() {
        return Err(Problem::usage("The query is empty. Write one, for example: weir sql \"select 1\""));
    }
    Ok(text)
}

/// PostgreSQL's own words, and the place in the query they are about.
fn explain(error: StoreError, query: &str) -> Problem {
    let Some(complaint) = error.complaint() else { return error.into() };
    let mut lines = vec![complaint.message];
    lines.extend(complaint.position.and_then(|it| pointed(query, it)));
    lines.extend(complaint.detail.map(|it| format!("DETAIL: {it}")));
    lines.extend(complaint.hint.map(|it| format!("HINT: {it}")));
    lines.extend(advice(&complaint.code).map(str::to_owned));
    Problem::failed("sql", lines.join("\n"))
}

/// What to do about the mistakes that everybody makes.
fn advice(code: &str) -> Option<&'static str> {
    match code {
        "42P01" => Some("See what there is with weir schema; fill it with weir sync."),
        "42703" => Some("See the columns with weir schema TABLE."),
        "25006" => Some("weir sql only reads. To change something, open weir psql."),
        _ => None,
    }
}

/// The line of the query with a mark below the letter, as psql shows it. Positions count from what was sent, which
/// has no space before it.
fn pointed(query: &str, position: usize) -> Option<String> {
    let query = query.trim();
    let before: String = query.chars().take(position.checked_sub(1)?).collect();
    let number = before.matches('\n').count();
    let line = query.lines().nth(number)?;
    let column = before.rsplit('\n').next()?.chars().count();
    let prefix = format!("LINE {}: ", number + 1);
    let space = " ".repeat(prefix.len() + column);
    Some(format!("{prefix}{line}\n{space}^ (position {position})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_mistake_is_shown() {
        let shown = pointed("select 1\n  from nowhere", 17).unwrap();
        assert_eq!(shown, "LINE 2:   from nowhere\n               ^ (position 17)");
    }
}
