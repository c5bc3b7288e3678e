//! What there is to read: the complete listings first, then a unit of work for each listing of a project in which
//! something moved.

mod commits;
mod deployments;
mod issues;
mod merge_requests;
mod pipelines;
mod trunk;

use std::collections::BTreeSet;

use catalogue::Connector;
use catalogue::issues::ISSUES;
use store::{Joined, KnownProject, Partition};

use crate::details::Since;
use crate::engine::{Engine, Halt};
use crate::listing::{self, Listing};
use crate::sight::{Found, Sight};
use crate::{details, discovery};

/// The projects that were read before, whatever moved in them (Weir's ids): what changes unseen is checked there.
#[derive(Debug, Default)]
pub(crate) struct ReadBefore {
    pub(crate) merge_requests: Vec<i64>,
    pub(crate) pipelines: Vec<i64>,
    pub(crate) commits: Vec<i64>,
    pub(crate) deployments: Vec<i64>,
}

/// Lays out the work that is known before anything is asked: the merge requests of projects that were never read.
/// Gives these projects (GitLab's ids).
pub(crate) async fn begin(engine: &Engine, joined: &Joined, sight: &Sight) -> Result<BTreeSet<i64>, Halt> {
    if engine.options.scope.full {
        let projects: Vec<i64> = sight.projects.keys().map(|it| engine.instance.id(*it)).collect();
        for listing in Listing::all().filter(|it| engine.reads(it.resource)) {
            engine.store.forget(engine.instance.0, listing.resource.name, Some(&projects)).await?;
        }
        if engine.has(Connector::GitlabCommitsTrunk) {
            engine.store.forget_trunks(&projects).await?;
        }
    }
    match engine.has(Connector::Gitlab) {
        true => merge_requests::begin(engine, joined, sight).await,
        false => Ok(BTreeSet::new()),
    }
}

/// Reads the complete listings and lays out the rest of the work.
///
/// `known` are the projects as they were stored before this run looked.
pub(crate) async fn prepare(
    engine: &Engine,
    joined: &Joined,
    sight: &mut Sight,
    known: &[KnownProject],
    fresh: &BTreeSet<i64>,
) -> Result<ReadBefore, Halt> {
    let groups: Vec<i64> = sight.groups.keys().copied().collect();
    let projects: Vec<i64> = sight.projects.keys().copied().collect();
    let read = (pipelines::Read::load(engine).await?, deployments::Read::load(engine).await?);
    let with_since = asked(engine, sight, &read, &projects);
    let (direct, standings) =
        tokio::join!(details::groups(engine, &groups), details::projects(engine, &with_since));
    let mut standings = standings?;
    unlisted(engine, sight, direct?).await?;
    lost(engine, sight, known).await?;
    let late: Vec<i64> = sight.projects.keys().copied().filter(|it| !projects.contains(it)).collect();
    standings.extend(details::projects(engine, &asked(engine, sight, &read, &late)).await?);
    let mut before = ReadBefore::default();
    if engine.has(Connector::Gitlab) {
        before.merge_requests = merge_requests::plan(engine, joined, sight, &standings, fresh).await?;
    }
    if engine.has(Connector::GitlabPipelines) {
        before.pipelines = pipelines::plan(engine, joined, sight, &standings, &read.0).await?;
    }
    if engine.has(Connector::GitlabDeployments) {
        before.deployments = deployments::plan(engine, joined, sight, &standings, &read.1).await?;
    }
    if engine.has(Connector::GitlabCommits) {
        before.commits = commits::plan(engine, joined, sight, &standings).await?;
    }
    if engine.has(Connector::GitlabCommitsTrunk) {
        trunk::plan(engine, joined, sight, &standings).await?;
    }
    // Last, because it reads what is little itself: by now the workers have all the rest.
    if engine.reads(&ISSUES) {
        issues::plan(engine, joined, sight, &standings).await?;
    }
    Ok(before)
}

/// Since when each of the projects (GitLab's ids) is asked whether pipelines moved, for all that wants to know it.
fn asked(
    engine: &Engine,
    sight: &Sight,
    (pipelines, deployments): &(pipelines::Read, deployments::Read),
    projects: &[i64],
) -> Vec<(i64, Since)> {
    let since = |project: &Found| -> Since {
        // The answer does not matter, and a moment long ago would count for every project of the request.
        if project.builds_off {
            return Some(engine.started);
        }
        let looked = deployments.since(engine, project);
        match engine.has(Connector::GitlabPipelines) {
            true => Some(pipelines.since(engine, project.source_id)?.min(looked)),
            false => Some(looked),
        }
    };
    projects.iter().map(|it| (*it, sight.projects.get(it).and_then(since))).collect()
}

/// Whether a partition is read as far back as this run wants.
fn far_enough(engine: &Engine, partition: &Partition) -> bool {
    partition.whole || listing::reaches(partition, engine.options.scope.since)
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
