//! What a run has counted so far: rows by table, rejects, and what it skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use store::{Skip, Written};

use crate::TableCounts;

/// Counts of a run. Cheap to share: pages are counted, not rows.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    tables: BTreeMap<String, TableCounts>,
    skips: BTreeSet<Skip>,
    /// Skips that GitLab was not asked about again.
    repeated: BTreeSet<Skip>,
}

impl Tally {
    pub(crate) fn written(&self, written: &Written) -> (u64, u64) {
        let mut inner = self.lock();
        let (mut read, mut changed) = (0, 0);
        for (table, counts) in written.iter().filter(|(table, _)| !table.starts_with("weir.")) {
            let total = inner.tables.entry((*table).to_owned()).or_default();
            total.read += counts.read;
            total.written += counts.written;
            total.unchanged += counts.read.saturating_sub(counts.written);
            read += counts.read;
            changed += counts.written;
        }
        (read, changed)
    }

    /// Rows that were found to be gone.
    pub(crate) fn marked(&self, table: &str, count: u64) {
        self.lock().tables.entry(table.to_owned()).or_default().written += count;
    }

    /// Rows that GitLab said are as they were.
    pub(crate) fn confirmed(&self, table: &str, count: u64) {
        if !table.starts_with("weir.") {
            self.lock().tables.entry(table.to_owned()).or_default().unchanged += count;
        }
    }

    pub(crate) fn rejected(&self, table: &str, count: u64) {
        self.lock().tables.entry(table.to_owned()).or_default().rejected += count;
    }

    pub(crate) fn skip(&self, skip: Skip) {
        self.lock().skips.insert(skip);
    }

    /// Notes a skip that was not tested again.
    pub(crate) fn repeat(&self, skip: Skip) {
        let mut inner = self.lock();
        inner.repeated.insert(skip.clone());
        inner.skips.insert(skip);
    }

    pub(crate) fn repeated(&self) -> BTreeSet<Skip> {
        self.lock().repeated.clone()
    }

    pub(crate) fn skips(&self) -> Vec<Skip> {
        self.lock().skips.iter().cloned().collect()
    }

    pub(crate) fn tables(&self) -> BTreeMap<String, TableCounts> {
        self.lock().tables.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(|it| it.into_inner())
    }
}
