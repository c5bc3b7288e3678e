//! What is known before anything is compared: how far back each listing is stored, and what GitLab refused.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use store::{Partition, Skip};

use crate::engine::{Engine, Halt};
use crate::listing::Listing;

/// Skips that say nothing against a comparison: the feature has no listing, or the last comparison failed.
const HARMLESS: [&str; 2] = [OFF, "unproved"];
/// The feature is switched off.
const OFF: &str = "feature_disabled";

/// How far back a listing of a project is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// It was never read.
    Unread,
    /// From here on.
    From(DateTime<Utc>),
    /// From the beginning.
    Whole,
}

/// What is known.
#[derive(Debug)]
pub(super) struct Known {
    reach: HashMap<(String, i64), Reach>,
    refused: HashMap<(String, i64), String>,
    off: HashSet<(String, i64)>,
}

impl Known {
    pub(super) async fn load(engine: &Engine) -> Result<Known, Halt> {
        let mut reach = HashMap::new();
        for listing in Listing::all().filter(|it| engine.reads(it.resource)) {
            for partition in engine.store.partitions(engine.instance.0, listing.resource.name).await? {
                let key = (partition.key.resource.clone(), partition.key.parent_id);
                let further = further(reach.get(&key).copied().unwrap_or(Reach::Unread), of(&partition));
                reach.insert(key, further);
            }
        }
        // A sync has met again whatever is still refused.
        let skips = match engine.options.sweep {
            true => engine.tally.skips(),
            false => engine.store.skips(engine.instance.0).await?,
        };
        let off = skips.iter().filter(|it| it.reason == OFF);
        let off = off.map(|it| (it.resource.clone(), it.parent_id)).collect();
        let refusals = skips.into_iter().filter(|it| !HARMLESS.contains(&it.reason.as_str()));
        let refused =
            refusals.map(|Skip { resource, parent_id, detail, .. }| ((resource, parent_id), detail));
        Ok(Known { reach, refused: refused.collect(), off })
    }

    pub(super) fn reach(&self, resource: &str, project_id: i64) -> Reach {
        self.reach.get(&(resource.to_owned(), project_id)).copied().unwrap_or(Reach::Unread)
    }

    /// Whether the feature was switched off when the project was last read.
    pub(super) fn is_off(&self, resource: &str, project_id: i64) -> bool {
        self.off.contains(&(resource.to_owned(), project_id))
    }

    /// Why GitLab did not let the listing be read, where it did not.
    pub(super) fn refusal(&self, resource: &str, project_id: i64) -> Option<&str> {
        let of = |parent| self.refused.get(&(resource.to_owned(), parent)).map(String::as_str);
        of(project_id).or_else(|| of(0))
    }
}

fn of(partition: &Partition) -> Reach {
    match (partition.complete_to, partition.whole, partition.complete_from) {
        (Some(_), true, _) => Reach::Whole,
        (Some(_), false, Some(from)) => Reach::From(from),
        _ => Reach::Unread,
    }
}

/// Rows that one reader brought are stored, whatever the others have read.
fn further(one: Reach, other: Reach) -> Reach {
    match (one, other) {
        (Reach::Whole, _) | (_, Reach::Whole) => Reach::Whole,
        (Reach::From(one), Reach::From(other)) => Reach::From(one.min(other)),
        (Reach::Unread, it) | (it, Reach::Unread) => it,
    }
}
