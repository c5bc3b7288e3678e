//! How much is asked for at once. A page that GitLab cannot answer is halved; what went well grows back.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The largest page of merge requests: more would come near GitLab's limit on complexity.
const MOST: usize = 50;

/// Size of the pages of merge requests, shared by all workers of a run.
#[derive(Debug)]
pub(crate) struct PageSize(AtomicUsize);

impl Default for PageSize {
    fn default() -> PageSize {
        PageSize(AtomicUsize::new(MOST))
    }
}

impl PageSize {
    pub(crate) fn now(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// A page of this size failed. Gives the size to try next, none when it cannot be smaller.
    pub(crate) fn failed(&self, size: usize) -> Option<usize> {
        let smaller = size / 2;
        (smaller > 0).then(|| {
            self.0.fetch_min(smaller, Relaxed);
            smaller
        })
    }

    /// A page of this size went well.
    pub(crate) fn went_well(&self, size: usize) {
        let larger = (size + size / 4 + 1).min(MOST);
        let _ = self.0.fetch_update(Relaxed, Relaxed, |now| (now <= size && now < larger).then_some(larger));
    }
}
