//! One row for every word GitLab has: sources of pipelines, states of what is open, states of deployments.

use chrono::TimeDelta;

use super::CiMaker;
use crate::world::change::{NewDeployment, NewJob, NewPipeline};
use crate::world::model::{CiStatus, DeploymentStatus, Id, PipelineSource, Tier};

impl CiMaker<'_> {
    /// One of each source but the triggered ones, and one for each ref a merge request has.
    pub(super) fn of_every_source(&mut self, project_id: Id) {
        self.world.now = self.end - TimeDelta::days(150);
        let triggered = [PipelineSource::ParentPipeline, PipelineSource::Pipeline, PipelineSource::Unknown];
        let user = self.someone();
        for source in PipelineSource::ALL.iter().copied().filter(|it| !triggered.contains(it)) {
            self.world.advance(TimeDelta::hours(3));
            let new = match source {
                PipelineSource::MergeRequestEvent => NewPipeline::merge_request(project_id, user, 3, "head"),
                _ => NewPipeline { source, ..NewPipeline::push(project_id, user, "main") },
            };
            self.short(new);
        }
        for on in ["merge", "train"] {
            self.short(NewPipeline::merge_request(project_id, user, 3, on));
        }
    }

    fn short(&mut self, new: NewPipeline) {
        let pipeline = self.world.create_pipeline(new);
        self.job(pipeline, "rspec");
        self.world.run_pipeline(pipeline);
    }

    /// Every status by the API, without a job; and one whose job was deleted.
    pub(super) fn odd_deployments(&mut self, project_id: Id) {
        self.world.now = self.end - TimeDelta::days(90);
        let environment_id = self.world.create_environment(project_id, "Ümlaut & more/x", Tier::Other, None);
        for status in DeploymentStatus::ALL {
            self.world.advance(TimeDelta::hours(7));
            let user_id = (*status != DeploymentStatus::Skipped).then(|| self.someone());
            let new = NewDeployment { environment_id, git_ref: "main", user_id };
            let deployment = self.world.create_deployment(&new);
            self.world.advance(TimeDelta::minutes(3));
            if *status != DeploymentStatus::Created {
                self.world.move_deployment(deployment, *status);
            }
        }
        let pipeline = self.odd(project_id);
        let job = NewJob { environment_id: Some(environment_id), ..NewJob::build("deploy", "ship") };
        self.world.add_job(pipeline, &job);
        self.world.run_pipeline(pipeline);
        self.world.delete_pipeline(pipeline);
    }

    /// Unfinished in every way there is. They come last: most are not a day old.
    pub(super) fn of_every_open_status(&mut self, project_id: Id) {
        let open = CiStatus::ALL.iter().copied().filter(|status| !status.is_complete());
        for (number, status) in open.enumerate() {
            self.world.now = self.end - TimeDelta::hours(20 - number as i64);
            let pipeline = self.odd(project_id);
            let job = self.job(pipeline, "rspec");
            self.world.add_job(pipeline, &NewJob::build("later", "deploy"));
            if status != CiStatus::Created {
                self.world.begin_pipeline(pipeline);
            }
            if matches!(status, CiStatus::Running | CiStatus::Canceling) {
                self.world.start_job(job);
            }
            self.world.job_mut(job).status = status;
            self.world.refresh_pipeline(pipeline);
        }
    }
}
