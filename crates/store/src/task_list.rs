//! Tasks as operators look at them: those that need somebody first.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::{Store, StoreError, TaskRow};

/// How a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskState {
    /// It runs, but its worker is gone or gets nowhere.
    Stuck,
    /// The last attempt failed; the next is due or waits.
    Failing,
    /// It runs.
    Running,
    /// It is due, and nobody has begun yet.
    Due,
    /// Its time has not come.
    Scheduled,
    /// Its connection is paused or cannot work.
    Resting,
}

impl TaskState {
    /// Every state, those that need somebody first.
    pub const ALL: [TaskState; 6] = [
        TaskState::Stuck,
        TaskState::Failing,
        TaskState::Running,
        TaskState::Due,
        TaskState::Scheduled,
        TaskState::Resting,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            TaskState::Stuck => "stuck",
            TaskState::Failing => "failing",
            TaskState::Running => "running",
            TaskState::Due => "due",
            TaskState::Scheduled => "scheduled",
            TaskState::Resting => "resting",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<TaskState> {
        TaskState::ALL.into_iter().find(|it| it.name() == name)
    }

    fn rank(self) -> i32 {
        TaskState::ALL.into_iter().zip(0..).find(|(it, _)| *it == self).map_or(0, |(_, rank)| rank)
    }
}

/// A task in the list.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct ListedTask {
    /// Its place among the states.
    rank: i32,
    /// The task.
    #[sqlx(flatten)]
    pub task: TaskRow,
}

/// The place of a task in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPlace {
    /// Its state.
    pub state: TaskState,
    /// Its connection.
    pub connection_id: i64,
    /// sync or sweep.
    pub activity: String,
}

impl ListedTask {
    /// How it stands.
    pub fn state(&self) -> TaskState {
        let rank = usize::try_from(self.rank).unwrap_or_default();
        TaskState::ALL.get(rank).copied().unwrap_or(TaskState::Resting)
    }

    /// Where it stands in the list.
    pub fn place(&self) -> TaskPlace {
        let TaskRow { connection_id, activity, .. } = self.task.clone();
        TaskPlace { state: self.state(), connection_id, activity }
    }
}

/// How each task of a live connection stands: $1 is now, $2 the seconds after which one that gets nowhere is stuck.
const RANKED: &str = "select t.*, case
       when t.owner is not null and (t.until < clock_timestamp() or t.progress_at < clock_timestamp() - make_interval(secs => $2)) then 0
       when c.paused_at is not null or c.disabled_at is not null then 5
       when t.failures > 0 then 1
       when t.owner is not null then 2
       when t.due_at <= $1 then 3
       else 4 end as rank
  from weir.tasks t join weir.connections c on c.id = t.connection_id
 where c.deleted_at is null";

/// A task that gets nowhere for so many seconds is stuck. Its own worker starts it again before: here are those that do not.
pub(crate) const STUCK_AFTER: f64 = 15.0 * 60.0;

impl Store {
    /// Tasks, those that need somebody first; `after` is the last one of the page before.
    pub async fn list_tasks(
        &self,
        connection: Option<i64>,
        state: Option<TaskState>,
        after: Option<&TaskPlace>,
        limit: i64,
        now: DateTime<Utc>,
    ) -> Result<Vec<ListedTask>, StoreError> {
        let sql = format!(
            "select * from ({RANKED}) t
              where ($3::bigint is null or connection_id = $3) and ($4::int is null or rank = $4)
                and (rank, connection_id, activity) > ($5, $6, $7)
              order by rank, connection_id, activity
              limit $8"
        );
        let rows = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(now).bind(STUCK_AFTER);
        let rows = rows.bind(connection).bind(state.map(TaskState::rank));
        let rows = rows.bind(after.map_or(-1, |it| it.state.rank()));
        let rows = rows.bind(after.map_or(0, |it| it.connection_id));
        let rows = rows.bind(after.map_or("", |it| &it.activity)).bind(limit);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Makes a task due now. A stuck one is taken from its worker, which stops when it next says that it lives. None where
    /// there is no such task.
    pub async fn retry_task(
        &self,
        connection: i64,
        activity: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<ListedTask>, StoreError> {
        let stuck = "owner is not null and (until < clock_timestamp() or progress_at < clock_timestamp() - make_interval(secs => $4))";
        let sql = format!(
            "update weir.tasks
                set due_at = least(due_at, $3), wished = true
                  , owner = case when {stuck} then null else owner end
                  , until = case when {stuck} then null else until end
              where connection_id = $1 and activity = $2"
        );
        let hurried = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(connection).bind(activity).bind(now);
        hurried.bind(STUCK_AFTER).execute(&self.pool).await?;
        let all = self.list_tasks(Some(connection), None, None, i64::MAX, now).await?;
        Ok(all.into_iter().find(|it| it.task.activity == activity))
    }
}
