//! Until when credentials wait for GitLab's limits.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Until when credentials wait, by connection and credential.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<BTreeMap<(String, String), Instant>>);

impl Waiting {
    pub(crate) fn pause(&self, connection: i64, credential: &str, wait: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert((connection.to_string(), credential.to_owned()), Instant::now() + wait);
    }

    /// How long each of them still has to wait.
    pub(crate) fn now(&self) -> Vec<((String, String), f64)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        all.iter()
            .map(|(of, until)| (of.clone(), until.saturating_duration_since(now).as_secs_f64()))
            .collect()
    }
}
