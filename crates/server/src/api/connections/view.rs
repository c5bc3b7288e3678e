//! A connection as the API shows it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use store::{ConnectionRow, ResourceState, TaskRow};

use super::extracted::Extracted;
use crate::moment;

/// A connection in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ConnectionListed)]
pub(crate) struct Listed {
    /// Its number.
    id: i64,
    /// Its connector: gitlab, gitlab_pipelines, gitlab_commits, gitlab_commits_trunk or gitlab_deployments.
    r#type: String,
    /// What people call it.
    name: String,
    /// unverified until a credential was found to reach what the connector reads, then verified.
    state: String,
    /// Since when it cannot work.
    #[serde(serialize_with = "moment::option::serialize")]
    disabled_at: Option<DateTime<Utc>>,
    /// Since when nothing is scheduled for it, as somebody asked.
    #[serde(serialize_with = "moment::option::serialize")]
    paused_at: Option<DateTime<Utc>>,
    /// When its last complete sync started.
    #[serde(serialize_with = "moment::option::serialize")]
    last_synced_at: Option<DateTime<Utc>>,
    /// When it was made.
    #[serde(serialize_with = "moment::serialize")]
    created_at: DateTime<Utc>,
    /// Always true: requests are spread over all of them.
    supports_multiple_credentials: bool,
}

/// A connection with everything about it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Connection)]
pub(crate) struct Shown {
    #[serde(flatten)]
    listed: Listed,
    /// What is imported and how. No secrets.
    settings: Value,
    /// Why it cannot work.
    disabled_reason: Option<String>,
    /// When it was last changed.
    #[serde(serialize_with = "moment::serialize")]
    updated_at: DateTime<Utc>,
    /// The extractor that reads for it, where it is in a network of its own.
    extractor: Option<Extracted>,
    /// What is done for it, and when.
    tasks: Vec<Task>,
    /// How far each resource is up to date.
    resources: Vec<ResourceShown>,
}

/// A resource of a connection.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ConnectionResource)]
pub(crate) struct ResourceShown {
    /// Its name.
    resource: String,
    /// What GitLab had at this time is stored, but for what is skipped and older parts of a first import.
    #[serde(serialize_with = "moment::serialize")]
    last_synced_at: DateTime<Utc>,
    /// How long ago that was.
    lag_seconds: i64,
}

/// Something that is done for a connection again and again.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Task {
    /// sync, or sweep: a sync that also finds what was deleted.
    activity: String,
    /// Whether it runs now.
    running: bool,
    /// When it is to start.
    #[serde(serialize_with = "moment::serialize")]
    due_at: DateTime<Utc>,
    /// When it last started.
    #[serde(serialize_with = "moment::option::serialize")]
    started_at: Option<DateTime<Utc>>,
    /// When it last ended.
    #[serde(serialize_with = "moment::option::serialize")]
    ended_at: Option<DateTime<Utc>>,
    /// How it last ended: complete, stopped (to be gone on with) or failed.
    outcome: Option<String>,
    /// How often in a row it has failed.
    failures: i32,
    /// Why it last failed: code, reason, message.
    error: Option<Value>,
}

impl From<ConnectionRow> for Listed {
    fn from(row: ConnectionRow) -> Listed {
        Listed {
            id: row.id,
            r#type: row.connector,
            name: row.name,
            state: row.state,
            disabled_at: row.disabled_at,
            paused_at: row.paused_at,
            last_synced_at: row.last_synced_at,
            created_at: row.created_at,
            supports_multiple_credentials: true,
        }
    }
}

impl Shown {
    /// A connection and its tasks as of now.
    pub(crate) fn new(
        row: ConnectionRow,
        tasks: Vec<TaskRow>,
        resources: Vec<ResourceState>,
        extractor: Option<Extracted>,
        now: DateTime<Utc>,
    ) -> Shown {
        Shown {
            settings: row.settings.clone(),
            disabled_reason: row.disabled_reason.clone(),
            updated_at: row.updated_at,
            extractor,
            tasks: tasks.into_iter().map(|it| Task::new(it, now)).collect(),
            resources: resources.into_iter().map(|it| ResourceShown::new(it, now)).collect(),
            listed: row.into(),
        }
    }
}

impl ResourceShown {
    fn new(row: ResourceState, now: DateTime<Utc>) -> ResourceShown {
        let lag_seconds = (now - row.last_synced_at).num_seconds().max(0);
        ResourceShown { resource: row.resource, last_synced_at: row.last_synced_at, lag_seconds }
    }
}

impl Task {
    fn new(row: TaskRow, now: DateTime<Utc>) -> Task {
        Task {
            activity: row.activity,
            running: row.until.is_some_and(|it| it > now),
            due_at: row.due_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            outcome: row.outcome,
            failures: row.failures,
            error: row.error,
        }
    }
}

/// One connection.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ConnectionAnswer)]
pub(crate) struct One {
    pub(crate) connection: Shown,
}
