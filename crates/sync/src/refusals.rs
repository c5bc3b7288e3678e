//! What GitLab refused lately. A refusal is tested again once a day: asking in every sync would cost a request for each
//! list that stays closed.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use store::{Handle, Skip, StoreError};

/// How long a refusal is taken to stand.
const STANDS: TimeDelta = TimeDelta::hours(24);

/// What GitLab refused lately, by resource and parent (Weir's id).
#[derive(Debug, Default)]
pub(crate) struct Refusals(HashMap<(String, i64), Skip>);

impl Refusals {
    /// Loads them.
    pub(crate) async fn load(
        store: &Handle,
        instance: i64,
        started: DateTime<Utc>,
    ) -> Result<Refusals, StoreError> {
        let skips = store.refused_since(instance, started - STANDS).await?;
        Ok(Refusals(skips.into_iter().map(|it| ((it.resource.clone(), it.parent_id), it)).collect()))
    }

    /// The refusal that stands for this list.
    pub(crate) fn of(&self, resource: &str, parent_id: i64) -> Option<&Skip> {
        self.0.get(&(resource.to_owned(), parent_id))
    }
}
