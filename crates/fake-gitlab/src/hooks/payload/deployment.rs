//! Deployments.

use serde_json::json;

use super::{Message, Scene};
use crate::hooks::Trigger;
use crate::world::model::Deployment;

impl Scene<'_> {
    /// What is told of a deployment.
    pub(super) fn deployment(&self, deployment: &Deployment) -> Option<Message> {
        let project = self.world.projects.get(&deployment.project_id)?;
        let environment = self.world.ci.environments.get(&deployment.environment_id)?;
        let url = self.project_url(project);
        let user = deployment.user_id.and_then(|id| self.world.users.get(&id));
        let body = json!({
            "object_kind": "deployment",
            "status": deployment.status.word(),
            "status_changed_at": self.at.format("%Y-%m-%d %H:%M:%S +0000").to_string(),
            "deployment_id": deployment.id,
            "deployable_id": deployment.job_id,
            "deployable_url": deployment.job_id.map(|id| format!("{url}/-/jobs/{id}")),
            "environment": &*environment.name,
            "environment_tier": environment.tier.word(),
            "environment_slug": &*environment.slug,
            "environment_external_url": environment.external_url,
            "project": self.project(project),
            "short_sha": &deployment.sha[..8],
            "user": self.user(deployment.user_id),
            "user_url": user.map(|it| format!("{}/{}", self.world.url, it.username)),
            "commit_url": format!("{url}/-/commit/{}", deployment.sha),
            "commit_title": format!("Change {}", &deployment.sha[..8]),
            "ref": &*deployment.git_ref,
        });
        Some(Message::new(Trigger::Deployment, self.places(project.id)?, body))
    }
}
