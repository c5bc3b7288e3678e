//! How far a run has got, for whoever shows it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters that a run moves and a terminal reads.
#[derive(Debug, Default)]
pub struct Progress {
    phase: Mutex<&'static str>,
    /// Projects to be read.
    pub projects: AtomicU64,
    /// Projects that are read.
    pub projects_done: AtomicU64,
    /// Merge requests expected, as far as GitLab told.
    pub expected: AtomicU64,
    /// Merge requests read.
    pub merge_requests: AtomicU64,
    /// Rows read.
    pub rows: AtomicU64,
    /// Rows written.
    pub written: AtomicU64,
    /// Lists still to be read one by one.
    pub pending: AtomicU64,
}

impl Progress {
    /// What the run is doing.
    pub fn phase(&self) -> &'static str {
        *self.phase.lock().unwrap_or_else(|it| it.into_inner())
    }

    pub(crate) fn enter(&self, phase: &'static str) {
        *self.phase.lock().unwrap_or_else(|it| it.into_inner()) = phase;
    }

    pub(crate) fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Relaxed);
    }
}
