//! Rows as they are stored, so that what a reading changed can be told.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, Row};

use crate::gone::{Fact, tables_below};
use crate::{Store, StoreError};

/// A row as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SnapshotRow {
    /// Its table.
    pub table: String,
    /// The values of its primary key.
    pub key: String,
    /// Every column.
    pub row: Map<String, Value>,
}

/// What a project has by complete listing.
const OF_PROJECT: [&str; 3] = ["gitlab_labels", "gitlab_milestones", "gitlab_project_members"];

impl Store {
    /// A merge request or pipeline of a project, and everything below it.
    pub async fn snapshot(&self, fact: Fact, project: i64, id: i64) -> Result<Vec<SnapshotRow>, StoreError> {
        let mut rows = self.rows_of(fact.table, "project_id = $1 and id = $2", project, id).await?;
        let mut connection = self.pool.acquire().await?;
        let tables = tables_below(&mut connection, fact.column).await?;
        drop(connection);
        for table in tables {
            let below = format!("project_id = $1 and {} = $2", fact.column);
            rows.extend(self.rows_of(&table, &below, project, id).await?);
        }
        Ok(rows)
    }

    /// A project, with its labels, milestones and members.
    pub async fn snapshot_project(&self, project: i64) -> Result<Vec<SnapshotRow>, StoreError> {
        let mut rows = self.rows_of("gitlab_projects", "id = $1 and $2 = $2", project, 0).await?;
        for table in OF_PROJECT {
            rows.extend(self.rows_of(table, "project_id = $1 and $2 = $2", project, 0).await?);
        }
        Ok(rows)
    }

    /// Weir's id of a merge request that is stored.
    pub async fn merge_request_id(&self, project: i64, iid: i64) -> Result<Option<i64>, StoreError> {
        let id =
            sqlx::query_scalar("select id from gitlab_merge_requests where project_id = $1 and iid = $2");
        Ok(id.bind(project).bind(iid).fetch_optional(&self.pool).await?)
    }

    async fn rows_of(
        &self,
        table: &str,
        condition: &str,
        project: i64,
        id: i64,
    ) -> Result<Vec<SnapshotRow>, StoreError> {
        let key: Vec<String> = sqlx::query_scalar(
            "select a.attname::text
               from pg_index i
               join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
              where i.indrelid = to_regclass($1) and i.indisprimary and a.attname <> 'project_id'
              order by a.attnum",
        )
        .bind(table)
        .fetch_all(&self.pool)
        .await?;
        let sql = format!("select to_jsonb(t) as row from {table} t where {condition}");
        let found = sqlx::query(AssertSqlSafe(sql)).bind(project).bind(id).fetch_all(&self.pool).await?;
        found.iter().map(|it| snapshot_row(table, &key, it.try_get("row")?)).collect()
    }
}

fn snapshot_row(table: &str, key: &[String], row: Value) -> Result<SnapshotRow, StoreError> {
    let Value::Object(row) = row else { return Err(sqlx::Error::RowNotFound.into()) };
    let values: Vec<String> = key
        .iter()
        .filter_map(|it| row.get(it))
        .map(|it| it.to_string().trim_matches('"').to_owned())
        .collect();
    Ok(SnapshotRow { table: table.to_owned(), key: values.join("/"), row })
}
