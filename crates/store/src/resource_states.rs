//! Up to when each resource of a connection is known to be up to date.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{Store, StoreError};

/// A resource of a connection.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ResourceState {
    /// Name of the resource.
    pub resource: String,
    /// What GitLab had at this time is stored.
    pub last_synced_at: DateTime<Utc>,
}

/// How a resource was read: by these readers, each project on its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRead {
    /// Name of the resource.
    pub resource: String,
    /// The readers in use.
    pub readers: Vec<String>,
}

impl Store {
    /// Everything of these resources is up to date as of this time.
    pub async fn resources_synced(
        &self,
        connection: i64,
        resources: &[&str],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "insert into weir.resource_states as t (connection_id, resource, last_synced_at)
             select $1, r, $3 from unnest($2::text[]) as r order by r
                 on conflict (connection_id, resource) do update
                set last_synced_at = greatest(t.last_synced_at, excluded.last_synced_at)",
        )
        .bind(connection)
        .bind(resources)
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// After a run that ended early: these resources are up to date as far as the least of these parents is. The run
    /// started at one time by GitLab's clock and began at another by ours: cursors follow the first.
    pub async fn resources_partly_synced(
        &self,
        connection: i64,
        instance: i64,
        read: &[ResourceRead],
        parents: &[i64],
        started: DateTime<Utc>,
        began: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        for ResourceRead { resource, readers } in read {
            let least: Option<DateTime<Utc>> = sqlx::query_scalar(
                "select case when bool_and(complete_to is not null) then min(complete_to) end
                   from weir.partitions
                  where instance = $1 and resource = $2 and reader = any($3) and parent_id = any($4)",
            )
            .bind(instance)
            .bind(resource)
            .bind(readers)
            .bind(parents)
            .fetch_one(&self.pool)
            .await?;
            let ours = least.and_then(|it| it.checked_add_signed(began - started));
            if let Some(ours) = ours {
                self.resources_synced(connection, &[resource], ours).await?;
            }
        }
        Ok(())
    }

    /// The resources of a connection.
    pub async fn resource_states(&self, connection: i64) -> Result<Vec<ResourceState>, StoreError> {
        let rows = sqlx::query_as(
            "select resource, last_synced_at from weir.resource_states where connection_id = $1 order by resource",
        );
        Ok(rows.bind(connection).fetch_all(&self.pool).await?)
    }
}
