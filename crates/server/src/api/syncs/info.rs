//! `syncs.info`

use axum::extract::{Path, State};
use serde::Serialize;

use super::Shown;
use crate::Shared;
use crate::api::arguments::number;
use crate::api::caller::Caller;
use crate::api::envelope::Envelope;
use crate::api::error::Code;
use crate::api::{Answer, ApiError, Scope};

/// One sync.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SyncAnswer)]
pub(crate) struct One {
    sync: Shown,
}

/// Shows a sync.
///
/// Needs the scope `syncs:read`.
#[utoipa::path(get, path = "/api/syncs.info/{id}", tag = "syncs",
    params(("id" = i64, Path, description = "Number of the sync.")), responses((status = 200, body = One)))]
pub(crate) async fn info(State(app): State<Shared>, caller: Caller, Path(id): Path<String>) -> Answer<One> {
    caller.may(Scope::SyncsRead)?;
    let id = number("id", &id)?;
    let row = app.store.sync(id).await?;
    let row = row.ok_or_else(|| {
        ApiError::new(Code::SyncNotFound, format!("There is no sync {id}. syncs.list has those there are."))
    })?;
    Ok(Envelope::new(One { sync: row.into() }))
}
