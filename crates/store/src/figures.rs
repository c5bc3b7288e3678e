//! What the database knows of how everything stands, in one cheap statement: for metrics and for `weir status`.

use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use chrono::{DateTime, NaiveDate, Utc};

use crate::task_list::STUCK_AFTER;
use crate::{Store, StoreError};

/// How everything stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The database's clock.
    pub now: DateTime<Utc>,
    /// Connections that were not deleted.
    pub connections: Vec<ConnectionFigures>,
    /// Webhooks.
    pub inbox: InboxFigures,
    /// What secrets are sealed with; none before there is any.
    pub encryption: Option<EncryptionFigures>,
    /// Extractors that have come once.
    pub extractors: Vec<ExtractorFigures>,
}

/// What the secrets of the database are sealed with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EncryptionFigures {
    /// Digest of the key, by which it is told from others.
    pub key: String,
    /// Since when it is in use.
    pub since: DateTime<Utc>,
    /// How many secrets are sealed with it.
    pub secrets: i64,
}

/// How an extractor stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExtractorFigures {
    /// Its number.
    pub id: i64,
    /// Its `EXTRACTOR_ID`.
    pub name: String,
    /// The GitLab that it reads.
    pub base_url: String,
    /// Version of the program that last connected.
    pub version: Option<String>,
    /// When that connected.
    pub connected_at: Option<DateTime<Utc>>,
    /// When it was last heard, to ten seconds.
    pub heard_at: Option<DateTime<Utc>>,
    /// Connections that it reads for.
    pub connections: Vec<i64>,
}

/// How a connection stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnectionFigures {
    /// Its number.
    pub id: i64,
    /// Name of its connector.
    pub r#type: String,
    /// What people call it.
    pub name: String,
    /// working, paused or disabled.
    pub state: String,
    /// Why it cannot work.
    pub disabled_reason: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When its last complete sync started.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// Its tasks.
    pub tasks: Vec<TaskFigures>,
    /// Its resources.
    pub resources: Vec<ResourceFigures>,
    /// Its credentials.
    pub credentials: Vec<CredentialFigures>,
}

/// How a task stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskFigures {
    /// sync or sweep.
    pub activity: String,
    /// When it is to start.
    pub due_at: DateTime<Utc>,
    /// Whether a worker has it.
    pub running: bool,
    /// Whether that worker is gone or gets nowhere.
    pub stuck: bool,
    /// How often in a row it has failed.
    pub failures: i32,
    /// Since when it fails.
    pub failing_since: Option<DateTime<Utc>>,
    /// Why it last failed, as a sentence.
    pub message: Option<String>,
}

/// How a resource stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceFigures {
    /// Its name.
    pub resource: String,
    /// What GitLab had at this time is stored.
    pub last_synced_at: DateTime<Utc>,
}

/// How a credential stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialFigures {
    /// Its number.
    pub id: i64,
    /// What people call it.
    pub label: String,
    /// Since when GitLab refuses it.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Why.
    pub disabled_reason: Option<String>,
    /// The day on which it dies.
    pub expiration_date: Option<NaiveDate>,
}

/// How the inbox stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxFigures {
    /// Deliveries that wait, counted up to 100,000.
    pub waiting: i64,
    /// When the oldest of them came.
    pub oldest_at: Option<DateTime<Utc>>,
}

/// Counting a million would cost more than knowing it helps.
const MOST_COUNTED: i64 = 100_000;

const SELECT: &str = "select jsonb_build_object(
  'now', clock_timestamp()
, 'connections', coalesce((
    select jsonb_agg(jsonb_build_object(
             'id', c.id, 'type', c.type, 'name', c.name
           , 'state', case when c.paused_at is not null then 'paused' when c.disabled_at is not null then 'disabled' else 'working' end
           , 'disabled_reason', c.disabled_reason, 'created_at', c.created_at, 'last_synced_at', c.last_synced_at
           , 'tasks', coalesce((
               select jsonb_agg(jsonb_build_object(
                        'activity', t.activity, 'due_at', t.due_at, 'failures', t.failures, 'failing_since', t.failing_since
                      , 'running', t.owner is not null, 'message', t.error ->> 'message'
                      , 'stuck', coalesce(t.owner is not null and (t.until < clock_timestamp() or t.progress_at < clock_timestamp() - make_interval(secs => $1)), false)
                      ) order by t.activity)
                 from weir.tasks t where t.connection_id = c.id), '[]')
           , 'resources', coalesce((
               select jsonb_agg(jsonb_build_object('resource', r.resource, 'last_synced_at', r.last_synced_at) order by r.resource)
                 from weir.resource_states r where r.connection_id = c.id), '[]')
           , 'credentials', coalesce((
               select jsonb_agg(jsonb_build_object(
                        'id', k.id, 'label', k.label, 'disabled_at', k.disabled_at, 'disabled_reason', k.disabled_reason
                      , 'expiration_date', k.expiration_date
                      ) order by k.id)
                 from weir.credentials k where k.connection_id = c.id and k.deleted_at is null), '[]')
           ) order by c.type, c.id)
      from weir.connections c where c.deleted_at is null), '[]')
, 'inbox', jsonb_build_object(
    'waiting', (select count(*) from (select from weir.inbox where state = 'due' limit $2) i)
  , 'oldest_at', (select received_at from weir.inbox where state = 'due' order by due_at, id limit 1)
  )
, 'encryption', (
    select jsonb_build_object(
             'key', k.id, 'since', k.created_at
           , 'secrets', (select count(*) from weir.credentials where token is not null) + (select count(*) from weir.webhook_secrets)
           )
      from weir.encryption_keys k)
, 'extractors', coalesce((
    select jsonb_agg(jsonb_build_object(
             'id', e.id, 'name', e.name, 'base_url', i.base_url, 'version', e.version, 'connected_at', e.connected_at, 'heard_at', e.heard_at
           , 'connections', coalesce((
               select jsonb_agg(c.id order by c.id) from weir.connections c where c.extractor_id = e.id and c.deleted_at is null), '[]')
           ) order by e.id)
      from weir.extractors e join weir.instances i on i.number = e.instance), '[]')
)";

impl Store {
    /// How everything stands.
    pub async fn figures(&self) -> Result<Figures, StoreError> {
        let row = sqlx::query_scalar(SELECT).bind(STUCK_AFTER).bind(MOST_COUNTED);
        let Json(figures) = row.fetch_one(&self.pool).await?;
        Ok(figures)
    }

    /// Connections of this process to the database: all, those without work, and the most there may be.
    pub fn pool(&self) -> (u32, usize, u32) {
        (self.pool.size(), self.pool.num_idle(), self.pool.options().get_max_connections())
    }
}
