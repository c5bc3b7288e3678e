//! Pipelines, jobs, environments and deployments.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Row, Sight, Tables, at, at_or_null, row};
use crate::world::model::{CiStatus, Deployment, Environment, Id, Job, JobKind, Pipeline};

impl<'a> Sight<'a> {
    /// The tables of the connectors that are read.
    pub(super) fn ci(&self, tables: &mut Tables) {
        let mut add = |table: &'static str, rows: Vec<Row>| tables.insert(table, rows);
        if self.reading.imports("gitlab_pipelines") {
            let pipelines = self.pipelines();
            add("gitlab_pipelines", pipelines.iter().map(|it| pipeline(it)).collect());
            let jobs = pipelines.iter().flat_map(|it| it.jobs.iter().map(|job| self.job(it, job)));
            add("gitlab_jobs", jobs.collect());
        }
        if self.reading.imports("gitlab_deployments") {
            add("gitlab_environments", self.environments().map(environment).collect());
            add("gitlab_deployments", self.deployments().map(|it| self.deployment(it)).collect());
            let readable: BTreeSet<Id> = self.merge_requests.iter().map(|mr| mr.id).collect();
            let links = self.deployments().flat_map(|it| links(it, &readable));
            add("gitlab_deployment_merge_requests", links.collect());
        }
    }

    /// People who are met here and perhaps nowhere else. GraphQL does not tell who started a job.
    pub(super) fn ci_user_ids(&self) -> BTreeSet<Id> {
        let mut ids = BTreeSet::new();
        if self.reading.imports("gitlab_pipelines") {
            for pipeline in self.pipelines() {
                ids.extend(pipeline.user_id);
                ids.extend(pipeline.jobs.iter().filter_map(|job| self.job_user(job)));
            }
        }
        if self.reading.imports("gitlab_deployments") {
            ids.extend(self.deployments().filter_map(|it| it.user_id));
        }
        ids
    }

    /// The projects whose pipelines and jobs the viewer may read.
    fn with_ci(&self) -> BTreeSet<Id> {
        let readable = self.projects.iter().filter(|it| self.world.check_ci(self.viewer, it).is_ok());
        readable.map(|project| project.id).collect()
    }

    fn pipelines(&self) -> Vec<&'a Pipeline> {
        let projects = self.with_ci();
        self.world.ci.pipelines.values().filter(|it| projects.contains(&it.project_id)).collect()
    }

    /// The projects whose environments and deployments the viewer may read.
    fn with_deployments(&self) -> BTreeSet<Id> {
        let readable =
            |it: &&&crate::world::model::Project| self.world.check_deployments(self.viewer, it).is_ok();
        self.projects.iter().filter(readable).map(|project| project.id).collect()
    }

    fn environments(&self) -> impl Iterator<Item = &'a Environment> {
        let projects = self.with_deployments();
        self.world.ci.environments.values().filter(move |it| projects.contains(&it.project_id))
    }

    fn deployments(&self) -> impl Iterator<Item = &'a Deployment> {
        let projects = self.with_deployments();
        self.world.ci.deployments.values().filter(move |it| projects.contains(&it.project_id))
    }

    fn job(&self, pipeline: &Pipeline, job: &Job) -> Row {
        let mut columns = job_state(pipeline, job);
        columns.extend(self.job_surroundings(job));
        columns
    }

    /// Who and what the job has to do with.
    fn job_surroundings(&self, job: &Job) -> Row {
        let runner = job.runner_id.and_then(|id| self.world.ci.runners.get(&id));
        let downstream = self.downstream(job);
        let tags: Vec<&str> = job.tags.iter().map(|tag| &**tag).collect();
        row(json!({
            "user_id": self.job_user(job),
            "runner_id": runner.map(|it| it.id),
            "runner_type": runner.map(|it| it.runner_type.word()),
            "tags": (job.kind == JobKind::Build).then_some(tags),
            "downstream_project_id": downstream.map(|it| it.project_id),
            "downstream_pipeline_id": downstream.map(|it| it.id),
        }))
    }

    fn job_user(&self, job: &Job) -> Option<Id> {
        job.user_id.filter(|_| !self.reading.graphql)
    }

    /// What a bridge triggered. REST tells it to whoever sees the bridge, GraphQL only to those who may read it.
    fn downstream(&self, job: &Job) -> Option<&'a Pipeline> {
        let pipeline = self.world.ci.pipelines.get(&job.downstream_id?)?;
        let project = self.world.projects.get(&pipeline.project_id)?;
        let seen = !self.reading.graphql || self.world.check_ci(self.viewer, project).is_ok();
        seen.then_some(pipeline)
    }

    fn deployment(&self, it: &Deployment) -> Row {
        let job = it.job_id.and_then(|id| self.world.ci.job(id)).map(|(_, job)| job);
        row(json!({
            "project_id": it.project_id,
            "id": it.id,
            "source_id": it.id,
            "iid": it.iid,
            "environment": &*self.world.ci.environments[&it.environment_id].name,
            "environment_id": it.environment_id,
            "status": it.status.word(),
            "ref": &*it.git_ref,
            "sha": it.sha,
            "user_id": it.user_id,
            "job_id": job.map(|job| job.id),
            "created_at": at(it.created_at),
            "updated_at": at(it.updated_at),
            "finished_at": at_or_null(job.and_then(|job| job.finished_at)),
        }))
    }
}

fn pipeline(it: &Pipeline) -> Row {
    let (merge_request_iid, on) = merge_request(it);
    row(json!({
        "project_id": it.project_id,
        "id": it.id,
        "source_id": it.id,
        "iid": it.iid,
        "name": it.name,
        "status": it.status.word(),
        "source": it.source.word(),
        "ref": &*it.git_ref,
        "sha": it.sha,
        "user_id": it.user_id,
        "tag": it.tag,
        "yaml_errors": it.yaml_errors,
        "coverage": it.coverage(),
        "created_at": at(it.created_at),
        "updated_at": at(it.updated_at),
        "started_at": at_or_null(it.started_at),
        "finished_at": at_or_null(it.finished_at),
        "committed_at": at_or_null(it.committed_at),
        "duration_seconds": it.duration,
        "queued_duration_seconds": it.queued_duration(),
        "merge_request_iid": merge_request_iid,
        "merge_request_pipeline_type": on,
    }))
}

/// What the ref alone says about a merge request.
fn merge_request(it: &Pipeline) -> (Option<i64>, Option<&'static str>) {
    let parts = it.git_ref.strip_prefix("refs/merge-requests/").and_then(|rest| rest.split_once('/'));
    let Some((iid, on)) = parts else { return (None, None) };
    let on = match on {
        "head" => Some("detached"),
        "merge" => Some("merged_result"),
        "train" => Some("merge_train"),
        _ => None,
    };
    (iid.parse().ok().filter(|_| on.is_some()), on)
}

/// A job's own columns. GitLab answers times that grow with every reading for what has not ended; here they are null.
fn job_state(pipeline: &Pipeline, it: &Job) -> Row {
    let failed = it.status == CiStatus::Failed;
    let duration = it.finished_at.and_then(|end| it.duration(end));
    let queued = it.started_at.and_then(|start| it.queued_duration(start));
    row(json!({
        "project_id": pipeline.project_id,
        "id": it.id,
        "source_id": it.id,
        "pipeline_id": pipeline.id,
        "name": &*it.name,
        "stage": &*it.stage,
        "kind": it.kind.word(),
        "status": it.status.word(),
        "retried": it.retried,
        "allow_failure": it.allow_failure,
        "failure_reason": it.failure_reason.filter(|_| failed).map(|reason| reason.word()),
        "ref": &*pipeline.git_ref,
        "tag": pipeline.tag,
        "coverage": it.coverage,
        "created_at": at(it.created_at),
        "started_at": at_or_null(it.started_at),
        "finished_at": at_or_null(it.finished_at),
        "erased_at": at_or_null(it.erased_at),
        "duration_seconds": whole(duration),
        "queued_duration_seconds": whole(queued),
    }))
}

fn whole(seconds: Option<f64>) -> Value {
    json!(seconds.map(|seconds| seconds as i64))
}

fn environment(it: &Environment) -> Row {
    row(json!({
        "project_id": it.project_id,
        "id": it.id,
        "source_id": it.id,
        "name": &*it.name,
        "slug": &*it.slug,
        "external_url": it.external_url,
        "state": it.state.word(),
        "tier": it.tier.word(),
        "created_at": at(it.created_at),
        "updated_at": at(it.updated_at),
    }))
}

fn links(it: &Deployment, readable: &BTreeSet<Id>) -> Vec<Row> {
    let link =
        |id: &Id| row(json!({ "project_id": it.project_id, "deployment_id": it.id, "merge_request_id": id }));
    it.merge_request_ids.iter().filter(|id| readable.contains(id)).map(link).collect()
}
