//! Child lists that were read from beginning to end: what is stored under the parent and was not met is gone.

use std::collections::BTreeMap;

use catalogue::{CompleteList, Rows, Table};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::StoreError;

/// Marks the children that are gone, for every list that `rows` says is complete. Gives how many by table.
pub(crate) async fn remove_missing(
    connection: &mut PgConnection,
    rows: &Rows,
    sent_at: DateTime<Utc>,
) -> Result<BTreeMap<&'static str, u64>, StoreError> {
    let mut removed = BTreeMap::new();
    for (table, lists) in by_table(&rows.complete) {
        let sql = statement(lists[0]);
        let gone = sqlx::query(AssertSqlSafe(sql))
            .bind(parents(&lists))
            .bind(kept(rows, lists[0].table))
            .bind(sent_at)
            .bind(reason(table))
            .execute(&mut *connection)
            .await?;
        removed.insert(table, gone.rows_affected());
    }
    Ok(removed)
}

fn by_table(lists: &[CompleteList]) -> BTreeMap<&'static str, Vec<&CompleteList>> {
    let mut grouped: BTreeMap<&'static str, Vec<&CompleteList>> = BTreeMap::new();
    for list in lists {
        grouped.entry(list.table.name).or_default().push(list);
    }
    grouped
}

/// The parents as a JSON array of objects.
fn parents(lists: &[&CompleteList]) -> String {
    let object = |it: &&CompleteList| {
        let fields = it.parent.iter().zip(&it.values).map(|(column, value)| format!("\"{column}\":{value}"));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    };
    format!("[{}]", lists.iter().map(object).collect::<Vec<_>>().join(","))
}

/// Everything this page holds for the table, as one JSON array, whatever columns it brings.
fn kept(rows: &Rows, table: &Table) -> String {
    let arrays: Vec<String> =
        rows.batches.iter().filter(|it| it.table.name == table.name).map(|it| it.json()).collect();
    let inner: Vec<&str> = arrays.iter().map(|it| &it[1..it.len() - 1]).collect();
    format!("[{}]", inner.join(","))
}

/// Links and memberships are taken away; things are deleted.
fn reason(table: &str) -> &'static str {
    match table {
        "gitlab_labels" | "gitlab_milestones" | "gitlab_merge_request_notes" => "deleted",
        _ => "removed",
    }
}

fn statement(list: &CompleteList) -> String {
    let table = list.table.name;
    let parent = list.parent.iter().map(|it| format!("{it} bigint")).collect::<Vec<_>>().join(", ");
    let under = list.parent.iter().map(|it| format!("t.{it} = p.{it}")).collect::<Vec<_>>().join(" and ");
    let same = list.table.key.iter().map(|it| format!("k.{it} = t.{it}")).collect::<Vec<_>>().join(" and ");
    format!(
        "update {table} as t
            set deleted_at = $3, deleted_reason = $4, synced_at = $3
           from jsonb_to_recordset($1::text::jsonb) as p({parent})
          where {under}
            and t.deleted_at is null
            and t.synced_at <= $3
            and not exists (
              select 1 from jsonb_populate_recordset(null::{table}, $2::text::jsonb) as k where {same}
            )"
    )
}
