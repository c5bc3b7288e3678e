//! The rows a page becomes, batched as the database takes them: one JSON array per table and set of columns.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Kind, Pending, Row, Table};

/// What a page of records becomes.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// Rows by table and columns.
    pub batches: Vec<Batch>,
    /// Child lists that were read from beginning to end.
    pub complete: Vec<CompleteList>,
    /// Lists that did not fit and must be read by requests of their own.
    pub pending: Vec<Pending>,
    /// Labels known by name alone: (project, merge request, name); their ids are looked up when they are written.
    pub named_labels: Vec<(i64, i64, String)>,
    /// The same for issues: (project, issue, name).
    pub named_issue_labels: Vec<(i64, i64, String)>,
    /// Merge requests whose reviews and derived columns are to be computed again, as (project, merge request) in
    /// Weir's ids.
    pub touched: Vec<(i64, i64)>,
    /// Pipelines of whose jobs the reader could not tell which were retried, as (project, pipeline) in Weir's ids.
    pub touched_pipelines: Vec<(i64, i64)>,
}

/// Rows of one table that bring the same columns.
#[derive(Debug)]
pub struct Batch {
    /// Where they go.
    pub table: &'static Table,
    /// What they bring.
    pub columns: &'static [&'static str],
    /// How many they are.
    pub len: usize,
    json: Vec<u8>,
}

/// Says that the rows of `table` under one parent are all in this page: others of that parent are gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompleteList {
    /// The table of the children.
    pub table: &'static Table,
    /// Columns that name the parent.
    pub parent: &'static [&'static str],
    /// Their values.
    pub values: Vec<i64>,
    /// How many comments GitLab counts in the same answer, whoever may read them; none where it does not tell.
    pub counted: Option<i64>,
}

impl Rows {
    /// Adds a row. U+0000 is taken out of texts, because PostgreSQL's jsonb refuses it.
    pub fn push<R: Row>(&mut self, row: &R) {
        let batch = self.batch(R::TABLE, R::COLUMNS);
        batch.push(row);
    }

    /// Says that the child list under this parent is complete.
    pub fn complete(&mut self, table: &'static Table, parent: &'static [&'static str], values: &[i64]) {
        self.complete_of(table, parent, values, None);
    }

    /// The same, with as many as GitLab counts.
    pub fn complete_of(
        &mut self,
        table: &'static Table,
        parent: &'static [&'static str],
        values: &[i64],
        counted: Option<i64>,
    ) {
        self.complete.push(CompleteList { table, parent, values: values.to_vec(), counted });
    }

    /// Keeps the rows of these tables and nothing that hangs on the others.
    pub fn keep_only(&mut self, tables: &[&str]) {
        self.batches.retain(|it| tables.contains(&it.table.name));
        self.complete.retain(|it| tables.contains(&it.table.name));
        self.named_labels.clear();
        self.named_issue_labels.clear();
        self.pending.clear();
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.batches.iter().map(|it| it.len).sum()
    }

    /// Whether there is nothing to write at all.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
            && self.complete.is_empty()
            && self.pending.is_empty()
            && self.touched.is_empty()
    }

    fn batch(&mut self, table: &'static Table, columns: &'static [&'static str]) -> &mut Batch {
        let known = self.batches.iter().position(|it| it.table.name == table.name && it.columns == columns);
        let index = known.unwrap_or_else(|| {
            self.batches.push(Batch { table, columns, len: 0, json: Vec::new() });
            self.batches.len() - 1
        });
        &mut self.batches[index]
    }
}

impl Batch {
    fn push<R: Serialize>(&mut self, row: &R) {
        self.json.push(if self.len == 0 { b'[' } else { b',' });
        let start = self.json.len();
        serde_json::to_writer(&mut self.json, row).expect("a row of plain fields serialises");
        if memchr::memmem::find(&self.json[start..], b"\\u0000").is_some() {
            self.remove_nul(start);
        }
        self.len += 1;
    }

    /// Rewrites the row that begins at `start` without U+0000. Slow, and as rare as the character.
    fn remove_nul(&mut self, start: usize) {
        let mut value = serde_json::from_slice(&self.json[start..]).expect("what was just written is JSON");
        strip_nul(&mut value);
        self.json.truncate(start);
        serde_json::to_writer(&mut self.json, &value).expect("a JSON value serialises");
    }

    /// Rows that another process made, if they are of this kind.
    pub(crate) fn received(kind: &Kind, rows: &RawValue) -> Result<Batch, &'static str> {
        let mut wanted = kind.columns.to_vec();
        wanted.sort_unstable();
        let found: Vec<BTreeMap<&str, IgnoredAny>> =
            serde_json::from_str(rows.get()).map_err(|_| "rows are objects")?;
        if !found.iter().all(|row| row.keys().eq(&wanted)) {
            return Err("rows have the columns that were told");
        }
        let mut batch =
            Batch { table: kind.table, columns: kind.columns, len: found.len(), json: Vec::new() };
        if batch.len > 0 {
            batch.json.extend_from_slice(rows.get().as_bytes());
            if memchr::memmem::find(&batch.json, b"\\u0000").is_some() {
                batch.remove_nul(0);
            }
            batch.json.pop();
        }
        Ok(batch)
    }

    /// Every id of Weir in these rows. None where one of them is no number.
    pub fn ids_of_weir(&self) -> Option<Vec<i64>> {
        let columns: Vec<&str> = self.columns.iter().copied().filter(|it| is_id_of_weir(it)).collect();
        let json = self.json();
        let rows: Vec<BTreeMap<&str, &RawValue>> = serde_json::from_str(&json).ok()?;
        let mut ids = Vec::with_capacity(rows.len() * columns.len());
        for row in &rows {
            for column in &columns {
                let id: Option<i64> = serde_json::from_str(row.get(column)?.get()).ok()?;
                ids.extend(id);
            }
        }
        Some(ids)
    }

    /// The rows as one JSON array.
    pub fn json(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.json).into_owned();
        text.push_str(if self.len == 0 { "[]" } else { "]" });
        text
    }
}

/// Whether a column names something by Weir's id. `source_id` is GitLab's own, that of a runner too, and discussions have words.
fn is_id_of_weir(column: &str) -> bool {
    let of_others = ["source_id", "runner_id", "discussion_id"];
    (column == "id" || column.ends_with("_id")) && !of_others.contains(&column)
}

fn strip_nul(value: &mut serde_json::Value) {
    use serde_json::Value::{Array, Object, String};
    match value {
        String(text) => text.retain(|it| it != '\0'),
        Array(items) => items.iter_mut().for_each(strip_nul),
        Object(fields) => fields.values_mut().for_each(strip_nul),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::row;

    static THINGS: Table = Table { name: "things", key: &["id"], version: None, fill: &[] };
    row! { Thing<'a> in THINGS { id: i64, text: &'a str } }

    #[test]
    fn rows_of_one_kind_become_one_array() {
        let mut rows = Rows::default();
        rows.push(&Thing { id: 1, text: "a" });
        rows.push(&Thing { id: 2, text: "b" });
        assert_eq!(rows.batches.len(), 1);
        assert_eq!(rows.batches[0].columns, ["id", "text"]);
        assert_eq!(rows.batches[0].json(), r#"[{"id":1,"text":"a"},{"id":2,"text":"b"}]"#);
    }

    #[test]
    fn the_character_that_jsonb_refuses_is_taken_out() {
        let mut rows = Rows::default();
        rows.push(&Thing { id: 1, text: "a\0b and the text \\u0000" });
        assert_eq!(rows.batches[0].json(), r#"[{"id":1,"text":"ab and the text \\u0000"}]"#);
    }
}
