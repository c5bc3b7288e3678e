//! A sync that is led from elsewhere: no connection to the database shows that its leader lives, so the leader says so.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;

use super::Away;

/// How often. A leader that is silent for four times as long has died.
const BEAT: Duration = Duration::from_secs(15);

/// The syncs that a process leads.
#[derive(Debug, Clone, Default)]
pub(super) struct Leading(Arc<Mutex<BTreeSet<i64>>>);

/// One of them: dropped, it is not led any more.
#[derive(Debug)]
pub(crate) struct Led {
    id: i64,
    all: Leading,
    beat: AbortHandle,
}

impl Leading {
    /// All of them.
    pub(super) fn all(&self) -> Vec<i64> {
        self.change(|it| it.iter().copied().collect())
    }

    /// Leads one more.
    pub(super) fn lead(&self, id: i64, away: Away) -> Led {
        self.change(|it| it.insert(id));
        let beat = async move {
            loop {
                tokio::time::sleep(BEAT).await;
                if let Err(error) = away.lead_on(id).await {
                    tracing::debug!(%error, "a sync could not be said to be led");
                }
            }
        };
        Led { id, all: self.clone(), beat: tokio::spawn(beat).abort_handle() }
    }

    fn change<T>(&self, change: impl FnOnce(&mut BTreeSet<i64>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Led {
    fn drop(&mut self) {
        self.beat.abort();
        self.all.change(|it| it.remove(&self.id));
    }
}
