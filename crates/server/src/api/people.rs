//! `people.erase`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::arguments::{Arguments, Takes, id};
use super::caller::Caller;
use super::envelope::Envelope;
use super::error::{ApiError, Code};
use super::{Answer, Scope};
use crate::Shared;

/// Addresses that may be named at once.
const MOST: usize = 100;

/// Names a person.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = PersonErase)]
pub(crate) struct Erase {
    /// The person: `gitlab_users.id`.
    #[serde(deserialize_with = "id")]
    id: i64,
    /// Addresses with which the person commits, beside those that stand with the name in commits.
    #[serde(default)]
    #[schema(max_items = 100)]
    emails: Vec<String>,
}

impl Takes for Erase {
    const NAMES: &'static [&'static str] = &["id", "emails"];
}

/// What was erased.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PersonErased)]
pub(crate) struct Erased {
    /// Texts that were changed.
    texts: u64,
    /// Addresses that count as the person's from now on.
    emails: usize,
}

/// Erases a person: name, username and addresses become `erased-` and the number everywhere, what the person wrote is
/// emptied, and what comes later is held against digests of them before it is stored. Rows and counts stay. It takes some
/// seconds, with large tables minutes, and may be asked for again.
///
/// Needs the scope `people:erase`.
#[utoipa::path(post, path = "/api/people.erase", tag = "people", request_body = Erase, responses((status = 200, body = Erased)))]
pub(crate) async fn erase(
    State(app): State<Shared>,
    caller: Caller,
    arguments: Arguments<Erase>,
) -> Answer<Erased> {
    caller.may(Scope::PeopleErase)?;
    let Erase { id, emails } = arguments.given;
    if emails.len() > MOST || emails.iter().any(|it| !it.contains('@') || it.len() > 320) {
        return Err(ApiError::argument("emails", format!("it is no list of up to {MOST} addresses")));
    }
    caller.note(&app, "people.erase", None, None, json!({ "user_id": id })).await?;
    let (store, now) = (app.store.clone(), app.clock.now());
    // Who goes away meanwhile does not stop it.
    let erasing = tokio::spawn(async move { store.erase_person(id, &emails, now).await });
    let erased = erasing
        .await
        .map_err(|_| ApiError::new(Code::Internal, "Weir could not do this; its log says why."))??;
    let erased = erased.ok_or_else(|| {
        ApiError::new(
            Code::PersonNotFound,
            format!("There is no person {id}. gitlab_users.id has those there are."),
        )
    })?;
    let erased = Erased { texts: erased.texts, emails: erased.emails };
    Ok(Envelope::new(erased).warn(arguments.warnings))
}
