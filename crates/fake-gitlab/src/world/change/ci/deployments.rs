//! Deployments: made by a job or by the API, moved from state to state, deleted.

use std::collections::BTreeSet;

use crate::world::event::Happening;
use crate::world::hash::{hex40, kind};
use crate::world::model::{Deployment, DeploymentStatus, EnvironmentState, Id, MergeRequestState, World};

/// A deployment to be made by the API.
#[derive(Debug, Clone)]
pub struct NewDeployment<'a> {
    /// Where to.
    pub environment_id: Id,
    /// What is deployed.
    pub git_ref: &'a str,
    /// Who does it.
    pub user_id: Option<Id>,
}

impl World {
    /// Makes a deployment without a job, in the state `created`.
    pub fn create_deployment(&mut self, new: &NewDeployment<'_>) -> Id {
        let now = self.ci_tick();
        let project_id = self.ci.environments[&new.environment_id].project_id;
        self.ci.ids.deployment += 1 + (self.ci.ids.ticks % 4) as i64;
        let id = self.ci.ids.deployment;
        let numbers = self.ci.ids.numbers.entry(project_id).or_default();
        numbers.1 += 1;
        let iid = numbers.1;
        let deployment = Deployment {
            id,
            iid,
            project_id,
            environment_id: new.environment_id,
            status: DeploymentStatus::Created,
            git_ref: self.ci.share(new.git_ref),
            tag: false,
            sha: hex40(kind::PIPELINE, id as u64),
            user_id: new.user_id,
            job_id: None,
            created_at: now,
            updated_at: now,
            finished_at: None,
            merge_request_ids: Vec::new(),
        };
        self.ci.deployments.insert(id, deployment);
        id
    }

    /// Makes the deployment of a job.
    pub(super) fn deploy_by(&mut self, job_id: Id, environment_id: Id) {
        let (pipeline, job) = self.ci.job(job_id).expect("the job exists");
        let (git_ref, tag, sha, user_id) =
            (pipeline.git_ref.clone(), pipeline.tag, pipeline.sha.clone(), job.user_id);
        let id = self.create_deployment(&NewDeployment { environment_id, git_ref: &git_ref, user_id });
        let deployment = self.ci.deployments.get_mut(&id).expect("it was just made");
        (deployment.tag, deployment.sha, deployment.job_id) = (tag, sha, Some(job_id));
        self.job_mut(job_id).deployment_id = Some(id);
    }

    /// What a job's state means for its deployment.
    pub(super) fn follow_job(&mut self, job_id: Id, status: DeploymentStatus) {
        if let Some(deployment) = self.ci.job(job_id).and_then(|(_, job)| job.deployment_id) {
            self.move_deployment(deployment, status);
        }
    }

    /// Moves a deployment to another state. A success brings the merge requests that were merged since the last one,
    /// and takes a stopped environment back into use.
    pub fn move_deployment(&mut self, id: Id, status: DeploymentStatus) {
        let now = self.ci_tick();
        let Some(deployment) = self.ci.deployments.get_mut(&id) else { return };
        deployment.status = status;
        deployment.updated_at = now;
        if status.is_finished() {
            deployment.finished_at = Some(now);
        }
        if status == DeploymentStatus::Success {
            let environment = deployment.environment_id;
            let merge_requests = self.unshipped(environment);
            if let Some(deployment) = self.ci.deployments.get_mut(&id) {
                deployment.merge_request_ids = merge_requests;
            }
            if self.ci.environments[&environment].state != EnvironmentState::Available {
                self.set_environment_state(environment, EnvironmentState::Available);
            }
        }
        if status.is_told() {
            self.raise(|world| Happening::Deployment(Box::new(world.ci.deployments[&id].clone())));
        }
    }

    /// Merge requests that were merged but are in no deployment to this environment.
    fn unshipped(&self, environment_id: Id) -> Vec<Id> {
        let project_id = self.ci.environments[&environment_id].project_id;
        let earlier = self.ci.deployments.values().filter(|it| it.environment_id == environment_id);
        let shipped: BTreeSet<Id> = earlier.flat_map(|it| it.merge_request_ids.iter().copied()).collect();
        let merged = self.merge_requests.values().filter(|mr| {
            mr.project_id == project_id
                && mr.state == MergeRequestState::Merged
                && mr.merged_at.is_some_and(|at| at <= self.now)
        });
        merged.map(|mr| mr.id).filter(|id| !shipped.contains(id)).collect()
    }

    /// Deletes a deployment, without a trace.
    pub fn delete_deployment(&mut self, id: Id) {
        self.ci.deployments.remove(&id);
    }
}
