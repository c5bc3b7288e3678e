//! Runs of a sync. Two processes that are asked for the same thing at once share one run.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};

use crate::{Store, StoreError, pending};

/// Class of the advisory locks by which a leader shows that it lives: its connection ends with its process.
const LEADS: i32 = 8318;

/// A run that this process takes part in.
#[derive(Debug)]
pub struct Joined {
    /// Number of the sync.
    pub id: i64,
    /// Held by the leader, which discovers and ends the run; none for those who help.
    pub leadership: Option<Leadership>,
}

/// A run as the API shows it.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct SyncRow {
    /// Its number.
    pub id: i64,
    /// The connection it ran for.
    pub connection_id: Option<i64>,
    /// The connectors it ran.
    pub connectors: Vec<String>,
    /// running, complete, stopped or failed.
    pub state: String,
    /// What it is doing.
    pub phase: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Requests sent.
    pub requests: i64,
    /// Answers that said the content is as it was.
    pub not_modified: i64,
    /// Bytes of answers read.
    pub bytes: i64,
    /// Seconds waited because GitLab said so.
    pub waited_seconds: f64,
    /// Counts by table.
    pub resources: Value,
    /// Why it did not complete.
    pub error: Option<Value>,
}

/// What a process wants to run.
#[derive(Debug, Clone, Copy)]
pub struct Run<'r> {
    /// Number of the GitLab.
    pub instance: i64,
    /// The connectors.
    pub connectors: &'r [String],
    /// What it is limited to, as text.
    pub scope: &'r str,
    /// The connection it is for.
    pub connection: Option<i64>,
    /// The process.
    pub owner: &'r str,
}

/// Proof of life of a leader: as long as this connection stands, nobody else leads.
#[derive(Debug)]
pub struct Leadership {
    _connection: PgConnection,
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
    /// Answers that said the content is as it was.
    pub not_modified: i64,
    /// Seconds waited because GitLab said so.
    pub waited_seconds: f64,
    /// Counts by table.
    pub resources: Value,
    /// Why it did not complete.
    pub error: Option<Value>,
}

impl Store {
    /// Joins the running sync of this scope, or leads a new one. Runs whose leader has died are ended first.
    pub async fn join_sync(&self, run: &Run<'_>, at: DateTime<Utc>) -> Result<Joined, StoreError> {
        let mut leader = self.pool.acquire().await?.detach();
        let mut transaction = self.pool.begin().await?;
        sqlx::query("lock table weir.syncs in share row exclusive mode").execute(&mut *transaction).await?;
        let alive = bury(&mut transaction, run.instance, run.owner, at).await?;
        if let Some(id) = running(&mut transaction, run).await? {
            transaction.commit().await?;
            return Ok(Joined { id, leadership: None });
        }
        if !alive {
            // Whoever had taken lists to read is gone.
            pending::release_claims(&mut transaction, run.instance).await?;
        }
        let id: i64 = sqlx::query_scalar(
            "insert into weir.syncs (instance, connectors, scope, state, owner, started_at, connection_id)
             values ($1, $2, $3, 'running', $4, $5, $6) returning id",
        )
        .bind(run.instance)
        .bind(run.connectors)
        .bind(run.scope)
        .bind(run.owner)
        .bind(at)
        .bind(run.connection)
        .fetch_one(&mut *transaction)
        .await?;
        sqlx::query("select pg_advisory_lock($1, $2)").bind(LEADS).bind(key(id)).execute(&mut leader).await?;
        transaction.commit().await?;
        Ok(Joined { id, leadership: Some(Leadership { _connection: leader }) })
    }

    /// Joins the running sync of this scope whose leader lives; None where there is none.
    pub async fn help_sync(&self, run: &Run<'_>) -> Result<Option<Joined>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let id = running(&mut transaction, run).await?;
        transaction.rollback().await?;
        let Some(id) = id else { return Ok(None) };
        let lives = self.running_phase(id).await?.is_some();
        Ok(lives.then_some(Joined { id, leadership: None }))
    }

    /// Runs, the newest first: of one connection, or all; `before` is the last one of the page before.
    pub async fn syncs(
        &self,
        connection: Option<i64>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<SyncRow>, StoreError> {
        let rows = sqlx::query_as(
            "select * from weir.syncs
              where ($1::bigint is null or connection_id = $1) and id < coalesce($2, 9223372036854775807)
              order by id desc
              limit $3",
        );
        Ok(rows.bind(connection).bind(before).bind(limit).fetch_all(&self.pool).await?)
    }

    /// A run.
    pub async fn sync(&self, id: i64) -> Result<Option<SyncRow>, StoreError> {
        let row = sqlx::query_as("select * from weir.syncs where id = $1");
        Ok(row.bind(id).fetch_optional(&self.pool).await?)
    }

    /// Says where a run stands.
    pub async fn enter_phase(&self, sync_id: i64, phase: &str) -> Result<(), StoreError> {
        sqlx::query("update weir.syncs set phase = $2 where id = $1")
            .bind(sync_id)
            .bind(phase)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Phase of a run while it runs, none once it has ended or its leader has died.
    pub async fn running_phase(&self, sync_id: i64) -> Result<Option<String>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let phase = sqlx::query_scalar("select phase from weir.syncs where id = $1 and state = 'running'");
        let phase = phase.bind(sync_id).fetch_optional(&mut *transaction).await?;
        let dead = is_dead(&mut transaction, sync_id).await?;
        transaction.rollback().await?;
        Ok(phase.filter(|_| !dead))
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
                set state = $2, finished_at = $3, requests = $4, bytes = $5, waited_seconds = $6, resources = $7, error = $8, not_modified = $9
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
        .bind(end.not_modified)
        .execute(&self.pool)
        .await?;
        sqlx::query("delete from weir.leases where sync_id = $1").bind(sync_id).execute(&self.pool).await?;
        Ok(())
    }
}

/// The sync of this scope that is running, as far as the table knows.
async fn running(connection: &mut PgConnection, run: &Run<'_>) -> Result<Option<i64>, StoreError> {
    let id = sqlx::query_scalar(
        "select id from weir.syncs
          where instance = $1 and state = 'running' and scope = $2 and connectors = $3
          order by id desc limit 1",
    );
    let id = id.bind(run.instance).bind(run.scope).bind(run.connectors);
    Ok(id.fetch_optional(connection).await?)
}

/// Ends the runs whose leader has died. Gives whether any run is alive.
///
/// A process that lost its connection and comes again may find its old session still there, holding the lock: the server
/// learns late that a network is cut. What the process led itself is dead all the same.
async fn bury(
    connection: &mut PgConnection,
    instance: i64,
    owner: &str,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let running: Vec<(i64, bool)> = sqlx::query_as(
        "select id, owner is not distinct from $2 from weir.syncs where instance = $1 and state = 'running'",
    )
    .bind(instance)
    .bind(owner)
    .fetch_all(&mut *connection)
    .await?;
    let mut alive = false;
    for (id, ours) in running {
        if ours || is_dead(connection, id).await? {
            sqlx::query("update weir.syncs set state = 'stopped', finished_at = $2 where id = $1")
                .bind(id)
                .bind(at)
                .execute(&mut *connection)
                .await?;
            sqlx::query("delete from weir.leases where sync_id = $1")
                .bind(id)
                .execute(&mut *connection)
                .await?;
        } else {
            alive = true;
        }
    }
    Ok(alive)
}

/// Whether nobody holds the lock that the leader of a run holds while it lives.
async fn is_dead(connection: &mut PgConnection, sync_id: i64) -> Result<bool, StoreError> {
    let free = sqlx::query_scalar("select pg_try_advisory_xact_lock($1, $2)");
    Ok(free.bind(LEADS).bind(key(sync_id)).fetch_one(connection).await?)
}

/// Advisory locks take 32 bits; runs that are 2^32 apart do not meet.
fn key(sync_id: i64) -> i32 {
    sync_id as i32
}
