//! Child lists that were read from beginning to end: what is stored under the parent and was not met is gone.

use std::collections::{BTreeMap, HashSet};

use catalogue::{CompleteList, Rows, Table, issues, merge_request_commits, merge_requests, notes, pipelines};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::StoreError;

/// What children hang on where it may be new, which tells parents of the same number apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Parent {
    MergeRequest,
    Issue,
    Pipeline,
    /// A merge request by its head: its commits are read without the merge request itself.
    Head,
}

impl Parent {
    fn of(list: &CompleteList) -> Option<Parent> {
        match list.parent {
            _ if list.table.name == merge_request_commits::TABLE.name => Some(Parent::Head),
            merge_requests::PARENT => Some(Parent::MergeRequest),
            issues::PARENT => Some(Parent::Issue),
            pipelines::PARENT => Some(Parent::Pipeline),
            _ => None,
        }
    }
}

/// Marks the children that are gone, for every list that `rows` says is complete. `known` are the merge
/// requests, issues and pipelines that were stored before. Gives how many by table.
pub(crate) async fn remove_missing(
    connection: &mut PgConnection,
    rows: &Rows,
    known: &HashSet<(Parent, i64)>,
    sent_at: DateTime<Utc>,
) -> Result<BTreeMap<&'static str, u64>, StoreError> {
    let mut removed = BTreeMap::new();
    for (table, lists) in by_table(&rows.complete, known) {
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

/// The lists by table, without those of parents that were not stored before: nothing can be gone there.
fn by_table<'l>(
    lists: &'l [CompleteList],
    known: &HashSet<(Parent, i64)>,
) -> BTreeMap<&'static str, Vec<&'l CompleteList>> {
    let mut grouped: BTreeMap<&'static str, Vec<&CompleteList>> = BTreeMap::new();
    let held = |it: &&CompleteList| Parent::of(it).is_none_or(|of| known.contains(&(of, it.values[1])));
    for list in lists.iter().filter(held) {
        grouped.entry(list.table.name).or_default().push(list);
    }
    grouped
}

/// The parents as a JSON array of objects.
fn parents(lists: &[&CompleteList]) -> String {
    let object = |it: &&CompleteList| {
        let counted = it.counted.iter().map(|it| ("counted", it));
        let fields = it.parent.iter().copied().zip(&it.values).chain(counted);
        let fields = fields.map(|(column, value)| format!("\"{column}\":{value}"));
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
        "gitlab_labels" | "gitlab_milestones" | "gitlab_merge_request_notes" | "gitlab_environments" => {
            "deleted"
        }
        _ => "removed",
    }
}

/// Everything is numbered, but for commits and what texts name.
fn key_type(column: &str) -> &'static str {
    if ["sha", "kind", "target"].contains(&column) { "text" } else { "bigint" }
}

/// Internal notes are hidden from a lower role, as if they were deleted. They are gone only where nothing is hidden: one of
/// them came along, or as many comments as GitLab counts with the internal ones. Where the count came with the merge
/// request and not with the list, only comments count that were there by then: GitLab does not move `updated_at` for
/// a comment within a minute.
const NOTHING_HIDDEN: &str = "
            and (t.internal is not true or exists (
              select from gitlab_merge_requests m
                left join jsonb_to_recordset($2::text::jsonb) as n(
                  project_id bigint, merge_request_id bigint, id bigint, system boolean, internal boolean,
                  created_at timestamptz)
                  on n.project_id = m.project_id and n.merge_request_id = m.id
               where m.project_id = t.project_id and m.id = t.merge_request_id
              having bool_or(n.internal)
                  or count(distinct n.id) filter (where not n.system) >= p.counted
                  or count(distinct n.id) filter (
                       where not n.system and n.created_at <= m.updated_at + interval '1 minute')
                     >= max(m.user_notes_count)
            ))";

fn statement(list: &CompleteList) -> String {
    let table = list.table.name;
    let nothing_hidden = if table == notes::TABLE.name { NOTHING_HIDDEN } else { "" };
    let parent = list.parent.iter().map(|it| format!("{it} bigint")).collect::<Vec<_>>().join(", ");
    let under = list.parent.iter().map(|it| format!("t.{it} = p.{it}")).collect::<Vec<_>>().join(" and ");
    let columns =
        |of: &str| list.table.key.iter().map(|it| format!("{of}.{it}")).collect::<Vec<_>>().join(", ");
    let (stored, met) = (columns("t"), columns("k"));
    let typed = |it: &&str| format!("{it} {}", key_type(it));
    let keys = list.table.key.iter().map(typed).collect::<Vec<_>>().join(", ");
    format!(
        "update {table} as t
            set deleted_at = $3, deleted_reason = $4, synced_at = $3
           from jsonb_to_recordset($1::text::jsonb) as p({parent}, counted bigint)
          where {under}
            and t.deleted_at is null
            and t.synced_at <= $3
            and ({stored}) not in (
              -- Uncorrelated, so that it is hashed once: a join would be planned as a loop within a loop.
              select {met} from jsonb_to_recordset($2::text::jsonb) as k({keys})
            ){nothing_hidden}"
    )
}
