//! What the API shows of webhooks.

use chrono::{DateTime, Utc};
use serde::Serialize;
use store::{RefusalCount, WebhookCount, WebhookRow};
use sync::hooks::{Gap, Gaps};

use crate::moment;

/// Projects with gaps that are listed.
const LISTED: usize = 50;

/// Deliveries that were not looked at yet.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WebhooksWaiting)]
pub(crate) struct Waiting {
    /// How many.
    count: i64,
    /// When the oldest of them came.
    #[serde(serialize_with = "moment::option::serialize")]
    oldest_received_at: Option<DateTime<Utc>>,
    /// How long it has been waiting; 0 where none waits.
    lag_seconds: f64,
}

impl Waiting {
    pub(super) fn of(counts: &[WebhookCount], now: DateTime<Utc>) -> Waiting {
        let due = || counts.iter().filter(|it| it.state == "due");
        let oldest = due().map(|it| it.first_received_at).min();
        let lag = oldest.map_or(0, |it| (now - it).num_milliseconds().max(0));
        Waiting {
            count: due().map(|it| it.count).sum(),
            oldest_received_at: oldest,
            lag_seconds: lag as f64 / 1000.0,
        }
    }
}

/// From the arrival of a delivery until what it names was read.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WebhooksDelay)]
pub(crate) struct Delay {
    /// Half of them took no longer.
    pub(super) median_seconds: f64,
    /// Nineteen of twenty took no longer.
    pub(super) p95_seconds: f64,
}

/// Deliveries of one kind from one sender in one state.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WebhookEventCount)]
pub(crate) struct EventCount {
    /// The GitLab that says it sent them.
    sender: Option<String>,
    /// Kind of the event.
    event: String,
    /// due, done, unknown (nothing that Weir reads) or failed.
    state: String,
    /// How many.
    count: i64,
    /// When the last of them came.
    #[serde(serialize_with = "moment::serialize")]
    last_received_at: DateTime<Utc>,
}

impl From<WebhookCount> for EventCount {
    fn from(it: WebhookCount) -> EventCount {
        let WebhookCount { sender, event, state, count, last_received_at, .. } = it;
        EventCount { sender, event, state, count, last_received_at }
    }
}

/// Deliveries that were not taken.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WebhooksRefused)]
pub(crate) struct Refused {
    /// no_secret, wrong_secret, wrong_signature, stale_signature, too_large, too_slow, malformed, database, or stranger: without a
    /// secret and not from a GitLab.
    reason: String,
    /// How many.
    count: i64,
    /// When the last of them came.
    #[serde(serialize_with = "moment::serialize")]
    last_at: DateTime<Utc>,
}

impl From<RefusalCount> for Refused {
    fn from(it: RefusalCount) -> Refused {
        Refused { reason: it.reason, count: it.count, last_at: it.last_at }
    }
}

/// A GitLab and how its webhooks stand.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WebhooksOfGitlab)]
pub(crate) struct Gitlab {
    /// Its address.
    pub(super) base_url: String,
    /// When it last delivered.
    #[serde(serialize_with = "moment::option::serialize")]
    pub(super) last_received_at: Option<DateTime<Utc>>,
    /// Hooks that lead here, as `weir webhooks install` and `weir webhooks check` last saw them, those with problems first.
    pub(super) hooks: Vec<Hook>,
    /// What changed without being told of; null where that could not be found out in time.
    pub(super) gaps: Option<ShownGaps>,
}

/// A hook in GitLab that leads here.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Webhook)]
pub(crate) struct Hook {
    /// GitLab's id.
    id: i64,
    /// project, group or system.
    place: String,
    /// Path of the project or group.
    path: String,
    /// Where GitLab delivers to.
    url: String,
    /// What it is told of.
    events: Vec<String>,
    /// executable, temporarily_disabled or disabled.
    alert_status: Option<String>,
    /// When GitLab delivers again.
    #[serde(serialize_with = "moment::option::serialize")]
    disabled_until: Option<DateTime<Utc>>,
    /// What was wrong with it.
    problems: Vec<String>,
    /// When it was last seen.
    #[serde(serialize_with = "moment::serialize")]
    checked_at: DateTime<Utc>,
}

impl From<WebhookRow> for Hook {
    fn from(it: WebhookRow) -> Hook {
        Hook {
            id: it.hook_id,
            place: it.place,
            path: it.path,
            url: it.url,
            events: it.events,
            alert_status: it.alert_status,
            disabled_until: it.disabled_until,
            problems: it.problems,
            checked_at: it.checked_at,
        }
    }
}

/// What GitLab moved, and how much of it no webhook named. Only projects that a known hook tells of count.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WebhookGaps)]
pub(crate) struct ShownGaps {
    /// What moved from here on,
    #[serde(serialize_with = "moment::serialize")]
    since: DateTime<Utc>,
    /// until here.
    #[serde(serialize_with = "moment::serialize")]
    until: DateTime<Utc>,
    /// How much of each kind.
    counts: Vec<Moved>,
    /// Projects in which something moved and of which no known hook tells.
    uncovered_projects: i64,
    /// The projects with most that was not named.
    projects: Vec<ShownGap>,
}

/// How much of one kind moved.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WebhookGapCount)]
pub(crate) struct Moved {
    /// merge_request, issue or pipeline.
    kind: String,
    /// How many moved.
    changed: i64,
    /// How many of them no webhook named.
    unnamed: i64,
}

/// What moved in a project without being told of.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WebhookGap)]
pub(crate) struct ShownGap {
    /// Path of the project.
    project: String,
    /// merge_request, issue or pipeline.
    kind: String,
    /// How many moved.
    changed: i64,
    /// How many of them no webhook named.
    unnamed: i64,
    /// Number of one of them; of a pipeline its id.
    example: Option<i64>,
    /// When the last of them moved.
    #[serde(serialize_with = "moment::option::serialize")]
    last_changed_at: Option<DateTime<Utc>>,
    /// Why, as far as that is known without asking GitLab.
    reasons: Vec<String>,
    /// Whether somebody should do something about it.
    needs_attention: bool,
}

impl ShownGaps {
    pub(super) fn of(gaps: &Gaps, explained: Vec<Gap>) -> ShownGaps {
        let moved = |it: &sync::hooks::GapCount| Moved {
            kind: it.kind.clone(),
            changed: it.changed,
            unnamed: it.unnamed,
        };
        ShownGaps {
            since: gaps.since,
            until: gaps.until,
            counts: gaps.counts.iter().map(moved).collect(),
            uncovered_projects: gaps.uncovered,
            projects: explained.into_iter().take(LISTED).map(ShownGap::from).collect(),
        }
    }
}

impl From<Gap> for ShownGap {
    fn from(it: Gap) -> ShownGap {
        ShownGap {
            project: it.project,
            kind: it.kind,
            changed: it.changed,
            unnamed: it.unnamed,
            example: it.example,
            last_changed_at: it.last_changed_at,
            reasons: it.reasons,
            needs_attention: it.attention,
        }
    }
}
