//! The upkeep of credentials: warned of before they die, set aside when they do, and rotated by themselves where that is asked for.

mod expiry;
mod recovery;
mod rotation;

use std::time::Duration;

use catalogue::Connector;
use gitlab_client::tokens::TokenInfo;
use gitlab_client::{Client, Error, ErrorKind, Request};
use serde_json::Value;
use store::{Audit, CredentialRow, StoreError};

use crate::Stop;
use crate::connection::{CredentialSettings, Settings, Token, upkeep_client};
use crate::tasks::{Keeper, Worker};

pub use expiry::WARNED;

/// How often is looked after them.
const EVERY: Duration = Duration::from_secs(10 * 60);
/// The endpoint at which a token is asked about itself, and that at which it is rotated.
const SELF: &str = "personal_access_tokens/self";
const ROTATE: &str = "personal_access_tokens/self/rotate";

/// Looks after credentials until it is asked to stop.
pub async fn work(worker: Worker, stop: Stop) {
    if worker.keeper().is_none() {
        return;
    }
    while !stop.asked() {
        if let Err(error) = once(&worker).await {
            tracing::warn!(%error, "credentials could not be looked after");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.wait() => {}
        }
    }
}

/// Looks after them once.
/// An extractor has none to look after.
pub async fn once(worker: &Worker) -> Result<(), StoreError> {
    let Some(keeper) = &worker.keeper() else { return Ok(()) };
    while let Some(row) = keeper.store.abandoned_rotation(&keeper.owner).await? {
        recovery::find_out(keeper, &row).await?;
    }
    let today = keeper.clock.now().date_naive();
    let farthest = today + chrono::TimeDelta::days(CredentialSettings::LONGEST_AHEAD.into());
    for row in keeper.store.dying_credentials(farthest).await? {
        let Some(days) = row.expiration_date.map(|it| (it - today).num_days()) else { continue };
        if rotation::is_due(keeper, &row, days) {
            rotation::rotate(keeper, &row).await?;
        } else if days <= 0 {
            expiry::end(keeper, &row).await?;
        } else {
            expiry::warn(keeper, &row, days).await?;
        }
    }
    Ok(())
}

/// A credential with what is needed to ask its GitLab.
struct Asked {
    client: Client,
    token: Token,
}

/// None where the credential or its connection is gone, or cannot be used.
async fn asked(keeper: &Keeper<'_>, row: &CredentialRow) -> Result<Option<Asked>, StoreError> {
    let Some(connection) = keeper.store.connection(row.connection_id).await? else { return Ok(None) };
    let Some(secret) = keeper.store.token(keeper.ring, row.id).await? else { return Ok(None) };
    let Ok(settings) = Settings::parse(&connection.settings) else { return Ok(None) };
    if Connector::named(&connection.connector).is_none() {
        return Ok(None);
    }
    let token = Token::stored(row, secret);
    let client = upkeep_client(&settings, &token, &keeper.network).ok();
    Ok(client.map(|client| Asked { client, token }))
}

/// What a token says of itself; nothing where tokens of its kind cannot be asked.
async fn own(client: &Client) -> Result<Option<TokenInfo>, Error> {
    let failure = match client.get(&Request::new(SELF)).await {
        Ok(answer) => return Ok(TokenInfo::parse(&answer.body).ok()),
        Err(error) if error.kind == ErrorKind::NotFound => error,
        Err(error) => return Err(error),
    };
    // Tokens of OAuth are asked for the version: that they are taken is all that can be learnt.
    client.get(&Request::new("version")).await.map(|_| None).map_err(|error| match error.kind {
        ErrorKind::NotFound => failure,
        _ => error,
    })
}

/// Writes down what was done with a credential.
async fn note(
    keeper: &Keeper<'_>,
    row: &CredentialRow,
    action: &str,
    detail: Value,
) -> Result<(), StoreError> {
    let entry = Audit {
        actor: "worker",
        action,
        connection_id: Some(row.connection_id),
        credential_id: Some(row.id),
        detail,
        ..Audit::default()
    };
    keeper.store.audit(&entry, keeper.clock.now()).await
}
