//! The schema as the database itself describes it: the source of `weir schema` and of docs/schema.md.

use serde::Serialize;
use sqlx::FromRow;

use crate::{Store, StoreError};

/// A table or view.
#[derive(Debug, Clone, Serialize)]
pub struct TableInfo {
    /// Name, with its schema unless that is `public`.
    pub name: String,
    /// What it holds.
    pub description: Option<String>,
    /// Columns of the primary key.
    pub key: Vec<String>,
    /// Its columns.
    pub columns: Vec<ColumnInfo>,
}

/// A column.
#[derive(Debug, Clone, Serialize)]
pub struct ColumnInfo {
    /// Name.
    pub name: String,
    /// PostgreSQL's type.
    pub r#type: String,
    /// Whether it can be null.
    pub nullable: bool,
    /// What it holds.
    pub description: Option<String>,
}

#[derive(FromRow)]
struct Described {
    table_name: String,
    table_description: Option<String>,
    column_name: String,
    column_type: String,
    nullable: bool,
    in_key: bool,
    column_description: Option<String>,
}

impl Store {
    /// Every table and view of Weir with its columns, in the order of their names.
    pub async fn schema(&self) -> Result<Vec<TableInfo>, StoreError> {
        let rows: Vec<Described> = sqlx::query_as(
            "select case when n.nspname = 'public' then c.relname else n.nspname || '.' || c.relname end as table_name
                  , obj_description(c.oid, 'pg_class') as table_description
                  , a.attname::text as column_name
                  , format_type(a.atttypid, a.atttypmod) as column_type
                  , not a.attnotnull as nullable
                  , coalesce(a.attnum = any(i.indkey), false) as in_key
                  , col_description(c.oid, a.attnum) as column_description
               from pg_class c
               join pg_namespace n on n.oid = c.relnamespace
               join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
               left join pg_index i on i.indrelid = c.oid and i.indisprimary
              where n.nspname in ('public', 'metrics', 'weir')
                and c.relkind in ('r', 'v', 'm', 'p')
                and c.relname <> '_sqlx_migrations'
              order by n.nspname, c.relname, a.attnum",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(grouped(rows))
    }
}

fn grouped(rows: Vec<Described>) -> Vec<TableInfo> {
    let mut tables: Vec<TableInfo> = Vec::new();
    for row in rows {
        if tables.last().is_none_or(|it| it.name != row.table_name) {
            let (name, description) = (row.table_name, row.table_description);
            tables.push(TableInfo { name, description, key: Vec::new(), columns: Vec::new() });
        }
        let Some(table) = tables.last_mut() else { continue };
        if row.in_key {
            table.key.push(row.column_name.clone());
        }
        table.columns.push(ColumnInfo {
            name: row.column_name,
            r#type: row.column_type,
            nullable: row.nullable,
            description: row.column_description,
        });
    }
    tables
}
