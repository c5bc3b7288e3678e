//! Which projects' merge requests have to be read.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::issues::ISSUES;
use catalogue::merge_requests::MERGE_REQUESTS;
use store::{Joined, Partition, Unit};

use super::far_enough;
use crate::Progress;
use crate::engine::{Engine, Halt};
use crate::listing::{Listing, OVERLAP, together};
use crate::merge_requests::LISTING;
use crate::sight::{Found, Sight};
use crate::standing::Standing;

/// Lays out the work for projects that were never read, which is known before anything is asked of them. Gives them
/// (GitLab's ids).
pub(super) async fn begin(engine: &Engine, joined: &Joined, sight: &Sight) -> Result<BTreeSet<i64>, Halt> {
    moved(engine, sight).await?;
    let stored = engine.store.partitions(engine.instance.0, MERGE_REQUESTS.name).await?;
    let read: BTreeSet<i64> = stored.iter().map(|it| engine.instance.source_id(it.key.parent_id)).collect();
    let refused =
        |it: &Found| engine.refusals.of(MERGE_REQUESTS.name, engine.instance.id(it.source_id)).is_some();
    let fresh = sight
        .projects
        .values()
        .filter(|it| !it.merge_requests_off && !read.contains(&it.source_id) && !refused(it));
    let fresh: BTreeSet<i64> = fresh.map(|it| it.source_id).collect();
    let units: Vec<Unit> = fresh.iter().map(|it| LISTING.unit(engine.instance.id(*it))).collect();
    engine.store.add_units(joined.id, &units).await?;
    Progress::add(&engine.progress.projects, units.len() as u64);
    Ok(fresh)
}

/// Projects that changed their namespace: GitLab gave them other labels without touching their merge requests
/// and issues.
async fn moved(engine: &Engine, sight: &Sight) -> Result<(), Halt> {
    let namespace = |found: &Found| Some((engine.instance.id(found.source_id), found.namespace_id?));
    let found: Vec<(i64, i64)> = sight.projects.values().filter_map(namespace).collect();
    let labelled = [MERGE_REQUESTS.name, ISSUES.name];
    Ok(engine.store.note_namespaces(engine.instance.0, &labelled, &found).await?)
}

/// Lays out the units of work, and confirms the projects in which nothing moved. Gives all those that were read before.
pub(super) async fn plan(
    engine: &Engine,
    joined: &Joined,
    sight: &Sight,
    standings: &BTreeMap<i64, Standing>,
    fresh: &BTreeSet<i64>,
) -> Result<Vec<i64>, Halt> {
    let stored = engine.store.partitions(engine.instance.0, MERGE_REQUESTS.name).await?;
    let mut units = Vec::new();
    let mut idle = Vec::new();
    for found in sight.projects.values() {
        let id = engine.instance.id(found.source_id);
        let standing = standings.get(&found.source_id);
        let total = standings.get(&found.source_id).map_or(0, |it| it.merge_requests().unsigned_abs());
        if found.merge_requests_off {
            switched_off(engine, id, found);
        } else if fresh.contains(&found.source_id) {
            Progress::add(&engine.progress.expected, total);
        } else if total == 0 && engine.refused_lately(MERGE_REQUESTS.name, id) {
            // Nothing shows that it can be read again.
        } else if is_idle(engine, &LISTING, id, &stored, standing) {
            idle.push(id);
        } else {
            Progress::add(&engine.progress.expected, total);
            units.push(LISTING.unit(id));
        }
    }
    // GitLab counts no merge request where some are stored: access was lost, which reading will tell.
    let counts_none =
        |id: &i64| standings.get(&engine.instance.source_id(*id)).is_some_and(|it| it.merge_requests() == 0);
    let emptied: Vec<i64> = idle.iter().copied().filter(counts_none).collect();
    let emptied = engine.store.with_merge_requests(&emptied).await?;
    idle.retain(|it| !emptied.contains(it));
    units.extend(emptied.into_iter().map(|it| LISTING.unit(it)));
    Progress::add(&engine.progress.projects, units.len() as u64);
    engine.store.confirm(engine.instance.0, MERGE_REQUESTS.name, &idle, engine.started).await?;
    // Where something moved, the open merge requests that did not move are checked as well.
    let moved: Vec<i64> = units.iter().map(|it| it.parent_id).collect();
    let stored: Vec<&Partition> = stored.iter().collect();
    let read = together(engine, &LISTING, &moved, &stored).await?;
    units.retain(|it| !read.contains(&it.parent_id));
    engine.store.add_units(joined.id, &units).await?;
    Progress::add(&engine.progress.projects_done, read.len() as u64);
    // What was never read is read whole: there is nothing that could have changed unseen.
    let known: BTreeSet<i64> = stored.iter().map(|it| it.key.parent_id).collect();
    idle.extend(moved.into_iter().filter(|it| known.contains(it)));
    Ok(idle)
}

fn switched_off(engine: &Engine, id: i64, found: &Found) {
    let detail = format!("Merge requests are switched off in {}.", found.path);
    engine.skip(MERGE_REQUESTS.name, id, "feature_disabled", detail);
}

/// Whether every partition of a project is whole and nothing moved since: then there is nothing to read.
pub(super) fn is_idle(
    engine: &Engine,
    listing: &Listing,
    id: i64,
    stored: &[Partition],
    standing: Option<&Standing>,
) -> bool {
    let Some(standing) = standing.and_then(|it| it.merge_requests) else { return false };
    listing.keys(engine, id).iter().all(|key| {
        let partition = stored.iter().find(|it| it.key == *key);
        let unmoved = |it: &Partition| {
            it.complete_to.is_some_and(|to| standing.newest.is_none_or(|newest| newest < to - OVERLAP))
        };
        partition.is_some_and(|it| far_enough(engine, it) && unmoved(it))
    })
}
