//! What there is to read: the complete listings first, then a unit of work for each project whose merge requests moved.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::merge_requests::MERGE_REQUESTS;
use store::{Joined, KnownProject, Partition, Unit};

use crate::details::Standing;
use crate::engine::{Engine, Halt};
use crate::merge_requests::OVERLAP;
use crate::sight::{Found, Sight};
use crate::{Progress, details, discovery, merge_requests};

/// Reads the complete listings and lays out the work. Gives the projects whose merge requests did not move.
///
/// `known` are the projects as they were stored before this run looked.
pub(crate) async fn prepare(
    engine: &Engine,
    joined: &Joined,
    sight: &mut Sight,
    known: &[KnownProject],
    fresh: &BTreeSet<i64>,
) -> Result<Vec<i64>, Halt> {
    let groups: Vec<i64> = sight.groups.keys().copied().collect();
    let projects: Vec<i64> = sight.projects.keys().copied().collect();
    let (direct, standings) =
        tokio::join!(details::groups(engine, &groups), details::projects(engine, &projects));
    let mut standings = standings?;
    unlisted(engine, sight, direct?).await?;
    lost(engine, sight, known).await?;
    let late: Vec<i64> = sight.projects.keys().copied().filter(|it| !projects.contains(it)).collect();
    standings.extend(details::projects(engine, &late).await?);
    plan(engine, joined, sight, &standings, fresh).await
}

/// Lays out the work for projects that were never read, which is known before anything is asked of them. Gives them
/// (GitLab's ids).
pub(crate) async fn begin(engine: &Engine, joined: &Joined, sight: &Sight) -> Result<BTreeSet<i64>, Halt> {
    if engine.options.scope.full {
        let projects: Vec<i64> = sight.projects.keys().map(|it| engine.instance.id(*it)).collect();
        engine.store.forget(engine.instance.0, MERGE_REQUESTS.name, Some(&projects)).await?;
    }
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
    let units: Vec<Unit> = fresh.iter().map(|it| merge_requests::unit(engine.instance.id(*it))).collect();
    engine.store.add_units(joined.id, &units).await?;
    Progress::add(&engine.progress.projects, units.len() as u64);
    Ok(fresh)
}

/// Projects that a group lists directly and no other listing showed.
async fn unlisted(engine: &Engine, sight: &mut Sight, direct: BTreeSet<i64>) -> Result<(), Halt> {
    if !engine.options.scope.is_everything() {
        return Ok(());
    }
    for project in direct {
        if !sight.projects.contains_key(&project) && !sight.excluded.contains(&project) {
            let _ = discovery::look_at(engine, project, sight).await?;
        }
    }
    Ok(())
}

/// Most lost projects that are looked at singly in one run.
const LOOKS: usize = 50;

/// Projects that were in sight and are in no listing: each is asked for by its number before it is called lost.
async fn lost(engine: &Engine, sight: &mut Sight, known: &[KnownProject]) -> Result<(), Halt> {
    let seen: Vec<i64> = sight.projects.keys().map(|it| engine.instance.id(*it)).collect();
    engine.store.mark_accessible(&seen, engine.now()).await?;
    if !sight.complete || !engine.options.scope.is_everything() {
        return Ok(());
    }
    let missing = known.iter().filter(|it| {
        it.api_accessible
            && !sight.projects.contains_key(&it.source_id)
            && !sight.excluded.contains(&it.source_id)
    });
    for project in missing.take(LOOKS).cloned().collect::<Vec<_>>() {
        let Err(error) = discovery::look_at(engine, project.source_id, sight).await? else { continue };
        let reason = match error.kind {
            gitlab_client::ErrorKind::NotFound => "not_found_or_no_access",
            gitlab_client::ErrorKind::Forbidden { .. } => "forbidden",
            // Nothing may be concluded from an outage.
            _ => continue,
        };
        engine.store.mark_inaccessible(&[project.id], reason, engine.now()).await?;
    }
    Ok(())
}

/// Projects that changed their namespace: GitLab gave them other labels without touching their merge requests.
async fn moved(engine: &Engine, sight: &Sight) -> Result<(), Halt> {
    let namespace = |found: &Found| Some((engine.instance.id(found.source_id), found.namespace_id?));
    let found: Vec<(i64, i64)> = sight.projects.values().filter_map(namespace).collect();
    Ok(engine.store.note_namespaces(engine.instance.0, MERGE_REQUESTS.name, &found).await?)
}

/// Lays out the units of work, and confirms the projects in which nothing moved. Gives all those that were read before.
async fn plan(
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
        let total = standings.get(&found.source_id).map_or(0, |it| it.total.unsigned_abs());
        if found.merge_requests_off {
            switched_off(engine, id, found);
        } else if fresh.contains(&found.source_id) {
            Progress::add(&engine.progress.expected, total);
        } else if total == 0 && engine.refused_lately(MERGE_REQUESTS.name, id) {
            // Nothing shows that it can be read again.
        } else if is_idle(engine, id, &stored, standings.get(&found.source_id)) {
            idle.push(id);
        } else {
            Progress::add(&engine.progress.expected, total);
            units.push(merge_requests::unit(id));
        }
    }
    // GitLab counts no merge request where some are stored: access was lost, which reading will tell.
    let counts_none =
        |id: &i64| standings.get(&engine.instance.source_id(*id)).is_some_and(|it| it.total == 0);
    let emptied: Vec<i64> = idle.iter().copied().filter(counts_none).collect();
    let emptied = engine.store.with_merge_requests(&emptied).await?;
    idle.retain(|it| !emptied.contains(it));
    units.extend(emptied.into_iter().map(merge_requests::unit));
    Progress::add(&engine.progress.projects, units.len() as u64);
    engine.store.confirm(engine.instance.0, MERGE_REQUESTS.name, &idle, engine.started).await?;
    engine.store.add_units(joined.id, &units).await?;
    // Where something moved, the open merge requests that did not move are checked as well.
    idle.extend(units.iter().map(|it| it.parent_id));
    Ok(idle)
}

fn switched_off(engine: &Engine, id: i64, found: &Found) {
    let detail = format!("Merge requests are switched off in {}.", found.path);
    engine.skip(MERGE_REQUESTS.name, id, "feature_disabled", detail);
}

/// Whether every partition of a project is whole and nothing moved since: then there is nothing to read.
fn is_idle(engine: &Engine, id: i64, stored: &[Partition], standing: Option<&Standing>) -> bool {
    let Some(standing) = standing else { return false };
    merge_requests::keys(engine, id).iter().all(|key| {
        let partition = stored.iter().find(|it| it.key == *key);
        partition.is_some_and(|it| {
            let since = engine.options.scope.since;
            let far_enough =
                it.whole || since.is_some_and(|since| it.complete_from.is_some_and(|from| from <= since));
            let unmoved =
                it.complete_to.is_some_and(|to| standing.newest.is_none_or(|newest| newest < to - OVERLAP));
            far_enough && unmoved
        })
    })
}
