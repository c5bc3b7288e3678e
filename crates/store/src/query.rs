//! Read-only queries of the user's own.

use std::time::Duration;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Column, Executor, PgConnection, Row, SqlSafeStr, Statement};

use crate::{Store, StoreError};

/// What a query gave.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryResult {
    /// Names of the columns, in order.
    pub columns: Vec<String>,
    /// Rows of JSON values, in that order.
    pub rows: Vec<Vec<Value>>,
}

/// How much a question may cost.
#[derive(Debug, Clone, Copy)]
pub struct QueryLimits {
    /// Rows that are wanted at most; one more is given where there are more.
    pub rows: i64,
    /// How long it may take.
    pub time: Duration,
}

impl Store {
    /// Whether whoever this store is connected as can read sealed tokens and digests of keys.
    pub async fn sees_secrets(&self) -> Result<bool, StoreError> {
        let sees = sqlx::query_scalar(
            "select coalesce(bool_or(has_table_privilege(c.oid, 'select')), false)
               from pg_class c join pg_namespace n on n.oid = c.relnamespace
              where n.nspname = 'weir' and c.relname = any($1)",
        );
        Ok(sees.bind(&crate::server::PRIVATE_TABLES[..]).fetch_one(&self.pool).await?)
    }

    /// Runs one statement that can read and nothing else, within limits. Whose rights it has is decided by the address of
    /// this store: a statement can give itself back what its role gave up.
    pub async fn query_within(&self, sql: &str, limits: QueryLimits) -> Result<QueryResult, StoreError> {
        let milliseconds = i64::try_from(limits.time.as_millis()).unwrap_or(i64::MAX);
        self.run(sql, Some((limits.rows.saturating_add(1), milliseconds))).await
    }

    /// Runs one statement that can read and nothing else. PostgreSQL itself refuses to write in the transaction, and
    /// a prepared statement cannot hold a second command that would leave it.
    pub async fn query(&self, sql: &str) -> Result<QueryResult, StoreError> {
        self.run(sql, None).await
    }

    async fn run(&self, sql: &str, limits: Option<(i64, i64)>) -> Result<QueryResult, StoreError> {
        let mut transaction = self.pool.begin().await?;
        if let Some((_, milliseconds)) = limits {
            let limit = sqlx::query("select set_config('statement_timeout', $1, true)");
            limit.bind(milliseconds.to_string()).execute(&mut *transaction).await?;
        }
        sqlx::query("set transaction read only").execute(&mut *transaction).await?;
        give_up_rights(&mut transaction).await?;
        sqlx::query("set local enable_seqscan = on").execute(&mut *transaction).await?;
        let sql = sql.trim().trim_end_matches(';');
        let prepared = (&mut *transaction).prepare(AssertSqlSafe(sql.to_owned()).into_sql_str()).await?;
        let columns: Vec<String> = prepared.columns().iter().map(|it| it.name().to_owned()).collect();
        let rows = if is_plain_query(sql) {
            // Positions for names, so that columns of one name do not hide each other.
            let aliases: Vec<String> = (0..columns.len()).map(|it| format!("c{it}")).collect();
            let wrapped = format!(
                "select json_build_array({})::text from (\n{sql}\n) as q({}){}",
                aliases.join(", "),
                aliases.join(", "),
                limits.map_or(String::new(), |(rows, _)| format!(" limit {rows}"))
            );
            values(sqlx::query(AssertSqlSafe(wrapped)).fetch_all(&mut *transaction).await?)?
        } else {
            texts(sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut *transaction).await?)
        };
        transaction.rollback().await?;
        Ok(QueryResult { columns, rows })
    }
}

/// A superuser may run programs and read files even in a transaction that reads only.
async fn give_up_rights(connection: &mut PgConnection) -> Result<(), StoreError> {
    let superuser: bool = sqlx::query_scalar("select rolsuper from pg_roles where rolname = current_user")
        .fetch_one(&mut *connection)
        .await?;
    if superuser {
        sqlx::query("set local role pg_read_all_data").execute(connection).await?;
    }
    Ok(())
}

/// What can stand in a from clause; `show` and `explain` cannot.
fn is_plain_query(sql: &str) -> bool {
    let sql = sql.trim_start_matches(|it: char| it == '(' || it.is_whitespace());
    let first: String = sql.chars().take_while(char::is_ascii_alphabetic).collect();
    matches!(first.to_lowercase().as_str(), "select" | "with" | "values" | "table")
        || sql.starts_with("--")
        || sql.starts_with("/*")
}

fn values(rows: Vec<sqlx::postgres::PgRow>) -> Result<Vec<Vec<Value>>, StoreError> {
    let parse = |row: sqlx::postgres::PgRow| {
        let text: String = row.try_get(0)?;
        serde_json::from_str(&text).map_err(|it| StoreError::Query(sqlx::Error::Decode(it.into())))
    };
    rows.into_iter().map(parse).collect()
}

fn texts(rows: Vec<sqlx::postgres::PgRow>) -> Vec<Vec<Value>> {
    let cell = |row: &sqlx::postgres::PgRow, at| {
        row.try_get_unchecked::<String, _>(at).map_or(Value::Null, Value::String)
    };
    rows.iter().map(|row| (0..row.columns().len()).map(|at| cell(row, at)).collect()).collect()
}
