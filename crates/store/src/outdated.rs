//! Answers that come late. An older answer never replaces a newer row; nor may what it says of the lists below that row
//! be taken for true: a newer answer has brought those lists, or they are pending.

use std::borrow::Cow;
use std::collections::HashSet;

use catalogue::{Batch, issues, merge_requests};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::children::Parent;
use crate::{Page, StoreError};

/// Merge requests and issues of which a newer answer is stored than the page's (Weir's ids).
#[derive(Debug, Default)]
pub(crate) struct Outdated(HashSet<(Parent, i64)>);

/// The tables whose rows have lists below them that come with them.
const PARENTS: [(&str, Parent, &str); 2] = [
    (merge_requests::TABLE.name, Parent::MergeRequest, "merge_request_id"),
    (issues::TABLE.name, Parent::Issue, "issue_id"),
];

impl Outdated {
    /// Looks among those that are stored.
    pub(crate) async fn of(
        connection: &mut PgConnection,
        page: &Page<'_>,
        known: &HashSet<(Parent, i64)>,
    ) -> Result<Outdated, StoreError> {
        let mut outdated = HashSet::new();
        let rows = page.rows;
        for (table, parent, _) in PARENTS {
            let brings = |it: &&Batch| it.table.name == table && it.columns.contains(&"updated_at");
            if !known.iter().any(|it| it.0 == parent) {
                continue;
            }
            for batch in rows.batches.iter().filter(brings) {
                let older = sqlx::query_scalar(AssertSqlSafe(statement(table)));
                let older = older.bind(batch.json()).bind(page.sent_at).bind(parent == Parent::Issue);
                let ids: Vec<i64> = older.fetch_all(&mut *connection).await?;
                outdated.extend(ids.into_iter().map(|id| (parent, id)));
            }
        }
        Ok(Outdated(outdated))
    }

    /// Whether it is one of these.
    pub(crate) fn has(&self, parent: Parent, id: i64) -> bool {
        self.0.contains(&(parent, id))
    }

    /// The rows of a batch, as a JSON array, without those that hang on one of these.
    pub(crate) fn leave_out(&self, batch: &Batch) -> Result<String, StoreError> {
        let json = batch.json();
        let below = PARENTS.iter().find(|it| batch.columns.contains(&it.2));
        let Some((_, parent, column)) = below.filter(|_| !self.0.is_empty()) else { return Ok(json) };
        let mut rows: Vec<Value> = serde_json::from_str(&json).map_err(StoreError::unreadable)?;
        rows.retain(|row| !row[*column].as_i64().is_some_and(|id| self.has(*parent, id)));
        Ok(Value::Array(rows).to_string())
    }

    /// The same of labels that are known by name.
    pub(crate) fn leave_out_named<'n>(
        &self,
        parent: Parent,
        named: &'n [(i64, i64, String)],
    ) -> Cow<'n, [(i64, i64, String)]> {
        if self.0.is_empty() {
            return Cow::Borrowed(named);
        }
        named.iter().filter(|it| !self.has(parent, it.1)).cloned().collect()
    }
}

/// Of two answers of one second the one that was asked for later counts, as with the row itself, where each brings every list:
/// that of an issue does, and that of a merge request by REST does not.
fn statement(table: &str) -> String {
    let second = |of: &str| format!("date_bin('1 second', {of}.updated_at, timestamptz 'epoch')");
    let (stored, told) = (second("t"), second("r"));
    format!(
        "select t.id
           from jsonb_populate_recordset(null::{table}, $1::text::jsonb) as r
           join {table} t on t.project_id = r.project_id and t.id = r.id
          where {stored} > {told}
             or ($3 and {stored} = {told} and t.synced_at > $2)"
    )
}
