//! Runs of a sync. Two processes that are asked for the same thing at once share one run.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{Store, StoreError};

/// A leader that is silent for so many seconds has died.
const SILENCE_SECONDS: f64 = 30.0;

/// A run that this process takes part in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Number of the sync.
    pub id: i64,
    /// Whether this process leads it: it discovers, and it ends the run.
    pub leads: bool,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct SyncEnd {
    /// complete, stopped or failed.
    pub state: &'static str,
    /// Requests sent.
    pub requests: i64,
    /// Bytes of answers read.
    pub bytes: i64,
    /// Seconds waited because GitLab said so.
    pub waited_seconds: f64,
    /// Counts by table.
    pub resources: Value,
    /// Why it did not complete.
    pub error: Option<Value>,
}

impl Store {
    /// Joins the running sync of this scope, takes over one whose leader has died, or starts a new one.
    pub async fn join_sync(
        &self,
        instance: i64,
        connectors: &[String],
        scope: &str,
        owner: &str,
        at: DateTime<Utc>,
    ) -> Result<Joined, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("lock table weir.syncs in share row exclusive mode").execute(&mut *transaction).await?;
        sqlx::query(
            "update weir.syncs set state = 'stopped', finished_at = heartbeat_at
              where instance = $1 and state = 'running'
                and heartbeat_at < clock_timestamp() - make_interval(secs => $2)",
        )
        .bind(instance)
        .bind(SILENCE_SECONDS)
        .execute(&mut *transaction)
        .await?;
        let running: Option<i64> = sqlx::query_scalar(
            "select id from weir.syncs
              where instance = $1 and state = 'running' and scope = $2 and connectors = $3
              order by id desc limit 1",
        )
        .bind(instance)
        .bind(scope)
        .bind(connectors)
        .fetch_optional(&mut *transaction)
        .await?;
        let joined = match running {
            Some(id) => Joined { id, leads: false },
            None => {
                let id = sqlx::query_scalar(
                    "insert into weir.syncs (instance, connectors, scope, state, owner, started_at)
                     values ($1, $2, $3, 'running', $4, $5) returning id",
                );
                let id = id.bind(instance).bind(connectors).bind(scope).bind(owner).bind(at);
                Joined { id: id.fetch_one(&mut *transaction).await?, leads: true }
            }
        };
        transaction.commit().await?;
        Ok(joined)
    }

    /// A sign of life from the leader, and where it stands.
    pub async fn beat(&self, sync_id: i64, phase: &str) -> Result<(), StoreError> {
        sqlx::query("update weir.syncs set heartbeat_at = clock_timestamp(), phase = $2 where id = $1")
            .bind(sync_id)
            .bind(phase)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Phase of a run while it runs, none once it has ended or its leader has died.
    pub async fn running_phase(&self, sync_id: i64) -> Result<Option<String>, StoreError> {
        let phase = sqlx::query_scalar(
            "select phase from weir.syncs
              where id = $1 and state = 'running'
                and heartbeat_at >= clock_timestamp() - make_interval(secs => $2)",
        );
        Ok(phase.bind(sync_id).bind(SILENCE_SECONDS).fetch_optional(&self.pool).await?)
    }

    /// Whether a run ended well.
    pub async fn sync_completed(&self, sync_id: i64) -> Result<bool, StoreError> {
        let complete = sqlx::query_scalar("select state = 'complete' from weir.syncs where id = $1");
        Ok(complete.bind(sync_id).fetch_optional(&self.pool).await?.unwrap_or(false))
    }

    /// Ends a run.
    pub async fn end_sync(&self, sync_id: i64, end: &SyncEnd, at: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.syncs
                set state = $2, finished_at = $3, requests = $4, bytes = $5, waited_seconds = $6, resources = $7, error = $8
              where id = $1",
        )
        .bind(sync_id)
        .bind(end.state)
        .bind(at)
        .bind(end.requests)
        .bind(end.bytes)
        .bind(end.waited_seconds)
        .bind(&end.resources)
        .bind(&end.error)
        .execute(&self.pool)
        .await?;
        sqlx::query("delete from weir.leases where sync_id = $1").bind(sync_id).execute(&self.pool).await?;
        Ok(())
    }
}
