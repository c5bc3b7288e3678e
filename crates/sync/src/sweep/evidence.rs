//! What has to be shown before something is marked as deleted.

use gitlab_client::{ErrorKind, Request};
use serde::Deserialize;

use crate::engine::Engine;
use crate::users;

/// From this level on a member sees everything that work is planned with, confidential or not.
const REPORTER: i64 = 20;

#[derive(Deserialize)]
struct Project {
    permissions: Option<Permissions>,
}

#[derive(Deserialize)]
struct Permissions {
    project_access: Option<Access>,
    group_access: Option<Access>,
}

#[derive(Deserialize)]
struct Access {
    access_level: i64,
}

/// Whether GitLab denies that there is such a thing, asked for it alone: to every user whose tokens there are. Anything
/// but a plain denial proves nothing.
pub(super) async fn denied(engine: &Engine, request: Request) -> bool {
    match engine.client.with_any_credential().get(&request).await {
        Ok(_) => false,
        Err(error) => matches!(error.kind, ErrorKind::NotFound),
    }
}

/// Whether the token's role shows everything in a project (GitLab's id): to a lower one, what was made confidential looks
/// as if it were deleted.
pub(super) async fn sees_everything(engine: &Engine, project: i64) -> bool {
    let Ok(answer) = engine.client.get(&Request::new("projects/{project}").value(project)).await else {
        return false;
    };
    let found: Option<Project> = serde_json::from_slice(&answer.body).ok();
    let permissions = found.and_then(|it| it.permissions);
    let levels = permissions.into_iter().flat_map(|it| [it.project_access, it.group_access]);
    let level = levels.flatten().map(|it| it.access_level).max().unwrap_or_default();
    level >= REPORTER || users::sees_all(engine).await.is_ok_and(|it| it == Some(answer.credential))
}
