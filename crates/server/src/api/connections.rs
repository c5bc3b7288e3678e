//! Connections: what is imported unattended.

mod create;
mod delete;
mod extracted;
mod info;
mod list;
mod pause;
mod sync;
mod update;
mod verify;
mod view;

use serde::Deserialize;
use store::ConnectionRow;

use super::arguments::{Takes, id};
use super::error::{ApiError, Code};
use crate::Shared;

pub(super) use create::create;
pub(super) use delete::delete;
pub(super) use extracted::has_its_token_here;
pub(super) use info::info;
pub(super) use list::list;
pub(super) use pause::{pause, resume};
pub(super) use sync::sync;
pub(super) use update::update;
pub(super) use verify::verify;

pub(crate) use {create::*, delete::*, info::*, list::*, pause::*, sync::*, update::*, verify::*, view::*};

/// Names a connection.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = ConnectionNamed)]
pub(crate) struct Named {
    /// Number of the connection.
    #[serde(deserialize_with = "id")]
    id: i64,
}

impl Takes for Named {
    const NAMES: &'static [&'static str] = &["id"];
}

/// The connection of this number.
pub(super) async fn find(app: &Shared, id: i64) -> Result<ConnectionRow, ApiError> {
    app.store.connection(id).await?.ok_or_else(|| ApiError::no_connection(id))
}

/// The connection of this number, which is to do something now: one that is paused or cannot work would not.
pub(super) async fn find_working(app: &Shared, id: i64) -> Result<ConnectionRow, ApiError> {
    let row = find(app, id).await?;
    if let Some(reason) = row.disabled_reason.as_ref().filter(|_| row.disabled_at.is_some()) {
        return Err(ApiError::new(Code::ConnectionDisabled, format!("The connection cannot work. {reason}")));
    }
    if row.paused_at.is_some() {
        return Err(ApiError::new(
            Code::ConnectionDisabled,
            "The connection is paused; connections.resume lets it go on.",
        ));
    }
    Ok(row)
}
