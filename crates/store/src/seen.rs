//! Users are named again and again: what this process has already written of them is not sent twice.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A user row on its way.
#[derive(Debug)]
pub(crate) struct Sighting {
    pub(crate) id: i64,
    digest: u64,
}

#[derive(Deserialize)]
struct Id {
    id: i64,
}

/// Digests of user rows that were written.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashSet<u64>>);

impl Seen {
    /// Those of the rows (a JSON array) that were not written yet, and what they are. None when there are none.
    pub(crate) fn fresh(&self, json: &str) -> Option<(String, Vec<Sighting>)> {
        let rows: Vec<&RawValue> = serde_json::from_str(json).ok()?;
        let known = self.0.lock().unwrap_or_else(|it| it.into_inner());
        let mut met = HashSet::new();
        let mut sightings = Vec::new();
        let mut fresh = Vec::new();
        for row in rows {
            let digest = digest(row.get());
            if known.contains(&digest) || !met.insert(digest) {
                continue;
            }
            let Id { id } = serde_json::from_str(row.get()).ok()?;
            sightings.push(Sighting { id, digest });
            fresh.push(row.get());
        }
        (!fresh.is_empty()).then(|| (format!("[{}]", fresh.join(",")), sightings))
    }

    /// Forgets everything.
    #[cfg(feature = "testing")]
    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(|it| it.into_inner()).clear();
    }

    /// Remembers rows that are stored now, those apart of which a newer version was there.
    pub(crate) fn remember(&self, sightings: &[Sighting], newer: &[i64]) {
        let stored = sightings.iter().filter(|it| !newer.contains(&it.id)).map(|it| it.digest);
        self.0.lock().unwrap_or_else(|it| it.into_inner()).extend(stored);
    }
}

fn digest(row: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    row.hash(&mut hasher);
    hasher.finish()
}
