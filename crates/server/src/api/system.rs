//! `system.info`

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use store::{EncryptionFigures, ExtractorFigures, Figures, InboxFigures};

use super::caller::Caller;
use super::envelope::Envelope;
use super::{Answer, Scope};
use crate::Shared;
use crate::moment;

/// How Weir itself stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SystemAnswer)]
pub(crate) struct One {
    system: System,
}

/// How Weir itself stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct System {
    /// Version of the process that answers.
    version: &'static str,
    /// By how many seconds its clock is ahead of the database's; negative where it is behind.
    clock_offset_seconds: f64,
    /// What secrets are sealed with; null before there is any.
    encryption: Option<Encryption>,
    /// Webhook deliveries that wait.
    inbox: Inbox,
    /// Extractors that have come once.
    extractors: Vec<Extractor>,
}

/// What secrets are sealed with.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SystemEncryption)]
pub(crate) struct Encryption {
    /// Digest of the key, by which it is told from others.
    key: String,
    /// Since when it is in use.
    #[serde(serialize_with = "moment::serialize")]
    since: DateTime<Utc>,
    /// How many secrets are sealed with it.
    secrets: i64,
}

/// Webhook deliveries that wait.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SystemInbox)]
pub(crate) struct Inbox {
    /// How many, counted up to 100,000.
    waiting: i64,
    /// When the one that is next came.
    #[serde(serialize_with = "moment::option::serialize")]
    oldest_at: Option<DateTime<Utc>>,
}

/// A process that reads a GitLab from within its network.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SystemExtractor)]
pub(crate) struct Extractor {
    /// Its number.
    id: i64,
    /// Its `EXTRACTOR_ID`.
    name: String,
    /// The GitLab that it reads.
    base_url: String,
    /// Version of the program that last connected.
    version: Option<String>,
    /// When that connected.
    #[serde(serialize_with = "moment::option::serialize")]
    connected_at: Option<DateTime<Utc>>,
    /// When it was last heard, to ten seconds.
    #[serde(serialize_with = "moment::option::serialize")]
    heard_at: Option<DateTime<Utc>>,
    /// Connections that it reads for.
    connections: Vec<i64>,
}

/// Shows how Weir itself stands: its version and clock, the key that secrets are sealed with, webhooks that wait, extractors.
///
/// Needs the scope `connections:read`.
#[utoipa::path(get, path = "/api/system.info", tag = "system", responses((status = 200, body = One)))]
pub(crate) async fn info(State(app): State<Shared>, caller: Caller) -> Answer<One> {
    caller.may(Scope::ConnectionsRead)?;
    let figures = app.store.figures().await?;
    let system = System::new(figures, app.clock.now());
    Ok(Envelope::new(One { system }))
}

impl System {
    fn new(figures: Figures, now: DateTime<Utc>) -> System {
        System {
            version: env!("CARGO_PKG_VERSION"),
            clock_offset_seconds: (now - figures.now).num_milliseconds() as f64 / 1e3,
            encryption: figures.encryption.map(Encryption::from),
            inbox: figures.inbox.into(),
            extractors: figures.extractors.into_iter().map(Extractor::from).collect(),
        }
    }
}

impl From<EncryptionFigures> for Encryption {
    fn from(it: EncryptionFigures) -> Encryption {
        Encryption { key: it.key, since: it.since, secrets: it.secrets }
    }
}

impl From<InboxFigures> for Inbox {
    fn from(it: InboxFigures) -> Inbox {
        Inbox { waiting: it.waiting, oldest_at: it.oldest_at }
    }
}

impl From<ExtractorFigures> for Extractor {
    fn from(it: ExtractorFigures) -> Extractor {
        let ExtractorFigures { id, name, base_url, version, connected_at, heard_at, connections } = it;
        Extractor { id, name, base_url, version, connected_at, heard_at, connections }
    }
}
