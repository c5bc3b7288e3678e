//! Marks what GitLab has provably removed, and what hung on it.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::{Store, StoreError};

/// A kind of thing that others hang on: its table, and the column by which they name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
}

/// Merge requests.
pub const MERGE_REQUEST: Fact = Fact { table: "gitlab_merge_requests", column: "merge_request_id" };
/// Pipelines.
pub const PIPELINE: Fact = Fact { table: "gitlab_pipelines", column: "pipeline_id" };

impl Store {
    /// Marks rows of a project as deleted, and what lives below them as gone with its parent. Gives how many of the rows
    /// themselves were marked. What returns is read again, which takes the marks away.
    pub async fn mark_deleted(
        &self,
        fact: Fact,
        project: i64,
        ids: &[i64],
        at: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let mark = format!(
            "update {} set deleted_at = $3, deleted_reason = 'deleted', synced_at = $3
              where project_id = $1 and id = any($2) and deleted_at is null",
            fact.table
        );
        let marked = sqlx::query(AssertSqlSafe(mark)).bind(project).bind(ids).bind(at);
        let marked = marked.execute(&mut *transaction).await?.rows_affected();
        for table in tables_below(&mut transaction, fact.column).await? {
            let mark = format!(
                "update {table} set deleted_at = $3, deleted_reason = 'parent_deleted', synced_at = $3
                  where project_id = $1 and {} = any($2) and deleted_at is null",
                fact.column
            );
            sqlx::query(AssertSqlSafe(mark))
                .bind(project)
                .bind(ids)
                .bind(at)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(marked)
    }
}

/// The tables that name such a parent: asked of the database, so that a table that is added is not forgotten.
pub(crate) async fn tables_below(
    connection: &mut PgConnection,
    column: &str,
) -> Result<Vec<String>, StoreError> {
    let tables = sqlx::query_scalar(
        "select format('%I', c.table_name)
           from information_schema.columns c
           join information_schema.tables t using (table_schema, table_name)
          where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.column_name = $1
          order by 1",
    );
    Ok(tables.bind(column).fetch_all(connection).await?)
}
