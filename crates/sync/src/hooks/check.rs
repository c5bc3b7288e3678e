//! Looks whether webhooks do their work: whether the hooks are there and as they have to be, whether GitLab delivers, and
//! whether what moved was told of.

use catalogue::Instance;
use chrono::{DateTime, Utc};
use gitlab_client::Client;
use serde::Serialize;
use store::{Store, StoreError};

use super::address::Address;
use super::deliveries::Deliveries;
use super::explain::Gap;
use super::gaps::gaps;
use super::places::{Named, Place};
use crate::Failure;
use look::Look;

mod inbox;
mod look;

/// What is to be looked at.
#[derive(Debug, Clone)]
pub struct Asked {
    /// These places; where there are none, those that are known and the top-level groups.
    pub places: Vec<Named>,
    /// Where hooks are to lead; none for where they lead.
    pub address: Option<Address>,
    /// How far back is looked for gaps.
    pub hours: i64,
    /// The number of the secret token in use.
    pub token_id: i64,
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The GitLab.
    pub url: String,
    /// The places with their hooks.
    pub places: Vec<CheckedPlace>,
    /// What concerns all of them and needs attention.
    pub problems: Vec<String>,
    /// What should be known.
    pub notes: Vec<String>,
    /// From when on it was looked for gaps,
    pub since: Option<DateTime<Utc>>,
    /// and until when.
    pub until: Option<DateTime<Utc>>,
    /// What moved in projects under a hook, and how much of it was not named.
    pub counts: Vec<super::GapCount>,
    /// Projects in which something moved and of which no known hook tells.
    pub uncovered_projects: i64,
    /// What was not named, and why.
    pub gaps: Vec<Gap>,
}

/// A place and what leads from it to Weir.
#[derive(Debug, Clone, Serialize)]
pub struct CheckedPlace {
    /// The place, where GitLab knows it.
    pub place: Option<Place>,
    /// What people call it.
    pub name: String,
    /// Its hooks that lead to Weir.
    pub hooks: Vec<CheckedHook>,
    /// What is wrong with the place itself.
    pub problems: Vec<String>,
    /// Why it could not be looked at.
    pub error: Option<Failure>,
}

/// A hook that leads to Weir.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CheckedHook {
    /// GitLab's id.
    pub hook_id: i64,
    /// Where it leads.
    pub url: String,
    /// executable, temporarily_disabled or disabled, where GitLab tells.
    pub alert_status: Option<String>,
    /// When GitLab delivers again.
    pub disabled_until: Option<DateTime<Utc>>,
    /// What it is told of.
    pub events: Vec<String>,
    /// What is wrong with it, each as a sentence.
    pub problems: Vec<String>,
    /// What should be known of it.
    pub notes: Vec<String>,
    /// Its last deliveries, where GitLab tells.
    pub deliveries: Option<Deliveries>,
}

impl CheckedHook {
    pub(super) fn is_disabled(&self) -> bool {
        self.alert_status.as_deref().is_some_and(|it| it != "executable")
    }
}

impl Report {
    /// Whether somebody should do something.
    pub fn needs_attention(&self) -> bool {
        let place = |it: &CheckedPlace| {
            it.error.is_some()
                || !it.problems.is_empty()
                || it.hooks.iter().any(|hook| !hook.problems.is_empty())
        };
        !self.problems.is_empty() || self.places.iter().any(place) || self.gaps.iter().any(|it| it.attention)
    }
}

/// Looks at the webhooks of a GitLab.
pub async fn check(
    client: &Client,
    store: &Store,
    asked: &Asked,
    now: DateTime<Utc>,
) -> Result<Report, StoreError> {
    let url = client.base_url().as_str().to_owned();
    let mut report = Report {
        url,
        places: Vec::new(),
        problems: Vec::new(),
        notes: Vec::new(),
        since: None,
        until: None,
        counts: Vec::new(),
        uncovered_projects: 0,
        gaps: Vec::new(),
    };
    let Some(instance) = store.known_instance(&report.url).await? else {
        report
            .problems
            .push("Nothing was imported from this GitLab yet. Make a connection to it first.".to_owned());
        return Ok(report);
    };
    let known = store.webhooks(Some(instance.number), i64::MAX).await?;
    let look = Look { client, store, asked, instance: Instance(instance.number), known, now };
    report.places = look.places(&mut report.notes).await?;
    let mut found = gaps(store, instance.number, asked.hours, now).await?;
    if look.uncovered(&found, &mut report).await? {
        found = gaps(store, instance.number, asked.hours, now).await?;
    }
    inbox::judge(store, &mut report, found.since, now).await?;
    look.gaps(found, &mut report).await?;
    Ok(report)
}
