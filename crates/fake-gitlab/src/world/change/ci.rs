//! What happens in CI/CD, with GitLab's habits: a pipeline's status follows from its jobs, and only a change of that
//! status moves its `updated_at`; an erased job and a deleted pipeline leave no trace.

mod bridges;
mod deployments;
mod environments;
mod jobs;
mod pipelines;
mod process;
mod status;

pub use deployments::NewDeployment;
pub use jobs::JobOutcome;
pub use pipelines::{NewJob, NewPipeline};

use chrono::TimeDelta;

use crate::world::event::Happening;
use crate::world::hash::mix;
use crate::world::model::{Id, Job, JobKind, Pipeline, Time, World};

impl World {
    /// A moment a few milliseconds later. It counts apart from [`World::tick`], so that a seed gives the same merge
    /// requests with CI and without.
    fn ci_tick(&mut self) -> Time {
        self.ci.ids.ticks += 1;
        self.now += TimeDelta::microseconds(1_000 + (mix(self.ci.ids.ticks ^ 0xC1) % 8_000) as i64);
        self.now
    }

    pub(crate) fn pipeline_mut(&mut self, id: Id) -> &mut Pipeline {
        self.ci.pipelines.get_mut(&id).expect("the pipeline exists")
    }

    pub(crate) fn job_mut(&mut self, id: Id) -> &mut Job {
        let pipeline = self.ci.pipeline_of[&id];
        let jobs = &mut self.pipeline_mut(pipeline).jobs;
        let at = jobs.binary_search_by_key(&id, |job| job.id).expect("the job is in its pipeline");
        &mut jobs[at]
    }

    /// Switches CI/CD of a project: disabled, private or enabled. What is there stays, out of everybody's sight.
    pub fn set_builds_access(&mut self, project_id: Id, level: &str) {
        let now = self.ci_tick();
        let before = self.projects[&project_id].clone();
        let path = self.project_full_path(&before);
        let project = self.projects.get_mut(&project_id).expect("the project exists");
        project.builds_access_level = level.to_owned();
        project.updated_at = now;
        self.raise_project(project_id, &before, path);
    }

    /// Tells that a job's status changed. Bridges are not told.
    fn raise_job(&mut self, job_id: Id) {
        if self.events.listening && self.job_mut(job_id).kind == JobKind::Build {
            self.raise(|world| {
                let pipeline = &world.ci.pipelines[&world.ci.pipeline_of[&job_id]];
                Happening::Job { pipeline: Box::new(pipeline.clone()), job_id }
            });
        }
    }

    /// Takes away what a deleted project had.
    pub(super) fn forget_ci(&mut self, project_id: Id) {
        let ci = &mut self.ci;
        ci.pipelines.retain(|_, it| it.project_id != project_id);
        ci.pipeline_of.retain(|_, pipeline| ci.pipelines.contains_key(pipeline));
        ci.environments.retain(|_, it| it.project_id != project_id);
        ci.deployments.retain(|_, it| it.project_id != project_id);
        ci.environments_access.remove(&project_id);
    }
}
