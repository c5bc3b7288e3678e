//! Tokens that rotate themselves: the old one dies at once, and whoever rotates a dead one of the family takes the living
//! one down with it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use serde_json::{Value, json};

use crate::rest::entities::Millis;
use crate::state::{State, lock};
use crate::tokens::{TokenSpec, TokenState};

/// The endpoint.
pub(crate) const ROTATE: &str = "/personal_access_tokens/self/rotate";

/// What is known of rotations.
#[derive(Debug, Default)]
pub struct Rotations {
    /// The first token of the family, by token.
    families: Mutex<HashMap<String, String>>,
    delay: Mutex<Duration>,
}

impl Rotations {
    /// How long the answer takes, once the token is rotated.
    pub fn answer_after(&self, delay: Duration) {
        *lock(&self.delay) = delay;
    }

    pub(crate) fn delay(&self) -> Duration {
        *lock(&self.delay)
    }

    /// How many tokens came of rotations.
    pub fn count(&self) -> usize {
        lock(&self.families).len()
    }

    fn family(&self, token: &str) -> String {
        lock(&self.families).get(token).cloned().unwrap_or_else(|| token.to_owned())
    }
}

/// Rotates a token. Without a day of its own the new one lives for a week.
pub(crate) fn rotate(state: &State, old: &TokenSpec, expires_at: Option<NaiveDate>) -> Value {
    let now = state.world().now;
    let family = state.rotations.family(&old.token);
    let number = state.rotations.count() + 1;
    let new = TokenSpec {
        token: format!("glpat-successor-{number}"),
        expires_at: Some(expires_at.unwrap_or_else(|| now.date_naive() + TimeDelta::days(7))),
        ..old.clone()
    };
    state.set_token_state(&old.token, TokenState::Revoked);
    lock(&state.rotations.families).insert(new.token.clone(), family);
    state.add_token(new.clone());
    json!({
        "id": 1_000 + new.user_id,
        "name": "metrics",
        "revoked": false,
        "created_at": Millis(now),
        "description": null,
        "scopes": new.scopes,
        "user_id": new.user_id,
        "last_used_at": null,
        "active": true,
        "expires_at": new.expires_at,
        "token": new.token,
    })
}

/// Somebody rotates a token that was revoked: all of its family is, for it may have been stolen.
pub(crate) fn reused(state: &State, token: &str) {
    let family = state.rotations.family(token);
    let members: Vec<String> = {
        let families = lock(&state.rotations.families);
        families.iter().filter(|it| *it.1 == family).map(|it| it.0.clone()).collect()
    };
    members.iter().chain([&family]).for_each(|it| state.set_token_state(it, TokenState::Revoked));
}
