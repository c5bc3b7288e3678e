//! The instance itself, and the token that asks.

use serde_json::json;

use super::entities::Millis;
use super::{Answer, Ask, Problem, Reply};
use crate::settings::Edition;
use crate::tokens::{TokenKind, TokenState};

/// `GET /version`
pub fn version(ask: &Ask<'_>) -> Answer {
    Ok(Reply::object(&json!({ "version": ask.settings.full_version(), "revision": "0f0e0d0c0b0" })))
}

/// `GET /metadata`. `enterprise` is the edition, not the tier.
pub fn metadata(ask: &Ask<'_>) -> Answer {
    Ok(Reply::object(&json!({
        "version": ask.settings.full_version(),
        "revision": "0f0e0d0c0b0",
        "kas": { "enabled": false, "externalUrl": null, "externalK8sProxyUrl": null, "version": null },
        "enterprise": ask.settings.edition != Edition::Ce,
    })))
}

/// `GET /personal_access_tokens/self`: tokens of persons and bots, not those of OAuth.
pub fn own_token(ask: &Ask<'_>) -> Answer {
    let token = ask.token;
    if token.kind == TokenKind::OAuth {
        return Err(Problem::NotFound("404 Not Found"));
    }
    let user = ask.world.users.get(&token.user_id);
    Ok(Reply::object(&json!({
        "id": 1_000 + token.user_id,
        "name": "metrics",
        "revoked": token.state == TokenState::Revoked,
        "created_at": user.map(|user| Millis(user.created_at)),
        "description": null,
        "scopes": token.scopes,
        "user_id": token.user_id,
        "last_used_at": Millis(ask.world.now),
        "active": token.state == TokenState::Active,
        "expires_at": token.expires_at,
        "last_used_ips": ["127.0.0.1"],
    })))
}
