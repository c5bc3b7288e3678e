//! Deployments.

use serde_json::{Value, json};

use super::environment;
use super::job::{JobView, Scene};
use crate::rest::Ask;
use crate::rest::entities::Millis;
use crate::rest::entities::user::UserBasic;
use crate::world::model::Deployment;

/// A deployment, in lists and alone. `finished_at` is not shown; that of its job is.
pub fn deployment(ask: &Ask<'_>, it: &Deployment) -> Value {
    let mut body = without_environment(ask, it);
    body["environment"] = environment::basic(&ask.world.ci.environments[&it.environment_id]);
    body
}

/// A deployment inside its environment.
pub fn without_environment(ask: &Ask<'_>, it: &Deployment) -> Value {
    let job = it.job_id.and_then(|id| ask.world.ci.job(id));
    json!({
        "id": it.id,
        "iid": it.iid,
        "ref": &*it.git_ref,
        "sha": it.sha,
        "created_at": Millis(it.created_at),
        "updated_at": Millis(it.updated_at),
        "user": it.user_id.and_then(|id| UserBasic::of(ask.world, id)),
        "deployable": job.map(|(pipeline, job)| JobView::of(&Scene::of(ask, pipeline), job)),
        "status": it.status.word(),
    })
}
