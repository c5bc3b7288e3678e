//! The one statement that writes what GitLab says.
//!
//! Rows travel as one JSON array and PostgreSQL types them from the table. A reader's columns and no others are set;
//! an older row never replaces a newer one; an unchanged row is not written.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use catalogue::{Batch, Table};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::StoreError;
use crate::masks::Masks;

type Key = (&'static str, &'static [&'static str]);

/// Statements by table and columns, built once.
static STATEMENTS: LazyLock<Mutex<HashMap<Key, &'static str>>> = LazyLock::new(Mutex::default);

/// Writes rows of a batch, given as a JSON array, and gives how many changed.
pub(crate) async fn upsert_json(
    connection: &mut PgConnection,
    batch: &Batch,
    json: String,
    sent_at: DateTime<Utc>,
    masks: &Masks,
) -> Result<u64, StoreError> {
    let json = if masks.is_empty() { json } else { masks.rows(batch.table.name, json) };
    let sql = statement_for(batch.table, batch.columns);
    let written: i64 =
        sqlx::query_scalar(AssertSqlSafe(sql)).bind(json).bind(sent_at).fetch_one(connection).await?;
    Ok(written as u64)
}

fn statement_for(table: &'static Table, columns: &'static [&'static str]) -> &'static str {
    let mut known = STATEMENTS.lock().unwrap_or_else(|it| it.into_inner());
    // The set of tables and readers is fixed when the program is built, so leaking each statement once is bounded.
    known
        .entry((table.name, columns))
        .or_insert_with(|| Box::leak(statement(table, columns).into_boxed_str()))
}

fn statement(table: &Table, columns: &[&str]) -> String {
    let name = table.name;
    let list = list(columns, quote);
    let key = self::list(table.key, quote);
    let newest = table.version.map(|it| format!("{} desc nulls last, ", quote(it))).unwrap_or_default();
    let brought: Vec<&str> = columns.iter().copied().filter(|it| !table.key.contains(it)).collect();
    let sets: String = brought.iter().map(|it| format!("{} = {}, ", quote(it), merged(table, it))).collect();
    let stored = self::list(&brought, |it| format!("t.{}", quote(it)));
    let incoming = self::list(&brought, |it| merged(table, it));
    let changed = if brought.is_empty() {
        "t.deleted_at is not null".to_owned()
    } else {
        format!("(({stored}) is distinct from ({incoming}) or t.deleted_at is not null)")
    };
    format!(
        "with written as (
           insert into {name} as t ({list}, synced_at)
           select distinct on ({key}) {list}, $2
             from jsonb_populate_recordset(null::{name}, $1::text::jsonb) with ordinality as r
            order by {key}, {newest}ordinality desc
               on conflict ({key}) do update
              set {sets}synced_at = excluded.synced_at, deleted_at = null, deleted_reason = null
            where {guard} and {changed}
           returning 1
         )
         select count(*) from written",
        guard = guard(table),
    )
}

/// The version of a row is GitLab's time cut to whole seconds, then the time its request was sent.
fn guard(table: &Table) -> String {
    match table.version {
        None => "t.synced_at <= excluded.synced_at".to_owned(),
        Some(version) => format!(
            "coalesce(({}, t.synced_at) <= ({}, excluded.synced_at), true)",
            second(&format!("t.{version}")),
            second(&format!("excluded.{version}")),
        ),
    }
}

/// What a column becomes. Of two times within one second the finer stays, so that REST and GraphQL read in turn
/// without writing.
fn merged(table: &Table, column: &str) -> String {
    let quoted = quote(column);
    if table.fill.contains(&column) {
        format!("coalesce(excluded.{quoted}, t.{quoted})")
    } else if is_time(column) {
        let (stored, incoming) = (format!("t.{quoted}"), format!("excluded.{quoted}"));
        let same = format!("{} = {}", second(&stored), second(&incoming));
        format!("case when {same} then greatest({stored}, {incoming}) else {incoming} end")
    } else {
        format!("excluded.{quoted}")
    }
}

/// Times end in `_at`, by the schema's rule; `expires_at` of a membership is a day.
fn is_time(column: &str) -> bool {
    column.ends_with("_at") && column != "expires_at"
}

fn second(value: &str) -> String {
    format!("date_bin('1 second', {value}, timestamptz 'epoch')")
}

fn list(columns: &[&str], each: impl Fn(&str) -> String) -> String {
    columns.iter().map(|it| each(it)).collect::<Vec<_>>().join(", ")
}

fn quote(column: &str) -> String {
    format!("\"{column}\"")
}
