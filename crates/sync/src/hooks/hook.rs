//! A hook as GitLab shows it. Its tokens are never shown.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::WebhookRow;

use super::places::Place;

/// A hook as GitLab shows it.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Hook {
    pub(super) id: i64,
    #[serde(default)]
    pub(super) url: String,
    #[serde(default)]
    pub(super) created_at: Option<DateTime<Utc>>,
    /// Since GitLab 14.9 or so.
    #[serde(default)]
    pub(super) alert_status: Option<String>,
    #[serde(default)]
    pub(super) disabled_until: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(super) enable_ssl_verification: Option<bool>,
    /// Since GitLab 19.0, as the next one.
    #[serde(default)]
    pub(super) token_present: Option<bool>,
    #[serde(default)]
    pub(super) signing_token_present: Option<bool>,
    #[serde(default)]
    pub(super) push_events_branch_filter: Option<String>,
    #[serde(default)]
    pub(super) custom_webhook_template: Option<String>,
    /// Among other things what it is told of.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Hook {
    /// Whether it is told of this; none where this GitLab has no such event for it.
    pub(super) fn is_told_of(&self, event: &str) -> Option<bool> {
        self.rest.get(event).and_then(Value::as_bool)
    }

    /// Everything that it is told of.
    pub(super) fn events(&self) -> Vec<String> {
        let on = self
            .rest
            .iter()
            .filter(|(name, value)| name.ends_with("_events") && **value == Value::Bool(true));
        on.map(|(name, _)| name.clone()).collect()
    }

    /// Whether GitLab delivers to it now.
    pub(super) fn is_disabled(&self) -> bool {
        self.alert_status.as_deref().is_some_and(|it| it != "executable")
    }

    /// What is kept of it.
    pub(super) fn row(
        &self,
        instance: catalogue::Instance,
        place: &Place,
        checked_at: DateTime<Utc>,
    ) -> WebhookRow {
        WebhookRow {
            instance: instance.0,
            place: place.kind.word().to_owned(),
            place_id: place_id(instance, place),
            hook_id: self.id,
            path: place.path.clone(),
            url: self.url.clone(),
            events: self.events(),
            alert_status: self.alert_status.clone(),
            disabled_until: self.disabled_until,
            problems: Vec::new(),
            token_id: None,
            signing_token_id: None,
            created_at: self.created_at,
            checked_at,
        }
    }
}

/// Weir's id of a place; 0 for the whole instance.
pub(super) fn place_id(instance: catalogue::Instance, place: &Place) -> i64 {
    if place.kind == super::Kind::System { 0 } else { instance.id(place.id) }
}
