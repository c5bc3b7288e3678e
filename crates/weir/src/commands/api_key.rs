//! `weir api-key`: keys of the API.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use gitlab_client::{Clock, SystemClock};
use secrecy::ExposeSecret;
use serde_json::json;
use server::{SCOPES, Scope};
use store::ApiKeyRow;

use crate::configuration::ConfigurationArguments;
use crate::database::{self, Database};
use crate::moments::show;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::table::{Side, table};
use crate::terminal;

const EXAMPLES: &str = "\
Examples:
  weir api-key create --name terraform                              everything but SQL
  weir api-key create --name grafana --scope schema:read --scope queries:run
  weir api-key create --name berlin --extractor berlin              for weir extract with EXTRACTOR_ID=berlin, and nothing else
  weir api-key list
  weir api-key revoke 3";

/// Options of `weir api-key`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    configuration: ConfigurationArguments,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a key; it is shown once
    Create {
        /// What it is for
        #[arg(long)]
        name: String,
        /// What it may do; repeatable [default: everything but queries:run, people:erase and extractors:run]
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// Make a key for the extractor of this name, and for nothing else
        #[arg(long, value_name = "ID", conflicts_with = "scopes")]
        extractor: Option<String>,
        /// Print one JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// List the keys
    List {
        /// Print one JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key
    Revoke {
        /// Its number
        id: i64,
    },
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let configuration = arguments.configuration.read()?;
    let Database { store, .. } = database::of(settings, &configuration, 1).await?;
    let now = SystemClock.now();
    match arguments.action {
        Action::Create { name, scopes, extractor, json } => {
            let scopes = match &extractor {
                Some(_) => vec![Scope::ExtractorsRun.name().to_owned()],
                None => scopes_of(&scopes)?,
            };
            let (row, key) = store.create_api_key(&name, &scopes, now).await?;
            if let Some(extractor) = &extractor {
                store.bind_api_key(row.id, extractor).await?;
            }
            created(&row, key.expose_secret(), json);
        }
        Action::List { json } => list(&store.api_keys().await?, json),
        Action::Revoke { id } if store.revoke_api_key(id, now).await? => {
            terminal::say(&format!("Key {id} was revoked: it stops working at once."));
        }
        Action::Revoke { id } => {
            return Err(Problem::usage(format!("There is no key {id} that works. See weir api-key list.")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn scopes_of(names: &[String]) -> Result<Vec<String>, Problem> {
    let mut scopes: Vec<Scope> = Vec::new();
    for name in names {
        let known = || SCOPES.map(Scope::name).join(", ");
        let scope = Scope::named(name);
        scopes.push(
            scope.ok_or_else(|| {
                Problem::usage(format!("There is no scope {name:?}. There are: {}.", known()))
            })?,
        );
    }
    if names.is_empty() {
        let special =
            |it: &Scope| matches!(it, Scope::QueriesRun | Scope::PeopleErase | Scope::ExtractorsRun);
        scopes.extend(SCOPES.into_iter().filter(|it| !special(it)));
    }
    Ok(scopes.iter().map(|it| it.name().to_owned()).collect())
}

/// The key alone is on standard output, for scripts.
fn created(row: &ApiKeyRow, key: &str, json: bool) {
    if json {
        terminal::print_json(
            &json!({ "ok": true, "id": row.id, "name": row.name, "scopes": row.scopes, "key": key }),
        );
        return;
    }
    terminal::say(&format!(
        "Key {} ({}) may do: {}. It is shown this once:",
        row.id,
        row.name,
        row.scopes.join(", ")
    ));
    terminal::print(key);
}

fn list(rows: &[ApiKeyRow], json: bool) {
    if json {
        let keys: Vec<_> = rows.iter().map(described).collect();
        terminal::print_json(&json!({ "ok": true, "api_keys": keys }));
    } else if rows.is_empty() {
        terminal::print("There is no key yet. Make one with weir api-key create --name NAME.");
    } else {
        let cells = rows.iter().map(|it| {
            let state = it.revoked_at.map_or("works".to_owned(), |at| format!("revoked {}", show(at)));
            let used = it.last_used_at.map_or("never".to_owned(), show);
            vec![
                it.id.to_string(),
                it.name.clone(),
                format!("{}...", it.hint),
                used,
                state,
                it.scopes.join(" "),
            ]
        });
        let sides = [Side::Right, Side::Left, Side::Left, Side::Left, Side::Left, Side::Left];
        let names = ["id", "name", "key", "last used", "state", "may do"].map(str::to_owned);
        terminal::print(&table(&names, &sides, &cells.collect::<Vec<_>>()));
    }
}

fn described(row: &ApiKeyRow) -> serde_json::Value {
    json!({
        "id": row.id, "name": row.name, "hint": row.hint, "scopes": row.scopes, "created_at": row.created_at,
        "last_used_at": row.last_used_at, "revoked_at": row.revoked_at
    })
}
