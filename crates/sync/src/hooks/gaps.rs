//! Gaps: what GitLab moved and polling brought, but no webhook named.

use catalogue::Instance;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use store::{GapRow, GapWindow, Store, StoreError};

/// What moved so lately may still be on its way.
const UNDER_WAY: TimeDelta = TimeDelta::minutes(5);
/// Projects that are listed at most.
const LISTED: i64 = 500;

/// What moved within a time, and how much of it webhooks named.
#[derive(Debug, Clone)]
pub struct Gaps {
    /// From here on,
    pub since: DateTime<Utc>,
    /// until here.
    pub until: DateTime<Utc>,
    /// Sums over the projects that some known hook tells of, by kind.
    pub counts: Vec<GapCount>,
    /// Projects in which something moved, and of which no known hook tells.
    pub uncovered: i64,
    /// The projects with most that was not named.
    pub rows: Vec<GapRow>,
}

/// How much of one kind moved, and how much of it was not named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GapCount {
    /// merge_request, issue or pipeline.
    pub kind: String,
    /// Projects in which one moved.
    pub projects: i64,
    /// How many moved.
    pub changed: i64,
    /// How many of them no webhook named.
    pub unnamed: i64,
}

/// Looks for gaps of an instance in the last hours.
pub async fn gaps(store: &Store, instance: i64, hours: i64, now: DateTime<Utc>) -> Result<Gaps, StoreError> {
    let since = (now - TimeDelta::hours(hours)).max(store.webhook_hints_since().await?);
    // What waits in the inbox is not known to be unnamed.
    let waiting = store.oldest_waiting_delivery().await?;
    let until = waiting.map_or(now - UNDER_WAY, |it| it.min(now) - UNDER_WAY).max(since);
    let ids = Instance(instance);
    let window = GapWindow { instance, first_id: ids.id(0), end_id: ids.id(Instance::SPAN), since, until };
    let (sums, rows): (Vec<GapRow>, Vec<GapRow>) =
        store.webhook_gaps(window, LISTED).await?.into_iter().partition(|it| it.project_id.is_none());
    let counts = sums.iter().filter(|it| it.covered).map(|it| GapCount {
        kind: it.kind.clone(),
        projects: it.projects,
        changed: it.changed,
        unnamed: it.unnamed,
    });
    // A project with several kinds is counted once, as far as the largest of them tells.
    let uncovered = sums.iter().filter(|it| !it.covered).map(|it| it.projects).max().unwrap_or_default();
    Ok(Gaps { since, until, counts: counts.collect(), uncovered, rows })
}
