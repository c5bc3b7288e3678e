//! Which projects' issues have to be read.

use std::collections::BTreeMap;

use catalogue::issues::ISSUES;
use store::{Joined, Partition, PartitionKey, Unit};

use super::far_enough;
use crate::Progress;
use crate::engine::{Engine, Halt};
use crate::issues::LISTING;
use crate::listing::{self, OVERLAP};
use crate::sight::{Found, Sight};
use crate::standing::{Issues, Standing};

/// What is to be done about a project's issues.
enum Work {
    Read,
    /// Nothing moved since they were read.
    Confirm,
    /// They were never read, and there are none.
    Empty,
}

/// Lays out the units of work, and confirms the projects in which nothing moved.
pub(super) async fn plan(
    engine: &Engine,
    joined: &Joined,
    sight: &Sight,
    standings: &BTreeMap<i64, Standing>,
) -> Result<(), Halt> {
    let stored = engine.store.partitions(engine.instance.0, ISSUES.name).await?;
    let stored: BTreeMap<i64, Vec<Partition>> = by_project(stored);
    let mut units: Vec<Unit> = Vec::new();
    let mut idle: Vec<i64> = Vec::new();
    let mut empty: Vec<PartitionKey> = Vec::new();
    // Projects that were never read, and how many issues GitLab counts there.
    let mut counted: Vec<(i64, i64)> = Vec::new();
    for found in sight.projects.values() {
        let id = engine.instance.id(found.source_id);
        if found.issues_off {
            switched_off(engine, id, found);
            continue;
        }
        if engine.options.job_token {
            engine.skip(ISSUES.name, id, "job_token", "A job token may not read issues.");
            continue;
        }
        let standing = standings.get(&found.source_id).and_then(|it| it.issues);
        if standing.is_none_or(|it| it.newest.is_none()) && engine.refused_lately(ISSUES.name, id) {
            continue;
        }
        match work(engine, stored.get(&id).map_or(&[], Vec::as_slice), id, standing) {
            Work::Read => {
                units.push(LISTING.unit(id));
                counted.extend(standing.filter(|_| !stored.contains_key(&id)).map(|it| (id, it.total)));
            }
            Work::Confirm => idle.push(id),
            Work::Empty => empty.extend(LISTING.keys(engine, id)),
        }
    }
    let short = short(engine, &stored, standings, &idle).await?;
    idle.retain(|it| !short.contains(it));
    engine.store.confirm(engine.instance.0, ISSUES.name, &idle, engine.started).await?;
    engine.store.found_empty(&empty, engine.started).await?;
    let count = units.len() + short.len();
    units = on_their_own(engine, units, &stored, &counted).await?;
    // `stored` knows them as they were before.
    units.extend(short.into_iter().map(|it| LISTING.unit(it)));
    engine.store.add_units(joined.id, &units).await?;
    Progress::add(&engine.progress.projects, count as u64);
    Progress::add(&engine.progress.projects_done, (count - units.len()) as u64);
    Ok(())
}

/// Reads what many projects have little of together. Gives the units of those that are to be read on their own.
async fn on_their_own(
    engine: &Engine,
    mut units: Vec<Unit>,
    stored: &BTreeMap<i64, Vec<Partition>>,
    counted: &[(i64, i64)],
) -> Result<Vec<Unit>, Halt> {
    let moved: Vec<i64> = units.iter().map(|it| it.parent_id).filter(|it| stored.contains_key(it)).collect();
    let known: Vec<&Partition> = stored.values().flatten().collect();
    let (moved, few) = tokio::join!(
        listing::together(engine, &LISTING, &moved, &known),
        listing::few(engine, &LISTING, counted)
    );
    let (moved, few) = (moved?, few?);
    units.retain(|it| !moved.contains(&it.parent_id) && !few.contains(&it.parent_id));
    Ok(units)
}

fn by_project(partitions: Vec<Partition>) -> BTreeMap<i64, Vec<Partition>> {
    let mut grouped: BTreeMap<i64, Vec<Partition>> = BTreeMap::new();
    for partition in partitions {
        grouped.entry(partition.key.parent_id).or_default().push(partition);
    }
    grouped
}

fn work(engine: &Engine, stored: &[Partition], project: i64, standing: Option<Issues>) -> Work {
    let Some(standing) = standing else { return Work::Read };
    let keys = LISTING.keys(engine, project);
    let known: Vec<&Partition> =
        stored.iter().filter(|it| keys.contains(&it.key) && it.complete_to.is_some()).collect();
    let unmoved = |it: &&Partition| {
        it.complete_to.is_some_and(|to| standing.newest.is_none_or(|newest| newest < to - OVERLAP))
    };
    match known.is_empty() {
        true if standing.newest.is_none() => Work::Empty,
        false if known.iter().all(|it| far_enough(engine, it) && unmoved(it)) => Work::Confirm,
        _ => Work::Read,
    }
}

/// Projects in which nothing moved and GitLab counts more issues than are stored: a higher role shows confidential ones
/// that were hidden. They are read from the beginning; once for each count, because GitLab may count what it never lists.
async fn short(
    engine: &Engine,
    stored: &BTreeMap<i64, Vec<Partition>>,
    standings: &BTreeMap<i64, Standing>,
    idle: &[i64],
) -> Result<Vec<i64>, Halt> {
    let rows = engine.store.stored_issues(idle).await?;
    let counted = |id: &i64| {
        let standing = standings.get(&engine.instance.source_id(*id))?.issues?;
        let tried = stored.get(id)?.iter().any(|it| it.total == Some(standing.total));
        let held = rows.get(id).copied().unwrap_or(0);
        (standing.total > held && !tried).then_some((*id, standing.total))
    };
    let short: Vec<(i64, i64)> = idle.iter().filter_map(counted).collect();
    engine.store.read_again(engine.instance.0, ISSUES.name, &short).await?;
    Ok(short.into_iter().map(|it| it.0).collect())
}

fn switched_off(engine: &Engine, id: i64, found: &Found) {
    let detail = format!("Issues are switched off in {}.", found.path);
    engine.skip(ISSUES.name, id, "feature_disabled", detail);
}
