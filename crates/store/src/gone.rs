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
/// Issues.
pub const ISSUE: Fact = Fact { table: "gitlab_issues", column: "issue_id" };
/// Deployments.
pub const DEPLOYMENT: Fact = Fact { table: "gitlab_deployments", column: "deployment_id" };
/// Pipelines.
pub const PIPELINE: Fact = Fact { table: "gitlab_pipelines", column: "pipeline_id" };

impl Fact {
    /// The table of such things.
    pub fn table(&self) -> &'static str {
        self.table
    }
}

impl Store {
    /// Who made these, each user once; none for one of whom that is not known.
    pub async fn authors(
        &self,
        fact: Fact,
        project: i64,
        ids: &[i64],
    ) -> Result<Vec<Option<i64>>, StoreError> {
        let sql =
            format!("select distinct user_id from {} where project_id = $1 and id = any($2)", fact.table);
        let authors = sqlx::query_scalar(AssertSqlSafe(sql));
        Ok(authors.bind(project).bind(ids).fetch_all(&self.pool).await?)
    }

    /// Marks rows of a project as deleted, and what lives below them as gone with its parent; what was read after
    /// GitLab was asked is there. Gives how many of the rows themselves were marked. What returns is read again, which
    /// takes the marks away.
    pub async fn mark_deleted(
        &self,
        fact: Fact,
        project: i64,
        ids: &[i64],
        asked_at: DateTime<Utc>,
        at: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let mark = format!(
            "update {} set deleted_at = $3, deleted_reason = 'deleted', synced_at = $3
              where project_id = $1 and id = any($2) and deleted_at is null and synced_at <= $4
             returning id",
            fact.table
        );
        let marked = sqlx::query_scalar(AssertSqlSafe(mark)).bind(project).bind(ids).bind(at).bind(asked_at);
        let ids: Vec<i64> = marked.fetch_all(&mut *transaction).await?;
        for table in tables_below(&mut transaction, fact.column).await? {
            let mark = format!(
                "update {table} set deleted_at = $3, deleted_reason = 'parent_deleted', synced_at = $3
                  where project_id = $1 and {} = any($2) and deleted_at is null",
                fact.column
            );
            let mark = sqlx::query(AssertSqlSafe(mark)).bind(project).bind(&ids).bind(at);
            mark.execute(&mut *transaction).await?;
        }
        if fact == PIPELINE {
            sqlx::query(FORGET_JOBS).bind(project).bind(&ids).bind(at).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(ids.len() as u64)
    }
}

/// GitLab tells no job, and no end, of a deployment whose job is gone.
const FORGET_JOBS: &str = "
    update gitlab_deployments
       set job_id = null, finished_at = null, synced_at = $3
     where project_id = $1
       and job_id in (select id from gitlab_jobs where project_id = $1 and pipeline_id = any($2))";

/// Takes away the marks of what went with things that are back. Lists that a page brings whole come after that.
pub(crate) async fn restore_below(
    connection: &mut PgConnection,
    fact: Fact,
    gone: &[(i64, Vec<i64>)],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    for (project, ids) in gone {
        let back: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(format!(
            "select id from {} where project_id = $1 and id = any($2) and deleted_at is null",
            fact.table
        )))
        .bind(project)
        .bind(ids)
        .fetch_all(&mut *connection)
        .await?;
        for table in tables_below(connection, fact.column).await? {
            let restore = format!(
                "update {table} set deleted_at = null, deleted_reason = null, synced_at = $3
                  where project_id = $1 and {} = any($2) and deleted_reason = 'parent_deleted'{}",
                fact.column,
                unless_gone_otherwise(&table)
            );
            let restore = sqlx::query(AssertSqlSafe(restore)).bind(project).bind(&back).bind(at);
            restore.execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// A row that hangs on two things comes back only with both.
fn unless_gone_otherwise(table: &str) -> &'static str {
    match table {
        "gitlab_deployment_merge_requests" => {
            " and deployment_id in (select id from gitlab_deployments where project_id = $1 and deleted_at is null)"
        }
        "gitlab_merge_request_labels" => {
            " and label_id in (select id from gitlab_labels where project_id = $1 and deleted_at is null)"
        }
        _ => "",
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

/// The reason of everything in a project that GitLab has deleted.
pub(crate) const PROJECT_DELETED: &str = "project_deleted";

/// Marks everything in a project.
pub(crate) async fn mark_within(
    connection: &mut PgConnection,
    project: i64,
    at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let mut marked = 0;
    for table in tables_below(connection, "project_id").await? {
        let mark = format!(
            "update {table} set deleted_at = $2, deleted_reason = $3, synced_at = $2
              where project_id = $1 and deleted_at is null"
        );
        let mark = sqlx::query(AssertSqlSafe(mark)).bind(project).bind(at).bind(PROJECT_DELETED);
        marked += mark.execute(&mut *connection).await?.rows_affected();
    }
    Ok(marked)
}

/// Takes away again the marks that came with a project's own.
pub(crate) async fn restore_project(
    connection: &mut PgConnection,
    project: i64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    for table in tables_below(connection, "project_id").await? {
        let restore = format!(
            "update {table} set deleted_at = null, deleted_reason = null, synced_at = $2
              where project_id = $1 and deleted_reason = $3"
        );
        let restore = sqlx::query(AssertSqlSafe(restore)).bind(project).bind(at).bind(PROJECT_DELETED);
        restore.execute(&mut *connection).await?;
    }
    Ok(())
}
