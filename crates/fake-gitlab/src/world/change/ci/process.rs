//! Which jobs may go on: those whose earlier stages succeeded.

use chrono::TimeDelta;

use super::JobOutcome;
use super::status::composite;
use crate::world::model::{CiStatus, Id, Job, JobKind, World};

impl World {
    /// Starts a pipeline: the jobs of its first stage wait for a runner.
    pub fn begin_pipeline(&mut self, pipeline_id: Id) {
        self.process(pipeline_id);
        self.refresh_pipeline(pipeline_id);
    }

    /// Runs a pipeline to its end; every job that can run succeeds in half a minute.
    pub fn run_pipeline(&mut self, pipeline_id: Id) {
        self.begin_pipeline(pipeline_id);
        let ready = |job: &&Job| !job.retried && matches!(job.status, CiStatus::Pending | CiStatus::Running);
        while let Some(job) = self.ci.pipelines[&pipeline_id].jobs.iter().find(ready) {
            let (job, kind) = (job.id, job.kind);
            self.advance(TimeDelta::seconds(2));
            if kind == JobKind::Build {
                self.start_job(job);
                self.advance(TimeDelta::seconds(30));
            }
            self.finish_job(job, JobOutcome::Success);
        }
    }

    /// Moves the jobs that were waiting for earlier stages.
    pub(super) fn process(&mut self, pipeline_id: Id) {
        let stages = self.stages(pipeline_id);
        for at in 0..stages.len() {
            let pipeline = &self.ci.pipelines[&pipeline_id];
            let before = pipeline.latest_jobs().filter(|job| stages[..at].contains(&job.stage));
            let waiting = pipeline.latest_jobs();
            let waiting = waiting.filter(|job| job.stage == stages[at] && job.status == CiStatus::Created);
            let waiting: Vec<Id> = waiting.map(|job| job.id).collect();
            match composite(before) {
                None | Some(CiStatus::Success | CiStatus::Skipped) => {
                    waiting.into_iter().for_each(|job| self.enqueue(job));
                }
                Some(CiStatus::Failed | CiStatus::Canceled) => {
                    waiting.into_iter().for_each(|job| self.skip_job(job));
                }
                Some(_) => return,
            }
        }
    }

    fn stages(&self, pipeline_id: Id) -> Vec<std::sync::Arc<str>> {
        let mut stages = Vec::new();
        for job in &self.ci.pipelines[&pipeline_id].jobs {
            if !stages.contains(&job.stage) {
                stages.push(job.stage.clone());
            }
        }
        stages
    }
}
