//! A sync as the API shows it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use store::SyncRow;

use crate::moment;

/// A run of a sync.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Sync)]
pub(crate) struct Shown {
    /// Its number.
    id: i64,
    /// The connection it ran for; null where it was started from the command line.
    connection_id: Option<i64>,
    /// The connectors it ran.
    connectors: Vec<String>,
    /// running, complete, stopped (to be gone on with) or failed.
    state: String,
    /// What it is doing: discovery, partitions, finishing.
    phase: String,
    /// When it started.
    #[serde(serialize_with = "moment::serialize")]
    started_at: DateTime<Utc>,
    /// When it ended.
    #[serde(serialize_with = "moment::option::serialize")]
    finished_at: Option<DateTime<Utc>>,
    /// Requests sent to GitLab.
    requests: i64,
    /// Answers that said the content is as it was.
    not_modified: i64,
    /// Bytes of answers read.
    bytes: i64,
    /// Seconds it was told to wait by GitLab.
    waited_seconds: f64,
    /// Rows read, written, unchanged and rejected, by table.
    #[schema(value_type = Object)]
    resources: Value,
    /// Why it failed or stopped: code, reason, message.
    #[schema(value_type = Option<Object>)]
    error: Option<Value>,
}

impl From<SyncRow> for Shown {
    fn from(row: SyncRow) -> Shown {
        Shown {
            id: row.id,
            connection_id: row.connection_id,
            connectors: row.connectors,
            state: row.state,
            phase: row.phase,
            started_at: row.started_at,
            finished_at: row.finished_at,
            requests: row.requests,
            not_modified: row.not_modified,
            bytes: row.bytes,
            waited_seconds: row.waited_seconds,
            resources: row.resources,
            error: row.error,
        }
    }
}
