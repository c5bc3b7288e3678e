//! How much is asked for at once. A page that GitLab cannot answer is halved; what went well grows back.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use catalogue::Document;
use catalogue::issues::ISSUES_QUERY;
use catalogue::pipelines::PIPELINES_QUERY;

/// A page that took longer does not grow: GitLab gives up after thirty seconds.
const EASY: Duration = Duration::from_secs(3);

/// Sizes of pages, by query.
#[derive(Debug)]
pub(crate) struct Sizes {
    /// More merge requests would come near GitLab's limit on complexity.
    merge_requests: PageSize,
    /// They bring little with them.
    issues: PageSize,
    /// Each pipeline may bring a hundred jobs.
    pipelines: PageSize,
}

impl Default for Sizes {
    fn default() -> Sizes {
        Sizes {
            merge_requests: PageSize::new(50, 50),
            issues: PageSize::new(100, 100),
            pipelines: PageSize::new(25, 50),
        }
    }
}

impl Sizes {
    /// The size of the pages of a query.
    pub(crate) fn of(&self, query: &Document) -> &PageSize {
        match query.name {
            name if name == PIPELINES_QUERY.name => &self.pipelines,
            name if name == ISSUES_QUERY.name => &self.issues,
            _ => &self.merge_requests,
        }
    }
}

/// Size of the pages of one query, shared by all workers of a run.
#[derive(Debug)]
pub(crate) struct PageSize {
    now: AtomicUsize,
    most: usize,
}

impl PageSize {
    fn new(now: usize, most: usize) -> PageSize {
        PageSize { now: AtomicUsize::new(now), most }
    }

    pub(crate) fn now(&self) -> usize {
        self.now.load(Relaxed)
    }

    /// A page of this size failed. Gives the size to try next, none when it cannot be smaller.
    pub(crate) fn failed(&self, size: usize) -> Option<usize> {
        let smaller = size / 2;
        (smaller > 0).then(|| {
            self.now.fetch_min(smaller, Relaxed);
            smaller
        })
    }

    /// A page of this size went well, and took so long.
    pub(crate) fn went_well(&self, size: usize, took: Duration) {
        if took > EASY {
            return;
        }
        let larger = (size + size / 4 + 1).min(self.most);
        let grow = |now: usize| (now <= size && now < larger).then_some(larger);
        let _ = self.now.fetch_update(Relaxed, Relaxed, grow);
    }
}
