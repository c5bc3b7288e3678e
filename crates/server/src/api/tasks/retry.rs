//! `tasks.retry`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Shown;
use super::list::activity;
use crate::Shared;
use crate::api::arguments::{Arguments, Takes, id};
use crate::api::caller::Caller;
use crate::api::connections::find_working;
use crate::api::envelope::Envelope;
use crate::api::error::Code;
use crate::api::{Answer, ApiError, Scope};

/// Names a task.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = TaskRetry)]
pub(crate) struct Retry {
    /// Number of the connection.
    #[serde(deserialize_with = "id")]
    connection_id: i64,
    /// sync, unless told otherwise, or sweep.
    #[serde(default)]
    activity: Option<String>,
}

impl Takes for Retry {
    const NAMES: &'static [&'static str] = &["connection_id", "activity"];
}

/// One task.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TaskAnswer)]
pub(crate) struct OneTask {
    task: Shown,
}

/// Tries a task again now instead of when it is due. A stuck one is taken from its worker; one that runs well is due again when it ends.
///
/// Needs the scope `syncs:write`.
#[utoipa::path(post, path = "/api/tasks.retry", tag = "tasks", request_body = Retry, responses((status = 200, body = OneTask)))]
pub(crate) async fn retry(
    State(app): State<Shared>,
    caller: Caller,
    arguments: Arguments<Retry>,
) -> Answer<OneTask> {
    caller.may(Scope::SyncsWrite)?;
    let Retry { connection_id, activity: named } = arguments.given;
    let named = named.filter(|it| !it.is_empty()).unwrap_or_else(|| "sync".to_owned());
    let named =
        activity(&named).ok_or_else(|| ApiError::argument("activity", "it is neither sync nor sweep"))?;
    find_working(&app, connection_id).await?;
    let task = app.store.retry_task(connection_id, named, app.clock.now()).await?.ok_or_else(|| {
        ApiError::new(
            Code::TaskNotFound,
            format!("Connection {connection_id} has no task {named}. tasks.list has those there are."),
        )
    })?;
    app.wake.notify_one();
    caller.note(&app, "tasks.retry", Some(connection_id), None, json!({ "activity": named })).await?;
    Ok(Envelope::new(OneTask { task: task.into() }).warn(arguments.warnings))
}
