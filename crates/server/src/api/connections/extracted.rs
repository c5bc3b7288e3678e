//! The extractor of a connection as the API shows it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use store::{ConnectionRow, ExtractorRow};

use crate::Shared;
use crate::api::ApiError;
use crate::api::error::Code;
use crate::moment;

/// An extractor asks for work every few seconds: one that is silent for so long is gone, or cut off.
const SILENT: TimeDelta = TimeDelta::minutes(5);

/// The extractor that reads for a connection.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ConnectionExtractor)]
pub(crate) struct Extracted {
    /// Its EXTRACTOR_ID.
    name: String,
    /// Version of the program that last connected.
    version: Option<String>,
    /// When that process connected.
    #[serde(serialize_with = "moment::option::serialize")]
    connected_at: Option<DateTime<Utc>>,
    /// When it was last heard.
    #[serde(serialize_with = "moment::option::serialize")]
    heard_at: Option<DateTime<Utc>>,
    /// Seconds since the start of the last complete sync.
    lag_seconds: Option<i64>,
    /// What is to be said where it has not been heard for long.
    silence: Option<String>,
}

impl Extracted {
    fn new(extractor: ExtractorRow, connection: &ConnectionRow, now: DateTime<Utc>) -> Extracted {
        Extracted {
            silence: silence(extractor.heard_at, now),
            name: extractor.name,
            version: extractor.version,
            connected_at: extractor.connected_at,
            heard_at: extractor.heard_at,
            lag_seconds: connection.last_synced_at.map(|it| (now - it).num_seconds().max(0)),
        }
    }
}

fn silence(heard_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<String> {
    let Some(heard_at) = heard_at else {
        return Some(
            "It has never connected. Start weir extract with this EXTRACTOR_ID in the network of the GitLab."
                .to_owned(),
        );
    };
    let silent = now - heard_at;
    (silent >= SILENT).then(|| {
        let minutes = silent.num_minutes();
        format!("It has not been heard for {minutes} minutes. See whether it runs, and whether it still reaches this address.")
    })
}

/// The extractor of a connection, where it has one.
pub(super) async fn extractor(
    app: &Shared,
    connection: &ConnectionRow,
) -> Result<Option<Extracted>, ApiError> {
    let Some(id) = connection.extractor_id else { return Ok(None) };
    let found = app.store.extractor(id).await?;
    Ok(found.map(|it| Extracted::new(it, connection, app.clock.now())))
}

/// Refuses what takes a token here, where an extractor has it elsewhere.
pub(in crate::api) fn has_its_token_here(connection: &ConnectionRow) -> Result<(), ApiError> {
    if connection.extractor_id.is_none() {
        return Ok(());
    }
    Err(ApiError::new(
        Code::ConnectionExtracted,
        "An extractor reads for this connection: its token is GITLAB_TOKEN of weir extract, and never comes here. weir extract --check tries it.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extractor_that_is_silent_for_long_is_said_to_be() {
        let now = DateTime::UNIX_EPOCH;
        assert!(silence(None, now).is_some_and(|it| it.contains("never")));
        assert_eq!(silence(Some(now - TimeDelta::minutes(4)), now), None);
        assert!(silence(Some(now - TimeDelta::minutes(7)), now).is_some_and(|it| it.contains("7 minutes")));
    }
}
