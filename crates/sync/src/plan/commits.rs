//! In which projects the commits of merge requests have to be read: the same signs tell it as for merge requests.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::merge_request_commits::MERGE_REQUEST_COMMITS;
use store::{Joined, Partition, Unit};

use super::merge_requests::is_idle;
use crate::Progress;
use crate::commits::LISTING;
use crate::engine::{Engine, Halt};
use crate::listing::together;
use crate::sight::{Found, Sight};
use crate::standing::Standing;

/// Lays out the units of work, and confirms the projects in which nothing moved. Gives all those that were read before
/// (Weir's ids).
pub(super) async fn plan(
    engine: &Engine,
    joined: &Joined,
    sight: &Sight,
    standings: &BTreeMap<i64, Standing>,
) -> Result<Vec<i64>, Halt> {
    let resource = MERGE_REQUEST_COMMITS.name;
    if engine.options.job_token {
        engine.skip(resource, 0, "job_token", "A job token may not read commits of merge requests.");
        return Ok(Vec::new());
    }
    let stored = engine.store.partitions(engine.instance.0, resource).await?;
    let (mut idle, mut moved) = (Vec::new(), Vec::new());
    for found in sight.projects.values() {
        let id = engine.instance.id(found.source_id);
        let standing = standings.get(&found.source_id);
        let total = standing.map_or(0, Standing::merge_requests);
        if found.merge_requests_off {
            switched_off(engine, id, found);
        } else if total == 0 && engine.refused_lately(resource, id) {
            // Nothing shows that it can be read again.
        } else if is_idle(engine, &LISTING, id, &stored, standing) {
            idle.push(id);
        } else {
            moved.push(id);
        }
    }
    // GitLab counts no merge request where some are stored: access was lost, which reading will tell.
    let counts_none =
        |id: &i64| standings.get(&engine.instance.source_id(*id)).is_some_and(|it| it.merge_requests() == 0);
    let emptied: Vec<i64> = idle.iter().copied().filter(counts_none).collect();
    let emptied = engine.store.with_heads(&emptied).await?;
    idle.retain(|it| !emptied.contains(it));
    moved.extend(emptied);
    engine.store.confirm(engine.instance.0, resource, &idle, engine.started).await?;
    let stored: Vec<&Partition> = stored.iter().collect();
    let read = together(engine, &LISTING, &moved, &stored).await?;
    let alone = moved.iter().filter(|it| !read.contains(it));
    let units: Vec<Unit> = alone.map(|it| LISTING.unit(*it)).collect();
    engine.store.add_units(joined.id, &units).await?;
    Progress::add(&engine.progress.projects, units.len() as u64);
    // What was never read is read whole: its heads are as they are now.
    let known: BTreeSet<i64> = stored.iter().map(|it| it.key.parent_id).collect();
    idle.extend(moved.into_iter().filter(|it| known.contains(it)));
    Ok(idle)
}

fn switched_off(engine: &Engine, id: i64, found: &Found) {
    let detail = format!("Merge requests are switched off in {}.", found.path);
    engine.skip(MERGE_REQUEST_COMMITS.name, id, "feature_disabled", detail);
}
