//! `tasks.list`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::{TaskPlace, TaskState};

use super::Shown;
use crate::Shared;
use crate::api::arguments::{Query, optional_number};
use crate::api::caller::Caller;
use crate::api::envelope::Envelope;
use crate::api::page::{Next, Wanted, wrong};
use crate::api::{Answer, ApiError, Scope};

/// Which tasks are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichTasks {
    /// Only those of this connection.
    #[serde(default, deserialize_with = "optional_number")]
    connection_id: Option<i64>,
    /// Only those in this state: stuck, failing, running, due, scheduled or resting.
    #[serde(default)]
    state: Option<String>,
}

/// A page of tasks.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Tasks {
    tasks: Vec<Shown>,
    #[serde(flatten)]
    next: Next,
}

/// Lists the tasks of connections: stuck and failing ones first, with the reason, since when, and when they are tried next.
///
/// Needs the scope `syncs:read`.
#[utoipa::path(get, path = "/api/tasks.list", tag = "tasks", params(WhichTasks, Wanted), responses((status = 200, body = Tasks)))]
pub(crate) async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Query(which): Query<WhichTasks>,
    Query(wanted): Query<Wanted>,
) -> Answer<Tasks> {
    caller.may(Scope::SyncsRead)?;
    let limit = wanted.limit()?;
    let after = wanted.cursor.as_deref().filter(|it| !it.is_empty()).map(place).transpose()?;
    let state = which.state.as_deref().filter(|it| !it.is_empty()).map(state).transpose()?;
    let now = app.clock.now();
    let mut rows = app.store.list_tasks(which.connection_id, state, after.as_ref(), limit + 1, now).await?;
    let next = Next::of(&mut rows, limit, |it| {
        let TaskPlace { state, connection_id, activity } = it.place();
        format!("{}.{connection_id}.{activity}", state.name())
    });
    Ok(Envelope::new(Tasks { tasks: rows.into_iter().map(Shown::from).collect(), next }))
}

fn state(name: &str) -> Result<TaskState, ApiError> {
    TaskState::named(name).ok_or_else(|| {
        let names = TaskState::ALL.map(TaskState::name).join(", ");
        ApiError::argument("state", format!("it is none of {names}"))
    })
}

/// Where the page before ended.
fn place(cursor: &str) -> Result<TaskPlace, ApiError> {
    let mut parts = cursor.splitn(3, '.');
    let mut part = || parts.next().ok_or_else(wrong);
    let state = TaskState::named(part()?).ok_or_else(wrong)?;
    let connection_id = part()?.parse().map_err(|_| wrong())?;
    Ok(TaskPlace { state, connection_id, activity: activity(part()?).ok_or_else(wrong)?.to_owned() })
}

/// The activity of that name.
pub(super) fn activity(name: &str) -> Option<&'static str> {
    ["sync", "sweep"].into_iter().find(|it| *it == name)
}
