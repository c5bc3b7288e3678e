//! A rotation whose end nobody saw: the process was killed, or the answer did not come. The old token tells what became
//! of it. It is only ever asked about itself: to rotate it again would make GitLab revoke all its successors.

use chrono::{DateTime, Utc};
use gitlab_client::ErrorKind;
use serde_json::json;
use store::{CredentialRow, StoreError};

use super::{asked, note, own};
use crate::tasks::Keeper;

/// Finds out whether GitLab has rotated the token, and writes it down.
pub(super) async fn find_out(keeper: &Keeper<'_>, row: &CredentialRow) -> Result<(), StoreError> {
    let now = keeper.clock.now();
    let Some(asked) = asked(keeper, row).await? else {
        return keeper.store.cancel_rotation(row.id, "The credential cannot be used.", now).await;
    };
    match own(&asked.client).await {
        Ok(_) => {
            let why = "The rotation was interrupted before GitLab had done it. It is tried again.";
            keeper.store.cancel_rotation(row.id, why, now).await?;
            keeper.wake.notify_one();
            note(keeper, row, "credentials.rotate", json!({ "step": "interrupted" })).await
        }
        Err(error) if matches!(error.kind, ErrorKind::Unauthorized { .. }) => {
            let reason = lost(row.rotation_began_at.unwrap_or(now));
            tracing::error!(connection = row.connection_id, credential = row.id, reason, "a token was lost");
            keeper.store.lose_rotation(row.id, &reason, now).await?;
            note(keeper, row, "credentials.rotate", json!({ "step": "lost" })).await
        }
        // It stays as it is, and is asked again when the lease has lapsed.
        Err(error) => {
            tracing::warn!(%error, credential = row.id, "what became of a rotation is not known yet");
            Ok(())
        }
    }
}

fn lost(began: DateTime<Utc>) -> String {
    let began = began.format("%Y-%m-%d %H:%M:%S UTC");
    format!(
        "The token was to be rotated at {began}. GitLab does not take the old one any more, and its answer with the new one was \
         lost before it could be stored: nobody has it. Make a new token, give it with credentials.update, and revoke \
         the lost one in GitLab; it has the same name."
    )
}
