//! The rotation of a token by itself. GitLab tells the new token once, in the answer, and the old one is dead by then: the
//! intention is written down before, nobody works with the token meanwhile, and the answer is stored before anything else.

use std::time::{Duration, Instant};

use chrono::{NaiveDate, TimeDelta};
use gitlab_client::tokens::TokenInfo;
use gitlab_client::{Answer, Error, ErrorKind, Request};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use store::{CredentialRow, StoreError};

use super::{Asked, ROTATE, asked, note, own, recovery};
use crate::connection::CredentialSettings;
use crate::tasks::Keeper;

/// After a rotation that failed it is tried again.
const AGAIN: TimeDelta = TimeDelta::hours(6);
/// How long is waited for syncs to let go of the token.
const LET_GO: Duration = Duration::from_secs(30);
/// Between two looks, and between two attempts to store the new token.
const PAUSE: Duration = Duration::from_millis(200);
/// How long it is tried to store the new token: there is no other copy of it.
const KEEP_TRYING: Duration = Duration::from_secs(60 * 60);
/// A token that lives shorter than this after its rotation would be rotated again and again.
const SHORTEST: i64 = 8;
/// The longest that every GitLab grants.
const LONGEST: i64 = 365;

/// What GitLab answers.
#[derive(Deserialize)]
struct Rotated {
    token: SecretString,
    expires_at: Option<NaiveDate>,
}

/// Whether a credential is to be rotated now.
pub(super) fn is_due(keeper: &Keeper<'_>, row: &CredentialRow, days: i64) -> bool {
    let settings = CredentialSettings::of(row);
    let failed = row.rotation_failed_at.is_some_and(|it| (keeper.clock.now() - it).abs() < AGAIN);
    settings.rotate && days > 0 && days <= i64::from(settings.rotate_days) && !failed
}

/// Rotates it, and writes what came of it.
pub(super) async fn rotate(keeper: &Keeper<'_>, row: &CredentialRow) -> Result<(), StoreError> {
    let Some(asked) = asked(keeper, row).await? else { return Ok(()) };
    let known = match own(&asked.client).await {
        Ok(Some(known)) => known,
        Ok(None) => return leave(keeper, row, "GitLab tells nothing about tokens of this kind.").await,
        Err(error) => return leave(keeper, row, &error.to_string()).await,
    };
    if !known.can_rotate() {
        let why =
            "The token may not rotate itself: that needs the scope self_rotate, or api. Make one that may.";
        return leave(keeper, row, why).await;
    }
    let now = keeper.clock.now();
    let Some(connections) = keeper.store.begin_rotation(&keeper.owner, row, now).await? else {
        return Ok(());
    };
    note(keeper, row, "credentials.rotate", json!({ "step": "begun" })).await?;
    wait_for_others(keeper, &connections).await?;
    let body = json!({ "expires_at": next_end(&known, now.date_naive()) });
    match asked.client.post(&Request::new(ROTATE), &body).await {
        Ok(answer) => keep(keeper, row, &asked, &answer).await,
        Err(error) if has_not_rotated(&error) => leave(keeper, row, &error.to_string()).await,
        Err(error) => {
            tracing::warn!(%error, credential = row.id, "whether GitLab has rotated a token is not known");
            recovery::find_out(keeper, row).await
        }
    }
}

/// As long as the old one was made for: GitLab gives a week otherwise.
fn next_end(known: &TokenInfo, today: NaiveDate) -> NaiveDate {
    let made = known.created_at.map(|it| it.date_naive());
    let lived = known.expires_at.zip(made).map(|(end, made)| (end - made).num_days());
    today + TimeDelta::days(lived.unwrap_or(LONGEST).clamp(SHORTEST, LONGEST))
}

/// A refusal in GitLab's own words: the token is as it was.
fn has_not_rotated(error: &Error) -> bool {
    match &error.kind {
        ErrorKind::Forbidden { .. } | ErrorKind::NotFound | ErrorKind::Refused => true,
        ErrorKind::RateLimited { .. } => true,
        ErrorKind::Unauthorized { .. } | ErrorKind::Unavailable | ErrorKind::Unreadable => false,
    }
}

async fn leave(keeper: &Keeper<'_>, row: &CredentialRow, why: &str) -> Result<(), StoreError> {
    tracing::warn!(connection = row.connection_id, credential = row.id, why, "a token was not rotated");
    keeper.store.cancel_rotation(row.id, why, keeper.clock.now()).await?;
    keeper.wake.notify_one();
    note(keeper, row, "credentials.rotate", json!({ "step": "failed", "why": why })).await
}

/// Syncs of every process stop within seconds; one that does not is left to its 401.
async fn wait_for_others(keeper: &Keeper<'_>, connections: &[i64]) -> Result<(), StoreError> {
    let began = Instant::now();
    while began.elapsed() < LET_GO && keeper.store.any_runs(connections).await? {
        tokio::time::sleep(PAUSE).await;
    }
    keeper.store.renew_rotation(&keeper.owner).await
}

/// Stores the new token. A database that is away is waited for: the answer is the only copy.
async fn keep(
    keeper: &Keeper<'_>,
    row: &CredentialRow,
    asked: &Asked,
    answer: &Answer,
) -> Result<(), StoreError> {
    let Ok(Rotated { token, expires_at }) = serde_json::from_slice(&answer.body) else {
        return recovery::find_out(keeper, row).await;
    };
    let began = Instant::now();
    let stored = loop {
        let now = keeper.clock.now();
        match keeper.store.end_rotation(keeper.ring, &asked.token.secret, &token, expires_at, now).await {
            Ok(stored) => break stored,
            Err(error) if began.elapsed() > KEEP_TRYING => return Err(error),
            Err(error) => tracing::error!(
                %error,
                credential = row.id,
                "GitLab has rotated a token, and the database does not take the new one; it is tried again"
            ),
        }
        tokio::time::sleep(PAUSE * 5).await;
    };
    keeper.wake.notify_one();
    keeper.arrived.notify_one();
    if stored.is_empty() {
        tracing::warn!(
            credential = row.id,
            "a token was replaced while it was rotated; the rotated one is not used"
        );
    }
    tracing::info!(connection = row.connection_id, credential = row.id, "a token was rotated");
    let credentials: Vec<i64> = stored.iter().map(|it| it.0).collect();
    let detail = json!({ "step": "done", "credentials": credentials, "expiration_date": expires_at });
    note(keeper, row, "credentials.rotate", detail).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(created: &str, expires: &str) -> TokenInfo {
        let body = json!({
            "scopes": ["api"], "user_id": 1, "created_at": format!("{created}T10:00:00Z"), "expires_at": expires,
        });
        TokenInfo::parse(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_new_token_lives_as_long_as_the_old_one_was_made_for() {
        let today = "2026-06-01".parse().unwrap();
        let end = |created, expires| next_end(&known(created, expires), today).to_string();
        assert_eq!(end("2026-01-01", "2026-04-01"), "2026-08-30");
        assert_eq!(end("2020-01-01", "2026-06-05"), "2027-06-01");
        assert_eq!(end("2026-06-01", "2026-06-02"), "2026-06-09");
    }
}
