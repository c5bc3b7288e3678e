//! Users are named again and again: what this process has already written of them is not sent twice.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

use serde_json::value::RawValue;

/// Digests of user rows that were written.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashSet<u64>>);

impl Seen {
    /// Those of the rows (a JSON array) that were not written yet, and their digests. None when there are none.
    pub(crate) fn fresh(&self, json: &str) -> Option<(String, Vec<u64>)> {
        let rows: Vec<&RawValue> = serde_json::from_str(json).ok()?;
        let known = self.0.lock().unwrap_or_else(|it| it.into_inner());
        let mut digests = Vec::new();
        let mut fresh = Vec::new();
        for row in rows {
            let digest = digest(row.get());
            if !known.contains(&digest) && !digests.contains(&digest) {
                digests.push(digest);
                fresh.push(row.get());
            }
        }
        (!fresh.is_empty()).then(|| (format!("[{}]", fresh.join(",")), digests))
    }

    /// Forgets everything.
    #[cfg(feature = "testing")]
    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(|it| it.into_inner()).clear();
    }

    /// Remembers rows that are stored now.
    pub(crate) fn remember(&self, digests: Vec<u64>) {
        self.0.lock().unwrap_or_else(|it| it.into_inner()).extend(digests);
    }
}

fn digest(row: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    row.hash(&mut hasher);
    hasher.finish()
}
