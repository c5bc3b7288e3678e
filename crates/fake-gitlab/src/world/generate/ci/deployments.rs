//! Environments of a project, and what is deployed to them.

use chrono::TimeDelta;
use rand::RngExt;

use super::CiMaker;
use crate::world::change::{JobOutcome, NewJob, NewPipeline};
use crate::world::model::{EnvironmentState, FailureReason, Id, Tier};

const ENVIRONMENTS: &[(&str, Tier)] = &[
    ("production", Tier::Production),
    ("staging", Tier::Staging),
    ("review/Feature-1", Tier::Development),
    ("qa", Tier::Testing),
];

impl CiMaker<'_> {
    /// Makes the environments a project has from its beginning: the same names in every project.
    pub(super) fn environments(&mut self, project_id: Id) -> Vec<Id> {
        self.world.now = self.world.projects[&project_id].created_at + TimeDelta::hours(1);
        let wanted = (0..self.scale.environments_per_project).map(|number| {
            let (name, tier) = ENVIRONMENTS[number % ENVIRONMENTS.len()];
            let round = number / ENVIRONMENTS.len();
            (if round == 0 { name.to_owned() } else { format!("{name}-{round}") }, tier)
        });
        let wanted: Vec<(String, Tier)> = wanted.collect();
        let make = |(name, tier): (String, Tier)| {
            let url = (tier == Tier::Production).then(|| format!("https://{project_id}.example.com"));
            self.world.create_environment(project_id, &name, tier, url.as_deref())
        };
        wanted.into_iter().map(make).collect()
    }

    /// Deploys to each environment in turn, all through the project's life.
    pub(super) fn deployments(&mut self, environments: &[Id]) {
        let Some(first) = environments.first() else { return };
        let project_id = self.world.ci.environments[first].project_id;
        for (number, at) in
            self.moments(project_id, self.scale.deployments_per_project).into_iter().enumerate()
        {
            self.world.now = at;
            self.deploy(project_id, environments[number % environments.len()]);
        }
        if let Some(review) = environments.get(2) {
            self.world.set_environment_state(*review, EnvironmentState::Stopped);
        }
    }

    fn deploy(&mut self, project_id: Id, environment: Id) {
        let user = self.someone();
        let pipeline = self.world.create_pipeline(NewPipeline::push(project_id, user, "main"));
        let name = format!("deploy to {}", self.world.ci.environments[&environment].name);
        let job = NewJob { environment_id: Some(environment), ..NewJob::build("deploy", &name) };
        let job = self.world.add_job(pipeline, &job);
        self.world.begin_pipeline(pipeline);
        let queued = self.seconds(1, 9);
        self.world.advance(queued);
        self.world.start_job(job);
        let ran = self.seconds(20, 200);
        self.world.advance(ran);
        let failed = self.rng.random_bool(0.2);
        let outcome = if failed { JobOutcome::Failed(FailureReason::Script) } else { JobOutcome::Success };
        self.world.finish_job(job, outcome);
    }
}
