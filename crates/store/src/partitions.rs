//! Partitions and their cursors: how far each reader has got within each parent.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};

use crate::{Store, StoreError};

/// Which partition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PartitionKey {
    /// The GitLab.
    pub instance: i64,
    /// Name of the resource.
    pub resource: String,
    /// `graphql` or `rest`.
    pub reader: String,
    /// The project or group (Weir's id); 0 for the instance.
    pub parent_id: i64,
}

/// A partition and how far it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Which one.
    pub key: PartitionKey,
    /// Everything that GitLab moved up to here is stored, back to `complete_from`. None before the first page.
    pub complete_to: Option<DateTime<Utc>>,
    /// How far back it is stored; none before the first page.
    pub complete_from: Option<DateTime<Utc>>,
    /// Whether the beginning of time was reached.
    pub whole: bool,
    /// GraphQL's cursor from which the way back goes on.
    pub backfill_cursor: Option<String>,
    /// How many rows GitLab counts, where it was asked.
    pub total: Option<i64>,
}

#[derive(FromRow)]
struct PartitionRow {
    resource: String,
    reader: String,
    parent_id: i64,
    complete_to: Option<DateTime<Utc>>,
    complete_from: Option<DateTime<Utc>>,
    whole: bool,
    backfill_cursor: Option<String>,
    total: Option<i64>,
}

impl Partition {
    /// A partition of which nothing is read yet.
    pub fn new(key: PartitionKey) -> Partition {
        Partition {
            key,
            complete_to: None,
            complete_from: None,
            whole: false,
            backfill_cursor: None,
            total: None,
        }
    }
}

const SELECT: &str = "select resource, reader, parent_id, complete_to
     , nullif(complete_from, '-infinity') as complete_from
     , coalesce(complete_from = '-infinity', false) as whole
     , backfill_cursor, total
  from weir.partitions";

impl Store {
    /// Whether any of these resources was read within a parent.
    pub async fn has_partition(
        &self,
        instance: i64,
        resources: &[&str],
        parent_id: i64,
    ) -> Result<bool, StoreError> {
        let has = sqlx::query_scalar(
            "select exists (select from weir.partitions where instance = $1 and resource = any($2) and parent_id = $3)",
        );
        Ok(has.bind(instance).bind(resources).bind(parent_id).fetch_one(&self.pool).await?)
    }

    /// A partition, as stored or new.
    pub async fn partition(&self, key: &PartitionKey) -> Result<Partition, StoreError> {
        let sql =
            format!("{SELECT} where instance = $1 and resource = $2 and reader = $3 and parent_id = $4");
        let row: Option<PartitionRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(key.instance)
            .bind(&key.resource)
            .bind(&key.reader)
            .bind(key.parent_id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map_or_else(|| Partition::new(key.clone()), |row| partition(key.instance, row)))
    }

    /// Every partition of a resource.
    pub async fn partitions(&self, instance: i64, resource: &str) -> Result<Vec<Partition>, StoreError> {
        let sql = format!("{SELECT} where instance = $1 and resource = $2 order by parent_id, reader");
        let rows: Vec<PartitionRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(instance)
            .bind(resource)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(|row| partition(instance, row)).collect())
    }

    /// Says that these partitions were found to be up to date at this time, without reading them.
    pub async fn confirm(
        &self,
        instance: i64,
        resource: &str,
        parents: &[i64],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.partitions
                set complete_to = greatest(complete_to, $4), confirmed_at = $4
              where instance = $1 and resource = $2 and parent_id = any($3) and complete_to is not null",
        )
        .bind(instance)
        .bind(resource)
        .bind(parents)
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Says that these partitions are whole, because GitLab has nothing in them at this time.
    pub async fn found_empty(&self, keys: &[PartitionKey], at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        for key in keys {
            let empty = Partition { complete_to: Some(at), whole: true, ..Partition::new(key.clone()) };
            save(&mut connection, &empty).await?;
        }
        Ok(())
    }

    /// Notes the namespace of each project, and forgets how far these resources were read in those that have moved to another,
    /// in one transaction: a crash leaves the move to be seen again.
    pub async fn note_namespaces(
        &self,
        instance: i64,
        resources: &[&str],
        projects: &[(i64, i64)],
    ) -> Result<(), StoreError> {
        let (ids, namespaces): (Vec<i64>, Vec<i64>) = projects.iter().copied().unzip();
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "delete from weir.partitions p
              using unnest($3::bigint[], $4::bigint[]) as f(project_id, namespace_id)
               join weir.project_namespaces n on n.project_id = f.project_id and n.namespace_id <> f.namespace_id
              where p.instance = $1 and p.resource = any($2) and p.parent_id = f.project_id",
        )
        .bind(instance)
        .bind(resources)
        .bind(&ids)
        .bind(&namespaces)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "insert into weir.project_namespaces as t (project_id, namespace_id)
             select f.project_id, f.namespace_id from unnest($1::bigint[], $2::bigint[]) as f(project_id, namespace_id)
              order by f.project_id
                 on conflict (project_id) do update set namespace_id = excluded.namespace_id
              where t.namespace_id <> excluded.namespace_id",
        )
        .bind(&ids)
        .bind(&namespaces)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Has the partitions of these parents read again from the beginning, and keeps how many rows GitLab counts there.
    pub async fn read_again(
        &self,
        instance: i64,
        resource: &str,
        totals: &[(i64, i64)],
    ) -> Result<(), StoreError> {
        let (parents, totals): (Vec<i64>, Vec<i64>) = totals.iter().copied().unzip();
        sqlx::query(
            "update weir.partitions p
                set complete_to = null, complete_from = null, backfill_cursor = null, total = u.total
               from unnest($3::bigint[], $4::bigint[]) as u(parent_id, total)
              where p.instance = $1 and p.resource = $2 and p.parent_id = u.parent_id",
        )
        .bind(instance)
        .bind(resource)
        .bind(parents)
        .bind(totals)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets how far these partitions were read, so that they are read again from the beginning.
    pub async fn forget(
        &self,
        instance: i64,
        resource: &str,
        parents: Option<&[i64]>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "delete from weir.partitions
              where instance = $1 and resource = $2 and ($3::bigint[] is null or parent_id = any($3))",
        )
        .bind(instance)
        .bind(resource)
        .bind(parents)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

fn partition(instance: i64, row: PartitionRow) -> Partition {
    let key = PartitionKey { instance, resource: row.resource, reader: row.reader, parent_id: row.parent_id };
    Partition {
        key,
        complete_to: row.complete_to,
        complete_from: row.complete_from,
        whole: row.whole,
        backfill_cursor: row.backfill_cursor,
        total: row.total,
    }
}

/// Locks a partition until the end of the transaction; fails when it is no longer as it was read.
pub(crate) async fn hold(connection: &mut PgConnection, stood: &Partition) -> Result<(), StoreError> {
    // What was never read has no row that could be locked, so one is made.
    let now: (Option<DateTime<Utc>>, bool) = sqlx::query_as(
        "insert into weir.partitions as t (instance, resource, reader, parent_id)
         values ($1, $2, $3, $4)
             on conflict (instance, resource, reader, parent_id) do update
            set complete_to = t.complete_to
         returning complete_to, coalesce(complete_from = '-infinity', false)",
    )
    .bind(stood.key.instance)
    .bind(&stood.key.resource)
    .bind(&stood.key.reader)
    .bind(stood.key.parent_id)
    .fetch_one(connection)
    .await?;
    if now == (stood.complete_to, stood.whole) { Ok(()) } else { Err(StoreError::CursorMoved) }
}

/// Saves how far a partition is read. What is complete never shrinks.
pub(crate) async fn save(connection: &mut PgConnection, partition: &Partition) -> Result<(), StoreError> {
    sqlx::query(
        "insert into weir.partitions as t
           (instance, resource, reader, parent_id, complete_to, complete_from, backfill_cursor, total, confirmed_at)
         values ($1, $2, $3, $4, $5, case when $7 then '-infinity' else $6 end, $8, $9, $5)
             on conflict (instance, resource, reader, parent_id) do update
            set complete_to = greatest(t.complete_to, excluded.complete_to)
              , complete_from = least(t.complete_from, excluded.complete_from)
              , backfill_cursor = excluded.backfill_cursor
              , total = coalesce(excluded.total, t.total)
              , confirmed_at = greatest(t.confirmed_at, excluded.confirmed_at)",
    )
    .bind(partition.key.instance)
    .bind(&partition.key.resource)
    .bind(&partition.key.reader)
    .bind(partition.key.parent_id)
    .bind(partition.complete_to)
    .bind(partition.complete_from)
    .bind(partition.whole)
    .bind(&partition.backfill_cursor)
    .bind(partition.total)
    .execute(connection)
    .await?;
    Ok(())
}
