//! Pipelines: made in every way, cancelled, deleted.

use crate::world::hash::{hex40, kind};
use crate::world::model::{CiStatus, Id, Job, JobKind, NO_SHA, Pipeline, PipelineSource, World};

/// A pipeline to be made. It has no jobs yet.
#[derive(Debug, Clone)]
pub struct NewPipeline {
    /// Where it runs.
    pub project_id: Id,
    /// What makes it.
    pub source: PipelineSource,
    /// A branch, a tag, or a ref of a merge request.
    pub git_ref: String,
    /// Whether the ref is a tag.
    pub tag: bool,
    /// Who makes it; none for an account that was deleted.
    pub user_id: Option<Id>,
    /// The commit; one of its own where none is given.
    pub sha: Option<String>,
}

impl NewPipeline {
    /// After a push to a branch.
    pub fn push(project_id: Id, user_id: Id, branch: &str) -> Self {
        let (source, git_ref) = (PipelineSource::Push, branch.to_owned());
        Self { project_id, source, git_ref, tag: false, user_id: Some(user_id), sha: None }
    }

    /// After a push of a tag.
    pub fn tag(project_id: Id, user_id: Id, tag: &str) -> Self {
        Self { tag: true, ..Self::push(project_id, user_id, tag) }
    }

    /// For a merge request; `on` is `head` (detached), `merge` (merged result) or `train`.
    pub fn merge_request(project_id: Id, user_id: Id, iid: i64, on: &str) -> Self {
        let source = PipelineSource::MergeRequestEvent;
        Self { source, ..Self::push(project_id, user_id, &format!("refs/merge-requests/{iid}/{on}")) }
    }
}

/// A job to be put into a pipeline.
#[derive(Debug, Clone)]
pub struct NewJob<'a> {
    /// Its name, such as `rspec 1/3`.
    pub name: &'a str,
    /// Its stage; stages run in the order in which they first appear.
    pub stage: &'a str,
    /// Whether it runs or triggers.
    pub kind: JobKind,
    /// Whether its failure is only a warning.
    pub allow_failure: bool,
    /// Whether it waits for a person.
    pub manual: bool,
    /// Tags a runner must have.
    pub tags: &'a [&'a str],
    /// The environment it deploys to.
    pub environment_id: Option<Id>,
}

impl<'a> NewJob<'a> {
    /// An ordinary job.
    pub fn build(stage: &'a str, name: &'a str) -> Self {
        let kind = JobKind::Build;
        Self { name, stage, kind, allow_failure: false, manual: false, tags: &[], environment_id: None }
    }

    /// A trigger job.
    pub fn bridge(stage: &'a str, name: &'a str) -> Self {
        Self { kind: JobKind::Bridge, ..Self::build(stage, name) }
    }
}

impl World {
    /// Makes a pipeline without jobs, in the state `created`.
    pub fn create_pipeline(&mut self, new: NewPipeline) -> Id {
        let now = self.ci_tick();
        self.ci.ids.pipeline += 1 + (self.ci.ids.ticks % 3) as i64;
        let id = self.ci.ids.pipeline;
        let numbers = self.ci.ids.numbers.entry(new.project_id).or_default();
        numbers.0 += 1;
        let iid = numbers.0;
        let by_push = new.source == PipelineSource::Push && !new.tag;
        let pipeline = Pipeline {
            id,
            iid,
            project_id: new.project_id,
            name: None,
            status: CiStatus::Created,
            source: new.source,
            git_ref: self.ci.share(&new.git_ref),
            tag: new.tag,
            sha: new.sha.unwrap_or_else(|| hex40(kind::PIPELINE, id as u64)),
            before_sha: if by_push { hex40(kind::PIPELINE, id as u64 - 1) } else { NO_SHA.to_owned() },
            user_id: new.user_id,
            yaml_errors: None,
            created_at: now,
            updated_at: now,
            started_at: None,
            finished_at: None,
            committed_at: None,
            duration: None,
            source_job_id: None,
            jobs: Vec::new(),
        };
        self.ci.pipelines.insert(id, pipeline);
        id
    }

    /// Makes a pipeline whose configuration GitLab cannot use: it fails at once, without a job and without a start.
    pub fn create_invalid_pipeline(&mut self, new: NewPipeline, errors: &str) -> Id {
        let id = self.create_pipeline(new);
        self.pipeline_mut(id).yaml_errors = Some(errors.to_owned());
        self.refresh_pipeline(id);
        id
    }

    /// Puts a job into a pipeline; it waits there until [`World::begin_pipeline`].
    pub fn add_job(&mut self, pipeline_id: Id, new: &NewJob<'_>) -> Id {
        let now = self.ci_tick();
        self.ci.ids.job += 1;
        let id = self.ci.ids.job;
        let mut tags: Vec<_> = new.tags.iter().map(|tag| self.ci.share(tag)).collect();
        tags.sort();
        let (name, stage) = (self.ci.share(new.name), self.ci.share(new.stage));
        let pipeline = self.pipeline_mut(pipeline_id);
        pipeline.jobs.push(Job {
            id,
            kind: new.kind,
            name,
            stage,
            status: CiStatus::Created,
            retried: false,
            allow_failure: new.allow_failure,
            manual: new.manual,
            failure_reason: None,
            exit_code: None,
            user_id: pipeline.user_id,
            runner_id: None,
            tags: tags.into(),
            coverage: None,
            created_at: now,
            queued_at: None,
            started_at: None,
            finished_at: None,
            erased_at: None,
            deployment_id: None,
            downstream_id: None,
            downstream_errors: None,
        });
        self.ci.pipeline_of.insert(id, pipeline_id);
        if let Some(environment) = new.environment_id {
            self.deploy_by(id, environment);
        }
        self.raise_job(id);
        id
    }

    /// Cancels whatever has not ended.
    pub fn cancel_pipeline(&mut self, pipeline_id: Id) {
        let open = |job: &&Job| !job.retried && !job.status.is_complete();
        let jobs: Vec<Id> =
            self.ci.pipelines[&pipeline_id].jobs.iter().filter(open).map(|job| job.id).collect();
        for job in jobs {
            self.end_job(job, super::JobOutcome::Canceled);
        }
        self.refresh_pipeline(pipeline_id);
    }

    /// Deletes a pipeline with its jobs, without a trace. Pipelines it triggered stay.
    pub fn delete_pipeline(&mut self, pipeline_id: Id) {
        let Some(pipeline) = self.ci.pipelines.remove(&pipeline_id) else { return };
        for job in pipeline.jobs {
            self.ci.pipeline_of.remove(&job.id);
        }
    }
}
