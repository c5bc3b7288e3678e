//! Jobs.

use serde_json::{Value, json};

use super::parts::{namespace_name, utc, utc_or_null};
use super::{Message, Scene};
use crate::hooks::Trigger;
use crate::world::model::{Id, Job, Pipeline, Project};

impl Scene<'_> {
    /// What is told of a job: GitLab calls it a build.
    pub(super) fn job(&self, pipeline: &Pipeline, job_id: Id) -> Option<Message> {
        let project = self.world.projects.get(&pipeline.project_id)?;
        let job = pipeline.job(job_id)?;
        let earlier = pipeline.jobs.iter().filter(|it| it.name == job.name && it.id < job.id).count();
        let mut body = self.build_columns(pipeline, job);
        let more = json!({
            "object_kind": "build",
            "ref": self.source_ref(pipeline),
            "tag": pipeline.tag,
            "before_sha": pipeline.before_sha,
            "sha": pipeline.sha,
            "retries_count": earlier,
            "project_id": project.id,
            "project_name":
                format!("{} / {}", namespace_name(self.world, project.namespace), project.name),
            "user": self.user(job.user_id),
            "commit": self.commit_of_job(project, pipeline),
            "repository": self.long_repository(project),
            "project": self.short_project(project),
            "runner": self.runner(job),
            "environment": self.environment(job),
        });
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        if let Some(source) = self.source_pipeline(pipeline) {
            body["source_pipeline"] = source;
        }
        Some(Message::new(Trigger::Job, self.places(project.id)?, body))
    }

    fn build_columns(&self, pipeline: &Pipeline, job: &Job) -> Value {
        json!({
            "build_id": job.id,
            "build_name": &*job.name,
            "build_stage": &*job.stage,
            "build_status": job.status.word(),
            "build_created_at": utc(job.created_at),
            "build_started_at": utc_or_null(job.started_at),
            "build_finished_at": utc_or_null(job.finished_at),
            "build_duration": job.duration(self.at),
            "build_queued_duration": job.queued_duration(self.at),
            "build_allow_failure": job.allow_failure,
            "build_failure_reason": job.failure_reason.map_or("unknown_failure", |it| it.word()),
            "pipeline_id": pipeline.id,
        })
    }

    /// The commit of a job has the number of the pipeline.
    fn commit_of_job(&self, project: &Project, pipeline: &Pipeline) -> Value {
        let commit = self.commit_of(project, pipeline);
        json!({
            "id": pipeline.id,
            "name": pipeline.name,
            "sha": pipeline.sha,
            "message": commit["message"],
            "author_name": commit["author"]["name"],
            "author_email": commit["author"]["email"],
            "author_url": format!("mailto:{}", commit["author"]["email"].as_str().unwrap_or_default()),
            "status": pipeline.status.word(),
            "duration": pipeline.duration,
            "started_at": utc_or_null(pipeline.started_at),
            "finished_at": utc_or_null(pipeline.finished_at),
        })
    }
}
