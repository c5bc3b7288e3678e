//! Answers that are asked for only if they changed.
//!
//! The name of an answer counts as long as the rows that came of it are as they were written: their digest is kept
//! beside it. Whoever changes a row, in whatever way, thereby has the listing read again.

use catalogue::Table;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};

use crate::{Page, Store, StoreError};

/// A complete listing: the rows of one table under one parent.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Listed<'a> {
    /// The table.
    pub table: &'static Table,
    /// The project or group (Weir's id).
    pub parent_id: i64,
    /// What GitLab said of it.
    pub told: Told<'a>,
}

/// What GitLab said of a listing.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Told<'a> {
    /// It is as it was: the page brings no rows.
    Unchanged,
    /// The page has all its rows, and GitLab named the answer.
    Named {
        /// What the name depends on.
        seal: &'a str,
        /// The name.
        etag: &'a str,
    },
    /// The page has rows that no name is kept for.
    Unnamed,
}

/// The name of an answer whose rows are stored as they were written.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize, Deserialize)]
pub struct Etag {
    /// What the name depends on.
    pub seal: String,
    /// The name.
    pub etag: String,
    /// How many rows are stored.
    pub rows: i64,
}

/// What a listing is found by, and a column that is no part of it because Weir derives it.
struct Kept {
    table: &'static str,
    parent: &'static str,
    derived: &'static str,
}

const KEPT: [Kept; 6] = [
    Kept { table: "gitlab_labels", parent: "project_id", derived: "group_id" },
    Kept { table: "gitlab_milestones", parent: "project_id", derived: "" },
    Kept { table: "gitlab_project_members", parent: "project_id", derived: "" },
    Kept { table: "gitlab_group_members", parent: "group_id", derived: "" },
    Kept { table: "weir.group_labels", parent: "group_id", derived: "" },
    Kept { table: "gitlab_environments", parent: "project_id", derived: "" },
];

impl Kept {
    fn of(table: &Table) -> Option<&'static Kept> {
        KEPT.iter().find(|it| it.table == table.name)
    }

    /// A query of the digest of all rows, the number of live ones, and the time of the last write. When a row was written is no
    /// part of the digest: only what it says.
    fn content(&self) -> String {
        let Kept { table, parent, derived } = self;
        format!(
            "select coalesce(sum(hashtextextended((to_jsonb(t) - array['synced_at', '{derived}'])::text, 0)::numeric), 0)
                      || '/' || count(*) as content
                  , count(*) filter (where t.deleted_at is null) as rows
                  , max(t.synced_at) as written_at
               from {table} t
              where t.{parent} = $1"
        )
    }
}

impl Store {
    /// The names of the answers with these seals, where what is stored is still what they brought.
    pub async fn etags(
        &self,
        table: &Table,
        parent_id: i64,
        seals: &[String],
    ) -> Result<Vec<Etag>, StoreError> {
        let Some(kept) = Kept::of(table) else { return Ok(Vec::new()) };
        let sql = format!(
            "select e.seal, e.etag, c.rows
               from weir.etags e
               join ({}) c on c.content = e.content
              where e.table_name = $2 and e.parent_id = $1 and e.seal = any($3)",
            kept.content()
        );
        let found = sqlx::query_as(AssertSqlSafe(sql)).bind(parent_id).bind(table.name).bind(seals);
        Ok(found.fetch_all(&self.pool).await?)
    }
}

/// Keeps the name of the answer that this page was, and forgets those of other answers.
pub(crate) async fn save(connection: &mut PgConnection, page: &Page<'_>) -> Result<(), StoreError> {
    let Some((listed, kept)) = page.listed.as_ref().and_then(|it| Some((it, Kept::of(it.table)?))) else {
        return Ok(());
    };
    let (seal, etag) = match listed.told {
        Told::Unchanged => return Ok(()),
        Told::Named { seal, etag } => (seal, Some(etag)),
        Told::Unnamed => ("", None),
    };
    sqlx::query(
        "delete from weir.etags
          where table_name = $1 and parent_id = $2 and (seal = $3 or etag is distinct from $4)",
    )
    .bind(listed.table.name)
    .bind(listed.parent_id)
    .bind(seal)
    .bind(etag)
    .execute(&mut *connection)
    .await?;
    let Some(etag) = etag else { return Ok(()) };
    // What was written later than this was asked for is not what this answer brought.
    let sql = format!(
        "insert into weir.etags (table_name, parent_id, seal, etag, content)
         select $2, $1, $3, $4, c.content
           from ({}) c
          where c.written_at is null or c.written_at <= $5",
        kept.content()
    );
    let saving = sqlx::query(AssertSqlSafe(sql)).bind(listed.parent_id).bind(listed.table.name);
    saving.bind(seal).bind(etag).bind(page.sent_at).execute(connection).await?;
    Ok(())
}
