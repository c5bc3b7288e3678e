//! `weir schema`: the tables, their columns and what they mean.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use store::TableInfo;

use crate::problem::Problem;
use crate::settings::Settings;
use crate::{database, terminal};

mod markdown;
mod text;

/// Weir's own tables, which are left out of the overview for people.
const OWN: &str = "weir.";

const EXAMPLES: &str = "\
Examples:
  weir schema                                        every table in one line
  weir schema gitlab_merge_requests                  its columns, key and descriptions
  weir schema --format markdown > schema.md
  weir schema --format json | jq '.[].name'";

/// Options of `weir schema`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Only this table, with its columns
    pub table: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// How the schema is printed.
#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    /// Aligned columns, for people
    Table,
    /// Objects with name, description, key and columns
    Json,
    /// A document
    Markdown,
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let tables = database::open(settings, 1).await?.store.schema().await?;
    match &arguments.table {
        None => every(&tables, arguments.format),
        Some(name) => one(find(&tables, name)?, arguments.format),
    }
    Ok(ExitCode::SUCCESS)
}

fn every(tables: &[TableInfo], format: Format) {
    match format {
        Format::Table => {
            let shown: Vec<&TableInfo> = tables.iter().filter(|it| !it.name.starts_with(OWN)).collect();
            terminal::print(&text::overview(&shown));
            terminal::say("\nThe columns of one: weir schema gitlab_merge_requests");
        }
        Format::Json => terminal::print_json(&tables),
        Format::Markdown => {
            let parts: Vec<String> = tables.iter().map(markdown::table).collect();
            terminal::print(&format!("# Tables\n\n{}", parts.join("\n\n")));
        }
    }
}

fn one(table: &TableInfo, format: Format) {
    match format {
        Format::Table => terminal::print(&text::columns(table)),
        Format::Json => terminal::print_json(table),
        Format::Markdown => terminal::print(&markdown::table(table)),
    }
}

fn find<'t>(tables: &'t [TableInfo], name: &str) -> Result<&'t TableInfo, Problem> {
    let wanted = name.trim().to_lowercase();
    let wanted = wanted.strip_prefix("public.").unwrap_or(&wanted);
    let found = tables.iter().find(|it| it.name == wanted);
    found.ok_or_else(|| {
        let near = near(tables, wanted);
        let advice = if near.is_empty() {
            "See them all with weir schema.".to_owned()
        } else {
            format!("Did you mean {}?", near.join(" or "))
        };
        Problem::usage(format!("There is no table {name:?}. {advice}"))
    })
}

/// The names that are most alike, without the part that all of them share.
fn near<'t>(tables: &'t [TableInfo], wanted: &str) -> Vec<&'t str> {
    let bare = |name: &str| name.trim_start_matches("gitlab_").to_owned();
    let wanted = bare(wanted);
    let likeness = |it: &&TableInfo| {
        let name = bare(&it.name);
        let within = if name.contains(&wanted) || wanted.contains(&name) { 0.5 } else { 0.0 };
        within + strsim::jaro_winkler(&name, &wanted)
    };
    let mut alike: Vec<(f64, &str)> =
        tables.iter().map(|it| (likeness(&it), it.name.as_str())).filter(|(it, _)| *it > 0.75).collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    alike.into_iter().take(3).map(|(_, name)| name).collect()
}
