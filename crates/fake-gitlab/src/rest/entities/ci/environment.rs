//! Environments.

use serde_json::{Value, json};

use crate::rest::entities::Millis;
use crate::world::model::Environment;

/// As it stands in deployments.
pub fn basic(it: &Environment) -> Value {
    json!({
        "id": it.id,
        "name": &*it.name,
        "slug": &*it.slug,
        "external_url": it.external_url,
        "created_at": Millis(it.created_at),
        "updated_at": Millis(it.updated_at),
    })
}

/// As it stands in lists; the project is added by whoever lists.
pub fn environment(it: &Environment) -> Value {
    let mut body = basic(it);
    body["tier"] = json!(it.tier.word());
    body["state"] = json!(it.state.word());
    body["auto_stop_at"] = Value::Null;
    body
}
