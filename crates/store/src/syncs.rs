//! Runs of a sync. Two processes that are asked for the same thing at once share one run.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};

use crate::remote::Led;
use crate::{Store, StoreError, pending};

/// How long a leader without a connection of its own may be silent, in seconds.
const SILENCE_SECONDS: f64 = 60.0;

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
#[derive(Debug, Clone, Copy, Serialize)]
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

/// Proof of life of a leader: as long as this connection stands, nobody else leads. A leader elsewhere says that it lives.
#[derive(Debug)]
pub struct Leadership {
    _proof: Proof,
}

#[derive(Debug)]
#[expect(dead_code, reason = "it is held, and works by being dropped")]
enum Proof {
    Here(PgConnection),
    Away(Led),
}

impl Leadership {
    pub(crate) fn away(led: Led) -> Leadership {
        Leadership { _proof: Proof::Away(led) }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SyncEnd {
    /// complete, stopped or failed.
    #[serde(deserialize_with = "crate::remote::words::state")]
    pub state: crate::remote::words::Word,
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
        let (id, leads) = join(&mut transaction, run, at).await?;
        if !leads {
            transaction.commit().await?;
            return Ok(Joined { id, leadership: None });
        }
        sqlx::query("select pg_advisory_lock($1, $2)").bind(LEADS).bind(key(id)).execute(&mut leader).await?;
        transaction.commit().await?;
        Ok(Joined { id, leadership: Some(Leadership { _proof: Proof::Here(leader) }) })
    }

    /// The same for a process elsewhere, which has no connection that would show that it lives: it is given a lease. Gives the
    /// number of the sync, and whether it leads it.
    pub(crate) async fn join_sync_leased(
        &self,
        run: &Run<'_>,
        at: DateTime<Utc>,
    ) -> Result<(i64, bool), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let (id, leads) = join(&mut transaction, run, at).await?;
        if leads {
            prolong(&mut transaction, id, run.owner).await?;
        }
        transaction.commit().await?;
        Ok((id, leads))
    }

    /// Prolongs the lease of a leader elsewhere; false where it does not lead any more.
    pub(crate) async fn lead_on(&self, sync_id: i64, owner_prefix: &str) -> Result<bool, StoreError> {
        prolong(&mut *self.pool.acquire().await?, sync_id, owner_prefix).await
    }

    /// Whether a sync was run for one of these connections to this GitLab.
    pub(crate) async fn is_sync_of(
        &self,
        sync_id: i64,
        instance: i64,
        connections: &[i64],
    ) -> Result<bool, StoreError> {
        let is = sqlx::query_scalar(
            "select exists (select from weir.syncs where id = $1 and instance = $2 and connection_id = any($3))",
        );
        Ok(is.bind(sync_id).bind(instance).bind(connections).fetch_one(&self.pool).await?)
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

/// Joins the running sync of this scope, or makes a new one, which is to be led. Runs whose leader has died are ended first.
async fn join(
    transaction: &mut PgConnection,
    run: &Run<'_>,
    at: DateTime<Utc>,
) -> Result<(i64, bool), StoreError> {
    sqlx::query("lock table weir.syncs in share row exclusive mode").execute(&mut *transaction).await?;
    let alive = bury(transaction, run.instance, run.owner, at).await?;
    if let Some(id) = running(transaction, run).await? {
        return Ok((id, false));
    }
    if !alive {
        // Whoever had taken lists to read is gone.
        pending::release_claims(transaction, run.instance).await?;
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
    .fetch_one(transaction)
    .await?;
    Ok((id, true))
}

/// Prolongs the lease of a leader elsewhere.
async fn prolong(
    connection: &mut PgConnection,
    sync_id: i64,
    owner_prefix: &str,
) -> Result<bool, StoreError> {
    let prolonged = sqlx::query(
        "update weir.syncs set until = clock_timestamp() + make_interval(secs => $3)
          where id = $1 and starts_with(owner, $2) and state = 'running'",
    );
    let prolonged = prolonged.bind(sync_id).bind(owner_prefix).bind(SILENCE_SECONDS);
    Ok(prolonged.execute(connection).await?.rows_affected() == 1)
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

/// Whether nobody holds the lock that the leader of a run holds while it lives, and no lease of a leader elsewhere runs.
async fn is_dead(connection: &mut PgConnection, sync_id: i64) -> Result<bool, StoreError> {
    let free = sqlx::query_scalar(
        "select pg_try_advisory_xact_lock($1, $2)
            and not exists (select from weir.syncs where id = $3 and until > clock_timestamp())",
    );
    Ok(free.bind(LEADS).bind(key(sync_id)).bind(sync_id).fetch_one(connection).await?)
}

/// A condition: the run `s` is led by a process that lives. Other than `is_dead` it takes no lock, and can be part of a query.
/// A leader has its lock before its run can be seen.
pub(crate) const IS_LED: &str = "(s.until > clock_timestamp() or s.id & 4294967295 in (
    select objid::bigint from pg_locks
     where locktype = 'advisory' and classid::bigint = 8318 and objsubid = 2 and granted
       and database = (select oid from pg_database where datname = current_database())
  ))";

/// Advisory locks take 32 bits; runs that are 2^32 apart do not meet.
fn key(sync_id: i64) -> i32 {
    sync_id as i32
}
