//! Environments of a project.

use serde_json::{Value, json};

use super::NOT_FOUND;
use crate::rest::entities::ci::deployment::without_environment;
use crate::rest::entities::ci::environment::environment;
use crate::rest::entities::project;
use crate::rest::params::{Declared, given, path};
use crate::rest::{Answer, Ask, Problem, Reply};
use crate::world::model::{DeploymentStatus, Environment, EnvironmentState, Id};

const LIST: &[Declared] = &[path("id", "id"), given("name"), given("search"), given("states")];

/// The shortest text `search` takes.
const SHORTEST_SEARCH: usize = 3;

/// `GET /projects/:id/environments`
pub fn list(ask: &Ask<'_>) -> Answer {
    let project = ask.project_with_deployments()?;
    let (name, search) = (ask.query.get("name"), ask.query.get("search"));
    if name.is_some() && search.is_some() {
        return Err(Problem::BadRequest("name, search cannot be used together".to_owned()));
    }
    if search.is_some_and(|text| text.chars().count() < SHORTEST_SEARCH) {
        return Err(Problem::Contradiction("Search query is less than 3 characters"));
    }
    let invalid = || Problem::BadRequest("states does not have a valid value".to_owned());
    let state = ask.query.get("states").map(|word| EnvironmentState::of(word).ok_or_else(invalid));
    let state = state.transpose()?;
    let environments = ask.index.ci.project(project.id).environments.iter();
    let mut rows: Vec<&Environment> = environments.map(|id| &ask.world.ci.environments[id]).collect();
    rows.retain(|it| {
        name.is_none_or(|name| *it.name == *name)
            && search.is_none_or(|text| it.name.to_lowercase().contains(&text.to_lowercase()))
            && state.is_none_or(|state| it.state == state)
    });
    let project = project::basic(ask, project);
    ask.paged(LIST, ask.page(rows.len())?, &rows, |it| with_project(it, &project))
}

fn with_project(it: &Environment, project: &Value) -> Value {
    let mut body = environment(it);
    body["project"] = project.clone();
    body
}

/// `GET /projects/:id/environments/:environment_id`, with its last deployment instead of its project.
pub fn show(ask: &Ask<'_>) -> Answer {
    let project = ask.project_with_deployments()?;
    let id = ask.part("environment_id").parse().ok();
    let found = id.and_then(|id: Id| ask.world.ci.environments.get(&id));
    let found = found.filter(|it| it.project_id == project.id).ok_or(NOT_FOUND)?;
    let deployments = ask.index.ci.project(project.id).deployments.iter();
    let mut newest_first = deployments.rev().map(|id| &ask.world.ci.deployments[id]);
    let last =
        newest_first.find(|it| it.environment_id == found.id && it.status == DeploymentStatus::Success);
    let mut body = environment(found);
    body["last_deployment"] = json!(last.map(|it| without_environment(ask, it)));
    Ok(Reply::object(&body))
}
