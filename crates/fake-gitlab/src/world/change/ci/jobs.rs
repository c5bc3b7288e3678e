//! The life of a job: enqueued, started, finished, retried, played, erased.

use crate::world::hash::mix;
use crate::world::model::{
    CiStatus, DeploymentStatus, FailureReason, Id, Job, JobKind, Runner, RunnerType, World,
};

/// How a job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOutcome {
    /// It did what it should.
    Success,
    /// It failed for this reason.
    Failed(FailureReason),
    /// Somebody stopped it.
    Canceled,
}

impl World {
    /// A job whose turn has come waits for a runner, or for a person.
    pub(super) fn enqueue(&mut self, job_id: Id) {
        let now = self.ci_tick();
        let job = self.job_mut(job_id);
        if job.manual {
            job.status = CiStatus::Manual;
        } else {
            job.status = CiStatus::Pending;
            job.queued_at = Some(now);
        }
        self.raise_job(job_id);
    }

    pub(super) fn skip_job(&mut self, job_id: Id) {
        self.ci_tick();
        self.job_mut(job_id).status = CiStatus::Skipped;
        self.raise_job(job_id);
        self.follow_job(job_id, DeploymentStatus::Skipped);
    }

    /// A runner takes the job. A bridge needs none, and has no start unless it waits for what it triggers.
    pub fn start_job(&mut self, job_id: Id) {
        let now = self.ci_tick();
        let runner = self.some_runner(job_id);
        let job = self.job_mut(job_id);
        job.status = CiStatus::Running;
        job.queued_at = job.queued_at.or(Some(now));
        job.started_at = Some(now);
        job.runner_id = Some(runner).filter(|_| job.kind == JobKind::Build);
        self.raise_job(job_id);
        self.follow_job(job_id, DeploymentStatus::Running);
        self.refresh_pipeline(self.ci.pipeline_of[&job_id]);
    }

    fn some_runner(&mut self, job_id: Id) -> Id {
        if self.ci.runners.is_empty() {
            let types = [RunnerType::Instance, RunnerType::Instance, RunnerType::Group, RunnerType::Project];
            for (number, runner_type) in types.into_iter().enumerate() {
                self.ci.ids.runner += 7;
                let description = format!("{}-green.runners.example.com/default", number + 1);
                let id = self.ci.ids.runner;
                self.ci.runners.insert(id, Runner { id, description, runner_type });
            }
        }
        let count = self.ci.runners.len() as u64;
        let at = (mix(job_id as u64) % count) as usize;
        self.ci.runners.keys().copied().nth(at).expect("there are runners")
    }

    /// Ends a job. Later stages go on or are skipped, and the pipeline follows.
    pub fn finish_job(&mut self, job_id: Id, outcome: JobOutcome) {
        self.end_job(job_id, outcome);
        let pipeline = self.ci.pipeline_of[&job_id];
        self.process(pipeline);
        self.refresh_pipeline(pipeline);
    }

    pub(super) fn end_job(&mut self, job_id: Id, outcome: JobOutcome) {
        let now = self.ci_tick();
        let job = self.job_mut(job_id);
        job.finished_at = Some(now);
        let (status, deployment) = match outcome {
            JobOutcome::Success => (CiStatus::Success, DeploymentStatus::Success),
            JobOutcome::Failed(_) => (CiStatus::Failed, DeploymentStatus::Failed),
            JobOutcome::Canceled => (CiStatus::Canceled, DeploymentStatus::Canceled),
        };
        job.status = status;
        if let JobOutcome::Failed(reason) = outcome {
            job.failure_reason = Some(reason);
            job.exit_code = (reason == FailureReason::Script).then_some(1);
        }
        self.raise_job(job_id);
        self.follow_job(job_id, deployment);
    }

    /// Runs a job again: a new one with the same name. Jobs that were skipped because of it get another chance.
    pub fn retry_job(&mut self, job_id: Id, by: Id) -> Id {
        let now = self.ci_tick();
        self.ci.ids.job += 1;
        let (id, pipeline_id) = (self.ci.ids.job, self.ci.pipeline_of[&job_id]);
        let old = self.job_mut(job_id);
        old.retried = true;
        let (new, environment) = (again(old, id, by, now), old.deployment_id);
        self.pipeline_mut(pipeline_id).jobs.push(new);
        self.ci.pipeline_of.insert(id, pipeline_id);
        self.raise_job(id);
        if let Some(deployment) = environment.and_then(|id| self.ci.deployments.get(&id)) {
            self.deploy_by(id, deployment.environment_id);
        }
        self.revive_skipped(pipeline_id);
        self.process(pipeline_id);
        self.refresh_pipeline(pipeline_id);
        id
    }

    fn revive_skipped(&mut self, pipeline_id: Id) {
        let skipped =
            self.ci.pipelines[&pipeline_id].latest_jobs().filter(|it| it.status == CiStatus::Skipped);
        for id in skipped.map(|job| job.id).collect::<Vec<Id>>() {
            self.job_mut(id).status = CiStatus::Created;
            self.raise_job(id);
        }
    }

    /// Somebody starts a job that was waiting for a person.
    pub fn play_job(&mut self, job_id: Id, by: Id) {
        let now = self.ci_tick();
        let job = self.job_mut(job_id);
        job.status = CiStatus::Pending;
        job.queued_at = Some(now);
        job.user_id = Some(by);
        self.raise_job(job_id);
        self.refresh_pipeline(self.ci.pipeline_of[&job_id]);
    }

    /// Erases log and artifacts. The pipeline does not move.
    pub fn erase_job(&mut self, job_id: Id) {
        let now = self.ci_tick();
        self.job_mut(job_id).erased_at = Some(now);
    }
}

/// The next attempt of a job.
fn again(old: &Job, id: Id, by: Id, now: crate::world::model::Time) -> Job {
    Job {
        id,
        status: CiStatus::Pending,
        retried: false,
        failure_reason: None,
        exit_code: None,
        user_id: Some(by),
        runner_id: None,
        coverage: None,
        created_at: now,
        queued_at: Some(now),
        started_at: None,
        finished_at: None,
        erased_at: None,
        deployment_id: None,
        downstream_id: None,
        downstream_errors: None,
        ..old.clone()
    }
}
