//! The work of a running sync, shared by every process that takes part: a unit is taken by one worker at a time.

use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, Row};

use crate::{Store, StoreError};

/// How long a worker may be silent before its unit is given to another, in seconds.
const LEASE_SECONDS: f64 = 60.0;

/// A piece of work: one resource within one parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Name of the resource.
    pub resource: String,
    /// The project or group (Weir's id).
    pub parent_id: i64,
    /// Lower goes first.
    pub priority: i32,
}

/// A unit in the hands of one worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The sync it belongs to.
    pub sync_id: i64,
    /// What is held.
    pub unit: Unit,
    /// Who holds it.
    pub owner: String,
}

impl Store {
    /// Adds units of work to a sync; those that are known stay as they are.
    pub async fn add_units(&self, sync_id: i64, units: &[Unit]) -> Result<(), StoreError> {
        let resources: Vec<&str> = units.iter().map(|it| it.resource.as_str()).collect();
        let parents: Vec<i64> = units.iter().map(|it| it.parent_id).collect();
        let priorities: Vec<i32> = units.iter().map(|it| it.priority).collect();
        sqlx::query(
            "insert into weir.leases (sync_id, resource, parent_id, state, priority)
             select $1, r, p, 'due', o from unnest($2::text[], $3::bigint[], $4::integer[]) as u(r, p, o)
                 on conflict do nothing",
        )
        .bind(sync_id)
        .bind(resources)
        .bind(parents)
        .bind(priorities)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Adds units of work to a sync, those again that are done.
    pub async fn reopen_units(&self, sync_id: i64, units: &[Unit]) -> Result<(), StoreError> {
        let resources: Vec<&str> = units.iter().map(|it| it.resource.as_str()).collect();
        let parents: Vec<i64> = units.iter().map(|it| it.parent_id).collect();
        sqlx::query(
            "update weir.leases l
                set state = 'due', owner = null, until = null
               from unnest($2::text[], $3::bigint[]) as u(resource, parent_id)
              where l.sync_id = $1 and l.resource = u.resource and l.parent_id = u.parent_id and l.state = 'done'",
        )
        .bind(sync_id)
        .bind(resources)
        .bind(parents)
        .execute(&self.pool)
        .await?;
        self.add_units(sync_id, units).await
    }

    /// Takes the next unit that is due, or whose worker has fallen silent.
    pub async fn claim(&self, sync_id: i64, owner: &str) -> Result<Option<Lease>, StoreError> {
        // Materialized: joined as a subquery it may run once per row of the outer table, and take them all.
        let row = sqlx::query(
            "with next as materialized (
               select resource, parent_id
                 from weir.leases
                where sync_id = $1
                  and (state = 'due' or state = 'leased' and until < clock_timestamp())
                order by priority, parent_id
                limit 1
                  for update skip locked
             )
             update weir.leases l
                set state = 'leased', owner = $2, until = clock_timestamp() + make_interval(secs => $3)
               from next
              where l.sync_id = $1
                and l.resource = next.resource
                and l.parent_id = next.parent_id
             returning l.resource, l.parent_id, l.priority",
        )
        .bind(sync_id)
        .bind(owner)
        .bind(LEASE_SECONDS)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            let unit = Unit {
                resource: row.try_get("resource")?,
                parent_id: row.try_get("parent_id")?,
                priority: row.try_get("priority")?,
            };
            Ok(Lease { sync_id, unit, owner: owner.to_owned() })
        })
        .transpose()
    }

    /// Gives a unit back, to be taken again later.
    pub async fn release(&self, lease: &Lease, priority: i32) -> Result<(), StoreError> {
        self.end(lease, "due", priority).await
    }

    /// Ends a unit.
    pub async fn finish(&self, lease: &Lease) -> Result<(), StoreError> {
        self.end(lease, "done", lease.unit.priority).await
    }

    async fn end(&self, lease: &Lease, state: &str, priority: i32) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.leases
                set state = $5, owner = null, until = null, priority = $6
              where sync_id = $1 and resource = $2 and parent_id = $3 and owner = $4",
        )
        .bind(lease.sync_id)
        .bind(&lease.unit.resource)
        .bind(lease.unit.parent_id)
        .bind(&lease.owner)
        .bind(state)
        .bind(priority)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// How many units of a sync are not done yet, those in the hands of others included.
    pub async fn units_left(&self, sync_id: i64) -> Result<i64, StoreError> {
        let left =
            sqlx::query_scalar("select count(*) from weir.leases where sync_id = $1 and state <> 'done'");
        Ok(left.bind(sync_id).fetch_one(&self.pool).await?)
    }

    /// Gives back at once what a worker of this process held: it is stopping.
    pub async fn release_all(&self, sync_id: i64, owner_prefix: &str) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.leases set state = 'due', owner = null, until = null
              where sync_id = $1 and state = 'leased' and starts_with(owner, $2)",
        )
        .bind(sync_id)
        .bind(owner_prefix)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// Renews a lease in the transaction that writes under it; fails when another worker has it.
pub(crate) async fn hold(connection: &mut PgConnection, lease: &Lease) -> Result<(), StoreError> {
    let held = sqlx::query(
        "update weir.leases set until = clock_timestamp() + make_interval(secs => $5)
          where sync_id = $1 and resource = $2 and parent_id = $3 and owner = $4 and state = 'leased'",
    )
    .bind(lease.sync_id)
    .bind(&lease.unit.resource)
    .bind(lease.unit.parent_id)
    .bind(&lease.owner)
    .bind(LEASE_SECONDS)
    .execute(connection)
    .await?;
    if held.rows_affected() == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}
