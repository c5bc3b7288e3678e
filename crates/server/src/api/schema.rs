//! `schema.list`

use axum::extract::State;
use serde::Serialize;
use store::TableInfo;

use super::caller::Caller;
use super::envelope::Envelope;
use super::{Answer, Scope};
use crate::Shared;

/// Every table.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Tables {
    /// Tables with their columns and what they mean.
    #[schema(value_type = Vec<Object>)]
    tables: Vec<TableInfo>,
}

/// Lists tables and columns with what they mean.
///
/// Needs the scope `schema:read`.
#[utoipa::path(get, path = "/api/schema.list", tag = "schema", responses((status = 200, body = Tables)))]
pub(crate) async fn list(State(app): State<Shared>, caller: Caller) -> Answer<Tables> {
    caller.may(Scope::SchemaRead)?;
    Ok(Envelope::new(Tables { tables: app.store.schema().await? }))
}
