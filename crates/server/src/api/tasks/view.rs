//! A task as the API shows it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use store::ListedTask;

use crate::moment;

/// What is done for a connection again and again.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TaskListed)]
pub(crate) struct Shown {
    /// The connection.
    connection_id: i64,
    /// sync, or sweep: a sync that also finds what was deleted.
    activity: String,
    /// stuck (it runs, but its worker is gone or gets nowhere), failing (the last attempt failed), running, due, scheduled, or
    /// resting (its connection is paused or cannot work).
    state: String,
    /// How often in a row it has failed.
    attempts: i32,
    /// Since when it fails.
    #[serde(serialize_with = "moment::option::serialize")]
    failing_since: Option<DateTime<Utc>>,
    /// Why it last failed: code, reason, message.
    #[schema(value_type = Option<Object>)]
    error: Option<Value>,
    /// When it is tried next; while it runs, when that was due.
    #[serde(serialize_with = "moment::serialize")]
    due_at: DateTime<Utc>,
    /// The worker that has it now.
    owner: Option<String>,
    /// When that worker counts as gone, unless it says before that it lives.
    #[serde(serialize_with = "moment::option::serialize")]
    owned_until: Option<DateTime<Utc>>,
    /// When a worker last got anywhere with it.
    #[serde(serialize_with = "moment::option::serialize")]
    progress_at: Option<DateTime<Utc>>,
    /// When it last started.
    #[serde(serialize_with = "moment::option::serialize")]
    started_at: Option<DateTime<Utc>>,
    /// When it last ended.
    #[serde(serialize_with = "moment::option::serialize")]
    ended_at: Option<DateTime<Utc>>,
    /// How it last ended: complete, stopped (to be gone on with) or failed.
    outcome: Option<String>,
    /// When it last ended complete.
    #[serde(serialize_with = "moment::option::serialize")]
    succeeded_at: Option<DateTime<Utc>>,
}

impl From<ListedTask> for Shown {
    fn from(listed: ListedTask) -> Shown {
        let state = listed.state().name().to_owned();
        let task = listed.task;
        Shown {
            connection_id: task.connection_id,
            activity: task.activity,
            state,
            attempts: task.failures,
            failing_since: task.failing_since,
            error: task.error,
            due_at: task.due_at,
            owner: task.owner,
            owned_until: task.until,
            progress_at: task.progress_at,
            started_at: task.started_at,
            ended_at: task.ended_at,
            outcome: task.outcome,
            succeeded_at: task.succeeded_at,
        }
    }
}
