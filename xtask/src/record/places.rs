//! Which parents the samples are read under: those that show most.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use catalogue::{Connector, Resource, Scope};
use fake_gitlab::FakeGitlab;
use fake_gitlab::world::access::Viewer;
use fake_gitlab::world::model::{
    Group, Id, JobKind, MergeRequest, Namespace, Owner, Pipeline, PipelineSource, Project, ReviewState, World,
};

/// Notes of a merge request that is worth a sample: enough to show threads, few enough to read.
const NOTES: std::ops::RangeInclusive<usize> = 6..=20;

/// The chosen parents, by GitLab's ids.
pub struct Places {
    pub group: Id,
    pub project: Id,
    pub merge_request: Id,
    pub iid: i64,
    pub users: Vec<Id>,
    pub ci: CiPlaces,
}

/// A project with child pipelines, and a pipeline of it that shows most.
pub struct CiPlaces {
    pub project: Id,
    pub pipeline: Id,
    pub iid: i64,
    /// A pipeline that started others.
    pub bridged: Id,
    /// The project with the deployment below, perhaps another one.
    pub deployed: Id,
    /// The deployment that brought most merge requests.
    pub deployment: Id,
}

impl Places {
    /// The pipeline that a resource is read under.
    pub fn pipeline_of(&self, resource: &Resource) -> Id {
        if resource.name == "bridges" { self.ci.bridged } else { self.ci.pipeline }
    }

    /// The project that a resource is read under.
    pub fn project_of(&self, resource: &Resource) -> Id {
        match resource.connector {
            Connector::GitlabPipelines => self.ci.project,
            Connector::GitlabDeployments => self.ci.deployed,
            _ => self.project,
        }
    }

    /// The number within the project of what a resource is read under.
    pub fn iid_of(&self, resource: &Resource) -> i64 {
        if resource.scope == Scope::Pipeline { self.ci.iid } else { self.iid }
    }
}

impl Places {
    /// Chooses. Of equals the first wins, so the choice depends on the world alone.
    pub fn choose(fake: &FakeGitlab) -> anyhow::Result<Places> {
        let (world, viewer) = (fake.world(), fake.viewer());
        let project = world.projects.values().filter(|it| is_readable(&world, &viewer, it));
        let project = best(project, |it| project_score(&world, it)).context("the world has no project")?;
        let merge_request = world.merge_requests.values().filter(|it| it.project_id == project.id);
        let merge_request =
            best(merge_request, |it| merge_request_score(&world, it)).context("the project is empty")?;
        let group = world.groups.values().filter(|it| world.group_access_level(&viewer, it.id).is_some());
        let group = best(group, |it| group_score(&world, it)).context("the world has no group")?;
        Ok(Places {
            group: group.id,
            project: project.id,
            merge_request: merge_request.id,
            iid: merge_request.iid,
            users: users(&world),
            ci: ci_places(&world, &viewer).context("the world has no pipeline that shows much")?,
        })
    }
}

fn ci_places(world: &World, viewer: &Viewer) -> Option<CiPlaces> {
    let readable = |id: Id| world.projects.get(&id).filter(|it| world.check_ci(viewer, it).is_ok());
    let parents: BTreeSet<Id> = world
        .ci
        .pipelines
        .values()
        .filter(|it| it.source == PipelineSource::ParentPipeline)
        .map(|it| it.project_id)
        .collect();
    let shown = world.ci.pipelines.values().filter(|it| {
        it.jobs.len() <= super::ELEMENTS
            && parents.contains(&it.project_id)
            && readable(it.project_id).is_some()
    });
    let best = best(shown, |it| pipeline_score(it))?;
    let has_bridge = |it: &&Pipeline| it.jobs.iter().any(|job| job.kind == JobKind::Bridge);
    let bridged =
        world.ci.pipelines.values().filter(|it| it.project_id == best.project_id).find(has_bridge)?;
    let deployments = world.ci.deployments.values().filter(|it| {
        readable(it.project_id).is_some_and(|project| world.check_deployments(viewer, project).is_ok())
    });
    let deployment = self::best(deployments, |it| it.merge_request_ids.len())?;
    Some(CiPlaces {
        project: best.project_id,
        pipeline: best.id,
        iid: best.iid,
        bridged: bridged.id,
        deployed: deployment.project_id,
        deployment: deployment.id,
    })
}

fn pipeline_score(it: &Pipeline) -> usize {
    let jobs = || it.jobs.iter();
    // They are a sample of their own, so they must not be missing.
    let builds = jobs().any(|job| job.kind == JobKind::Build);
    let facts = [
        jobs().any(|job| job.failure_reason.is_some()),
        jobs().any(|job| job.coverage.is_some()),
        jobs().any(|job| job.started_at.is_none()),
        it.finished_at.is_some(),
    ];
    10 * count(&[builds]) + count(&facts)
}

/// The first of those with the highest score.
fn best<T>(all: impl Iterator<Item = T>, score: impl Fn(&T) -> usize) -> Option<T> {
    all.fold(None, |best: Option<T>, next| match best {
        Some(best) if score(&best) >= score(&next) => Some(best),
        _ => Some(next),
    })
}

fn is_readable(world: &World, viewer: &Viewer, project: &Project) -> bool {
    world.project_access_level(viewer, project).is_some()
        && world.check_merge_requests(viewer, project).is_ok()
        && matches!(project.namespace, Namespace::Group(_))
}

/// Its best merge request is a sample, and so are its newest.
fn project_score(world: &World, project: &Project) -> usize {
    let own = || world.merge_requests.values().rev().filter(|it| it.project_id == project.id);
    let best = own().map(|it| merge_request_score(world, it)).max().unwrap_or_default();
    let newest = own().take(super::ELEMENTS);
    let milestones = world.milestones.values().filter(|it| it.owner == Owner::Project(project.id)).count();
    let labels = world.labels.values().filter(|it| it.owner == Owner::Project(project.id)).count();
    let facts = [milestones > 0, labels > 0, project.members.len() > 1];
    let newest: usize = newest.map(|it| merge_request_score(world, it)).sum();
    100 * best + newest + 5 * count(&facts)
}

fn merge_request_score(world: &World, it: &MergeRequest) -> usize {
    let notes: Vec<_> = it.note_ids.iter().filter_map(|id| world.notes.get(id)).collect();
    // These lists are samples of their own, so they must not be empty.
    let lists = [
        !it.label_ids.is_empty(),
        !it.assignee_ids.is_empty(),
        !it.reviewers.is_empty(),
        !it.approvals.is_empty(),
        NOTES.contains(&notes.len()),
    ];
    let facts = [
        it.reviewers.len() > 1,
        it.reviewers.iter().any(|it| it.state == ReviewState::Approved),
        it.approvals.len() > 1,
        it.milestone_id.is_some(),
        it.merged_at.is_some(),
        it.squash_commit_sha.is_some(),
        notes.iter().any(|note| note.system),
        notes.iter().any(|note| note.resolvable),
        notes.iter().any(|note| !note.system && !note.resolvable),
    ];
    10 * count(&lists) + count(&facts)
}

fn group_score(world: &World, group: &Group) -> usize {
    let labels = world.labels.values().filter(|it| it.owner == Owner::Group(group.id)).count();
    count(&[labels > 0, group.members.len() > 1, group.members.values().any(|it| it.expires_at.is_some())])
}

fn count(facts: &[bool]) -> usize {
    facts.iter().filter(|it| **it).count()
}

/// One user of each type and state, then the first others.
fn users(world: &World) -> Vec<Id> {
    let mut kinds = BTreeMap::new();
    for user in world.users.values() {
        kinds.entry((format!("{:?}", user.user_type), user.state.clone())).or_insert(user.id);
    }
    let mut chosen: Vec<Id> = kinds.into_values().collect();
    let others: Vec<Id> = world.users.keys().copied().filter(|id| !chosen.contains(id)).collect();
    chosen.extend(others);
    chosen.truncate(super::ELEMENTS);
    chosen.sort_unstable();
    chosen
}
