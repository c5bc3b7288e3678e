//! `syncs.list`

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::Shown;
use crate::Shared;
use crate::api::arguments::{Query, optional_number};
use crate::api::caller::Caller;
use crate::api::envelope::Envelope;
use crate::api::page::{Next, Wanted};
use crate::api::{Answer, Scope};

/// Which syncs are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those of this connection.
    #[serde(default, deserialize_with = "optional_number")]
    connection_id: Option<i64>,
}

/// A page of syncs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Syncs {
    syncs: Vec<Shown>,
    #[serde(flatten)]
    next: Next,
}

/// Lists syncs, the newest first.
///
/// Needs the scope `syncs:read`.
#[utoipa::path(get, path = "/api/syncs.list", tag = "syncs", params(Which, Wanted), responses((status = 200, body = Syncs)))]
pub(crate) async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Query(which): Query<Which>,
    Query(wanted): Query<Wanted>,
) -> Answer<Syncs> {
    caller.may(Scope::SyncsRead)?;
    let limit = wanted.limit()?;
    let mut rows = app.store.syncs(which.connection_id, wanted.after()?, limit + 1).await?;
    let next = Next::of(&mut rows, limit, |it| it.id.to_string());
    Ok(Envelope::new(Syncs { syncs: rows.into_iter().map(Shown::from).collect(), next }))
}
