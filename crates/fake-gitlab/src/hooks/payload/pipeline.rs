//! Pipelines with their jobs.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::parts::{utc, utc_or_null};
use super::{Message, Scene};
use crate::hooks::Trigger;
use crate::rest::entities::ci::pipeline::wording;
use crate::rest::entities::merge_request::{merge_status, state};
use crate::world::model::{CiStatus, Job, JobKind, MergeRequest, Pipeline, Project, RunnerType};

impl Scene<'_> {
    /// What is told of a pipeline.
    pub(super) fn pipeline(&self, pipeline: &Pipeline) -> Option<Message> {
        let project = self.world.projects.get(&pipeline.project_id)?;
        let builds = pipeline.latest_jobs().filter(|job| job.kind == JobKind::Build);
        let mut body = json!({
            "object_kind": "pipeline",
            "object_attributes": self.pipeline_attributes(project, pipeline),
            "merge_request": self.merge_request_of(pipeline).map(|mr| self.short_merge_request(project, mr)),
            "user": self.user(pipeline.user_id),
            "project": self.short_project(project),
            "commit": self.commit_of(project, pipeline),
            "builds": builds.map(|job| self.build(job)).collect::<Vec<Value>>(),
        });
        if let Some(source) = self.source_pipeline(pipeline) {
            body["source_pipeline"] = source;
        }
        Some(Message::new(Trigger::Pipeline, self.places(project.id)?, body))
    }

    fn pipeline_attributes(&self, project: &Project, pipeline: &Pipeline) -> Value {
        let (_, label, _) = wording(pipeline);
        let mut stages: Vec<&str> = Vec::new();
        for job in &pipeline.jobs {
            if !stages.contains(&&*job.stage) {
                stages.push(&job.stage);
            }
        }
        json!({
            "id": pipeline.id,
            "iid": pipeline.iid,
            "name": pipeline.name,
            "ref": self.source_ref(pipeline),
            "tag": pipeline.tag,
            "sha": pipeline.sha,
            "before_sha": pipeline.before_sha,
            "source": pipeline.source.word(),
            "status": pipeline.status.word(),
            "detailed_status": label,
            "stages": stages,
            "created_at": utc(pipeline.created_at),
            "finished_at": utc_or_null(pipeline.finished_at),
            "duration": pipeline.duration,
            "queued_duration": pipeline.queued_duration(),
            "variables": [],
            "url": format!("{}/-/pipelines/{}", self.project_url(project), pipeline.id),
        })
    }

    /// The branch; of a pipeline for a merge request, the one that is to be merged.
    pub(super) fn source_ref(&self, pipeline: &Pipeline) -> String {
        self.merge_request_of(pipeline)
            .map_or_else(|| pipeline.git_ref.to_string(), |mr| mr.source_branch.clone())
    }

    fn merge_request_of(&self, pipeline: &Pipeline) -> Option<&MergeRequest> {
        let rest = pipeline.git_ref.strip_prefix("refs/merge-requests/")?;
        let iid: i64 = rest.split('/').next()?.parse().ok()?;
        let of_it = |mr: &&MergeRequest| mr.project_id == pipeline.project_id && mr.iid == iid;
        self.world.merge_requests.values().find(of_it)
    }

    fn short_merge_request(&self, project: &Project, mr: &MergeRequest) -> Value {
        let (status, detailed) = merge_status(mr);
        json!({
            "id": mr.id,
            "iid": mr.iid,
            "title": mr.title,
            "source_branch": mr.source_branch,
            "source_project_id": mr.source_project_id,
            "target_branch": mr.target_branch,
            "target_project_id": mr.project_id,
            "state": state(mr.state),
            "merge_status": status,
            "detailed_merge_status": detailed,
            "url": format!("{}/-/merge_requests/{}", self.project_url(project), mr.iid),
        })
    }

    /// The commit a pipeline runs on; the world need not know it.
    pub(super) fn commit_of(&self, project: &Project, pipeline: &Pipeline) -> Value {
        let known = self.world.repositories.get(&project.id).and_then(|it| it.get(&pipeline.sha));
        if let Some(commit) = known {
            return self.commit(project, commit);
        }
        let title = format!("Change {}", &pipeline.sha[..8]);
        json!({
            "id": pipeline.sha,
            "message": format!("{title}\n"),
            "title": title,
            "timestamp": pipeline.created_at.to_rfc3339_opts(SecondsFormat::Secs, false),
            "url": format!("{}/-/commit/{}", self.project_url(project), pipeline.sha),
            "author": { "name": "Somebody", "email": "somebody@example.com" },
        })
    }

    fn build(&self, job: &Job) -> Value {
        let mut body = json!({
            "id": job.id,
            "stage": &*job.stage,
            "name": &*job.name,
            "status": job.status.word(),
            "created_at": utc(job.created_at),
            "started_at": utc_or_null(job.started_at),
            "finished_at": utc_or_null(job.finished_at),
            "duration": job.duration(self.at),
            "queued_duration": job.queued_duration(self.at),
            "when": if job.manual { "manual" } else { "on_success" },
            "manual": job.manual,
            "allow_failure": job.allow_failure,
            "user": self.user(job.user_id),
            "runner": self.runner(job),
            "artifacts_file": { "filename": null, "size": null },
            "environment": self.environment(job),
        });
        if let Some(reason) = job.failure_reason.filter(|_| job.status == CiStatus::Failed) {
            body["failure_reason"] = json!(reason.word());
        }
        body
    }

    pub(super) fn runner(&self, job: &Job) -> Value {
        let Some(runner) = job.runner_id.and_then(|id| self.world.ci.runners.get(&id)) else {
            return Value::Null;
        };
        json!({
            "id": runner.id,
            "description": runner.description,
            "runner_type": runner.runner_type.word(),
            "active": true,
            "is_shared": runner.runner_type == RunnerType::Instance,
            "tags": job.tags.iter().map(|tag| &**tag).collect::<Vec<&str>>(),
        })
    }

    pub(super) fn environment(&self, job: &Job) -> Value {
        let deployment = job.deployment_id.and_then(|id| self.world.ci.deployments.get(&id));
        let environment = deployment.and_then(|it| self.world.ci.environments.get(&it.environment_id));
        let body =
            |name: &str, tier: &str| json!({ "name": name, "action": "start", "deployment_tier": tier });
        environment.map_or(Value::Null, |it| body(&it.name, it.tier.word()))
    }

    pub(super) fn source_pipeline(&self, pipeline: &Pipeline) -> Option<Value> {
        let upstream = self.world.ci.upstream(pipeline)?;
        let project = self.world.projects.get(&upstream.project_id)?;
        Some(json!({
            "project": {
                "id": project.id,
                "web_url": self.project_url(project),
                "path_with_namespace": self.world.project_full_path(project),
            },
            "pipeline_id": upstream.id,
            "job_id": pipeline.source_job_id,
        }))
    }
}
