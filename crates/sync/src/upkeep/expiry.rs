//! Credentials that die: whoever reads the log or the API is told in time, and on the day they are set aside.

use gitlab_client::ErrorKind;
use serde_json::json;
use store::{CredentialRow, StoreError};

use super::{asked, note, own};
use crate::tasks::Keeper;

/// So many days before is warned, once each.
pub const WARNED: [i64; 3] = [3, 14, 30];

/// Warns of a credential that dies in so many days, unless that was done.
pub(super) async fn warn(keeper: &Keeper<'_>, row: &CredentialRow, days: i64) -> Result<(), StoreError> {
    let Some(stage) = WARNED.into_iter().find(|it| days <= *it) else { return Ok(()) };
    let stage = i32::try_from(stage).unwrap_or_default();
    if !keeper.store.warn_of_credential(row.id, stage).await? {
        return Ok(());
    }
    tracing::warn!(
        connection = row.connection_id,
        credential = row.id,
        label = row.label,
        days,
        "a token dies soon; credentials.update takes a new one"
    );
    note(keeper, row, "credentials.expires", json!({ "days": days })).await
}

/// Sets a credential aside whose day has come. GitLab is asked: a clock that was put forward ends nothing.
pub(super) async fn end(keeper: &Keeper<'_>, row: &CredentialRow) -> Result<(), StoreError> {
    let Some(asked) = asked(keeper, row).await? else { return Ok(()) };
    match own(&asked.client).await {
        Err(error) if matches!(error.kind, ErrorKind::Unauthorized { .. }) => {
            let day = row.expiration_date.map(|it| it.to_string()).unwrap_or_default();
            let reason = format!("The token died on {day}. Give a new one with credentials.update.");
            if keeper.store.disable_credential(row, &reason, keeper.clock.now()).await? {
                tracing::warn!(
                    connection = row.connection_id,
                    credential = row.id,
                    reason,
                    "a token has died"
                );
                note(keeper, row, "credentials.expired", json!({ "expiration_date": day })).await?;
            }
            Ok(())
        }
        Ok(_) => {
            tracing::warn!(
                connection = row.connection_id,
                credential = row.id,
                "GitLab still takes a token whose day has come: the clock of this machine may be wrong"
            );
            Ok(())
        }
        // A GitLab that does not answer is asked again. Without it nothing is read anyway.
        Err(error) => {
            tracing::debug!(%error, credential = row.id, "a token could not be asked about itself");
            Ok(())
        }
    }
}
