//! Which projects' deployments have to be read. GitLab has no question about the deployments of many projects, so what is
//! asked is about their pipelines: a job's deployment changes only as the job does, and a job that changes moves its
//! pipeline or belongs to one that runs. What the API makes shows nowhere: it is found by a look once a day, and is read
//! in every sync from then on until it ends.

use std::collections::{BTreeMap, HashMap, HashSet};

use catalogue::Connector;
use catalogue::deployments::DEPLOYMENTS;
use chrono::{DateTime, TimeDelta, Utc};
use store::{Joined, Look, Unit};

use crate::Progress;
use crate::deployments::{LISTING, look};
use crate::engine::{Engine, Halt};
use crate::listing::OVERLAP;
use crate::sight::{Found, Sight};
use crate::standing::Standing;

/// How long the last look at a project stands. Less than a day, so that a sync that runs once a day always looks.
const STANDS: TimeDelta = TimeDelta::hours(20);
/// A deployment of the API that has not moved for so long is taken for forgotten: it comes with the daily look.
const FORGOTTEN: TimeDelta = TimeDelta::days(7);

/// When deployments were looked at before this run, by project (Weir's id).
pub(super) struct Read(HashMap<i64, Look>);

impl Read {
    /// Loads it.
    pub(super) async fn load(engine: &Engine) -> Result<Read, Halt> {
        let looks = match engine.has(Connector::GitlabDeployments) {
            true => engine.store.deployment_looks(engine.instance.0).await?,
            false => Vec::new(),
        };
        Ok(Read(looks.into_iter().map(|it| (it.project_id, it)).collect()))
    }

    /// Since when GitLab is asked whether pipelines of a project moved. The start of the run where the
    /// answer does not matter: many projects are asked about at once, since the earliest moment of all.
    pub(super) fn since(&self, engine: &Engine, project: &Found) -> DateTime<Utc> {
        let id = engine.instance.id(project.source_id);
        let closed = project.environments_off || engine.refusals.of(DEPLOYMENTS.name, id).is_some();
        let look = self.0.get(&id).filter(|_| !closed);
        look.map_or(engine.started, |it| it.confirmed_at - OVERLAP)
    }
}

/// What has to be done about a project.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    /// A look at its environments and deployments.
    Look,
    /// The list of its deployments.
    List,
    Nothing,
}

/// Lays out the units of work, and confirms the projects in which nothing moved. Gives the projects that were read before
/// (Weir's ids).
pub(super) async fn plan(
    engine: &Engine,
    joined: &Joined,
    sight: &Sight,
    standings: &BTreeMap<i64, Standing>,
    read: &Read,
) -> Result<Vec<i64>, Halt> {
    let unfinished = unfinished(engine, read).await?;
    let mut units: Vec<Unit> = Vec::new();
    let mut idle: Vec<i64> = Vec::new();
    let mut before: Vec<i64> = Vec::new();
    for found in sight.projects.values() {
        let id = engine.instance.id(found.source_id);
        if found.builds_off || found.environments_off {
            switched_off(engine, id, found);
            continue;
        }
        if engine.refused_lately(DEPLOYMENTS.name, id) {
            continue;
        }
        before.extend(read.0.get(&id).map(|it| it.project_id));
        match task(engine, read.0.get(&id), standings.get(&found.source_id), unfinished.contains(&id)) {
            Task::Look => units.push(look(id)),
            Task::List => units.push(LISTING.unit(id)),
            Task::Nothing => idle.push(id),
        }
    }
    engine.store.confirm_deployments(engine.instance.0, &idle, engine.started).await?;
    engine.store.add_units(joined.id, &units).await?;
    Progress::add(&engine.progress.projects, units.len() as u64);
    Ok(before)
}

async fn unfinished(engine: &Engine, read: &Read) -> Result<HashSet<i64>, Halt> {
    let looked: Vec<i64> = read.0.keys().copied().collect();
    let since = engine.started - FORGOTTEN;
    Ok(engine.store.with_unfinished_deployments(&looked, since).await?.into_iter().collect())
}

fn task(engine: &Engine, look: Option<&Look>, standing: Option<&Standing>, unfinished: bool) -> Task {
    let Some(look) = look.filter(|it| reaches(engine, it)) else { return Task::Look };
    // A sweep lists the environments of whatever deploys: one that was deleted shows nowhere.
    let swept = engine.options.sweep && look.any;
    if swept || look.looked_at.is_none_or(|at| at + STANDS <= engine.started) {
        return Task::Look;
    }
    let running = standing.is_some_and(|it| it.running);
    match standing.and_then(|it| it.pipelines) {
        // Without GraphQL nothing tells.
        None => Task::List,
        Some(pipelines) if pipelines.listed || pipelines.children => Task::Look,
        // A pipeline that has run all the time makes deployments without a move of its own.
        Some(_) if look.any && (running || unfinished) => Task::List,
        Some(_) => Task::Nothing,
    }
}

/// Whether deployments are stored as far back as this run wants.
fn reaches(engine: &Engine, look: &Look) -> bool {
    let since = engine.options.scope.since;
    look.whole || since.is_some_and(|since| look.complete_from.is_some_and(|from| from <= since))
}

fn switched_off(engine: &Engine, id: i64, found: &Found) {
    let what = if found.builds_off { "CI/CD" } else { "Environments" };
    let verb = if found.builds_off { "is" } else { "are" };
    let detail = format!("{what} {verb} switched off in {}.", found.path);
    engine.skip(DEPLOYMENTS.name, id, "feature_disabled", detail);
}
