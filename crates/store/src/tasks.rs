//! The schedule: what is due for each connection, who runs it, and how it ended.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::FromRow;

use crate::{Store, StoreError};

/// How long a worker may be silent before its task is given to another, in seconds.
pub(crate) const LEASE_SECONDS: f64 = 60.0;

/// A task with how it stands.
#[derive(Debug, Clone, PartialEq, FromRow, Serialize, Deserialize)]
pub struct TaskRow {
    /// The connection.
    pub connection_id: i64,
    /// sync or sweep.
    pub activity: String,
    /// When it is to start.
    pub due_at: DateTime<Utc>,
    /// Who runs it now.
    pub owner: Option<String>,
    /// When that worker counts as gone.
    pub until: Option<DateTime<Utc>>,
    /// When it last started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it last ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it last ended.
    pub outcome: Option<String>,
    /// How often in a row it has failed.
    pub failures: i32,
    /// Why it last failed.
    pub error: Option<Value>,
    /// When its worker last got anywhere with it.
    pub progress_at: Option<DateTime<Utc>>,
    /// When it last ended complete.
    pub succeeded_at: Option<DateTime<Utc>>,
    /// When the first of its failures in a row ended.
    pub failing_since: Option<DateTime<Utc>>,
    /// Whether it was just taken from a worker that had fallen silent.
    #[sqlx(default)]
    pub taken_over: bool,
}

/// How a task ended, and when it is due again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TaskEnd {
    /// complete, stopped or failed.
    #[serde(deserialize_with = "crate::remote::words::state")]
    pub outcome: crate::remote::words::Word,
    /// Why it failed.
    pub error: Option<Value>,
    /// When it is due again.
    pub due_at: DateTime<Utc>,
}

impl Store {
    /// Lays out the tasks of a connection that it does not have yet.
    pub async fn lay_out_tasks(
        &self,
        connection: i64,
        due: &[(&str, DateTime<Utc>)],
    ) -> Result<(), StoreError> {
        let (activities, times): (Vec<&str>, Vec<DateTime<Utc>>) = due.iter().copied().unzip();
        sqlx::query(
            "insert into weir.tasks (connection_id, activity, due_at)
             select $1, a, t from unnest($2::text[], $3::timestamptz[]) as u(a, t)
                 on conflict do nothing",
        )
        .bind(connection)
        .bind(activities)
        .bind(times)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Takes the task that has been due longest, of a connection that can work and of which no other task runs.
    /// Connections that an extractor reads for are left to it.
    pub async fn claim_task(&self, owner: &str, now: DateTime<Utc>) -> Result<Option<TaskRow>, StoreError> {
        self.claim_among(None, owner, now).await
    }

    /// The same for an extractor: of its connections alone.
    pub(crate) async fn claim_task_of(
        &self,
        connections: &[i64],
        owner: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<TaskRow>, StoreError> {
        self.claim_among(Some(connections), owner, now).await
    }

    async fn claim_among(
        &self,
        connections: Option<&[i64]>,
        owner: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<TaskRow>, StoreError> {
        let row = sqlx::query_as(
            "with next as materialized (
               select t.connection_id, t.activity, t.owner is not null as taken_over
                 from weir.tasks t
                 join weir.connections c on c.id = t.connection_id
                -- What was started in the future was put off by a clock that has been put back since.
                where (t.due_at <= $2 or t.started_at > $2 + interval '10 minutes')
                  and c.deleted_at is null and c.paused_at is null and c.disabled_at is null
                  and case when $4::bigint[] is null then c.extractor_id is null else c.id = any($4) end
                  and not exists (
                        select from weir.tasks o
                         where o.connection_id = t.connection_id and o.until > clock_timestamp()
                      )
                  -- An extractor keeps its tokens itself.
                  and (c.extractor_id is not null or exists (
                        select from weir.credentials k
                         where k.connection_id = c.id and k.deleted_at is null and k.disabled_at is null
                           and k.rotation_began_at is null
                      ))
                order by t.due_at, t.connection_id
                limit 1
                  for update of c skip locked
             )
             update weir.tasks t
                set owner = $1, until = clock_timestamp() + make_interval(secs => $3), started_at = $2, wished = false
                  , progress_at = clock_timestamp()
               from next
              where t.connection_id = next.connection_id and t.activity = next.activity
             returning t.*, next.taken_over",
        );
        let row = row.bind(owner).bind(now).bind(LEASE_SECONDS).bind(connections);
        Ok(row.fetch_optional(&self.pool).await?)
    }

    /// A task that another worker has been at for a while, and that this one may help with; not of the connections that it is
    /// at already.
    pub async fn task_to_help(
        &self,
        owner: &str,
        here: &[i64],
        now: DateTime<Utc>,
    ) -> Result<Option<TaskRow>, StoreError> {
        let row = sqlx::query_as(
            "select t.* from weir.tasks t join weir.connections c on c.id = t.connection_id
              where t.until > clock_timestamp() and not starts_with(t.owner, $1)
                and t.started_at < $2 - interval '1 second' and not t.connection_id = any($3)
                and c.deleted_at is null and c.paused_at is null and c.extractor_id is null
              order by t.started_at
              limit 1",
        );
        Ok(row.bind(owner).bind(now).bind(here).fetch_optional(&self.pool).await?)
    }

    /// Whether other workers are at a task.
    pub async fn others_run_tasks(&self, owner: &str) -> Result<bool, StoreError> {
        let others = sqlx::query_scalar(
            "select exists (select from weir.tasks where until > clock_timestamp() and not starts_with(owner, $1))",
        );
        Ok(others.bind(owner).fetch_one(&self.pool).await?)
    }

    /// Says that the worker of a task lives, and for how long it has got nowhere; false where another has it now, or the connection is
    /// not to work any more.
    pub async fn renew_task(&self, task: &TaskRow, idle: Duration) -> Result<bool, StoreError> {
        let renewed = sqlx::query(
            "update weir.tasks t
                set until = clock_timestamp() + make_interval(secs => $4)
                  , progress_at = clock_timestamp() - make_interval(secs => $5)
               from weir.connections c
              where t.connection_id = $1 and t.activity = $2 and t.owner = $3
                and c.id = t.connection_id and c.deleted_at is null and c.paused_at is null",
        );
        let renewed = renewed.bind(task.connection_id).bind(&task.activity).bind(&task.owner);
        let renewed = renewed.bind(LEASE_SECONDS).bind(idle.as_secs_f64()).execute(&self.pool).await?;
        Ok(renewed.rows_affected() == 1)
    }

    /// Ends a task, unless another worker has it now.
    pub async fn end_task(
        &self,
        task: &TaskRow,
        end: &TaskEnd,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.tasks
                set owner = null, until = null, ended_at = $4, outcome = $5, error = $6
                  , due_at = case when wished then least($4, $7) else $7 end
                  , failures = case when $5 = 'failed' then failures + 1 else 0 end
                  , failing_since = case when $5 = 'failed' then coalesce(failing_since, $4) end
                  , succeeded_at = case when $5 = 'complete' then $4 else succeeded_at end
              where connection_id = $1 and activity = $2 and owner = $3",
        )
        .bind(task.connection_id)
        .bind(&task.activity)
        .bind(&task.owner)
        .bind(now)
        .bind(end.outcome)
        .bind(&end.error)
        .bind(end.due_at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Puts off a task that another one has just done too, unless somebody asked for it meanwhile.
    pub async fn put_off_task(
        &self,
        connection: i64,
        activity: &str,
        until: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.tasks set due_at = greatest(due_at, $3)
              where connection_id = $1 and activity = $2 and owner is null and not wished",
        )
        .bind(connection)
        .bind(activity)
        .bind(until)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Makes a task due now, whatever the schedule says; false where there is none.
    pub async fn hurry_task(
        &self,
        connection: i64,
        activity: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        // One that runs is due again after it: what the caller saw change may lie behind it.
        let hurried = sqlx::query(
            "update weir.tasks set due_at = least(due_at, $3), wished = true
              where connection_id = $1 and activity = $2",
        );
        let hurried = hurried.bind(connection).bind(activity).bind(now).execute(&self.pool).await?;
        Ok(hurried.rows_affected() > 0)
    }

    /// The tasks of one connection, or of all that live.
    pub async fn tasks(&self, connection: Option<i64>) -> Result<Vec<TaskRow>, StoreError> {
        let rows = sqlx::query_as(
            "select t.* from weir.tasks t join weir.connections c on c.id = t.connection_id
              where c.deleted_at is null and ($1::bigint is null or t.connection_id = $1)
              order by t.connection_id, t.activity",
        );
        Ok(rows.bind(connection).fetch_all(&self.pool).await?)
    }

    /// Whether a task is still to be worked on: its connection is neither paused nor deleted, and the credentials it began with
    /// are as they were.
    pub async fn task_goes_on(
        &self,
        connection: i64,
        held: &[(i64, DateTime<Utc>)],
    ) -> Result<bool, StoreError> {
        let (ids, times): (Vec<i64>, Vec<DateTime<Utc>>) = held.iter().copied().unzip();
        let goes_on = sqlx::query_scalar(
            "select exists (
                      select from weir.connections
                       where id = $1 and deleted_at is null and paused_at is null
                    )
                and not exists (
                      select from unnest($2::bigint[], $3::timestamptz[]) as h(id, at)
                        left join weir.credentials k
                          on k.id = h.id and k.updated_at = h.at and k.deleted_at is null and k.disabled_at is null
                         and k.rotation_began_at is null
                       where k.id is null
                    )",
        );
        Ok(goes_on.bind(connection).bind(ids).bind(times).fetch_one(&self.pool).await?)
    }

    /// When the next task is due that could be claimed: nobody runs it, or another one of its connection.
    pub async fn next_task_due(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.next_due_among(None).await
    }

    /// The same of the connections of an extractor.
    pub(crate) async fn next_task_due_of(
        &self,
        connections: &[i64],
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.next_due_among(Some(connections)).await
    }

    async fn next_due_among(&self, connections: Option<&[i64]>) -> Result<Option<DateTime<Utc>>, StoreError> {
        let due = sqlx::query_scalar(
            "select min(t.due_at) from weir.tasks t join weir.connections c on c.id = t.connection_id
              where not exists (
                      select from weir.tasks o
                       where o.connection_id = t.connection_id and o.until > clock_timestamp()
                    )
                and case when $1::bigint[] is null then c.extractor_id is null else c.id = any($1) end
                and c.deleted_at is null and c.paused_at is null and c.disabled_at is null
                and (c.extractor_id is not null or exists (
                      select from weir.credentials k
                       where k.connection_id = c.id and k.deleted_at is null and k.disabled_at is null
                         and k.rotation_began_at is null
                    ))",
        );
        Ok(due.bind(connections).fetch_one(&self.pool).await?)
    }
}
