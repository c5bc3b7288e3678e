//! Webhooks and their deliveries. Tokens are never shown.

use serde_json::{Map, Value, json};

use super::Millis;
use crate::hooks::{Hook, HookOwner, Pair, Record};
use crate::rest::Ask;

/// A hook, in lists and alone.
pub fn hook(ask: &Ask<'_>, hook: &Hook) -> Value {
    let keys = |pairs: &[Pair]| pairs.iter().map(|it| json!({ "key": it.key })).collect::<Vec<Value>>();
    let mut body = json!({
        "id": hook.id,
        "url": hook.url,
        "name": hook.name,
        "description": hook.description,
        "created_at": Millis(hook.created_at),
        "enable_ssl_verification": hook.enable_ssl_verification,
        "alert_status": hook.alert_status(ask.world.now),
        "disabled_until": hook.disabled_until.map(Millis),
        "url_variables": keys(&hook.url_variables),
        "custom_headers": keys(&hook.custom_headers),
        "custom_webhook_template": hook.custom_webhook_template,
    });
    for (trigger, on) in &hook.switches {
        body[trigger.flag()] = json!(on);
    }
    match hook.owner {
        HookOwner::Project(id) => body["project_id"] = json!(id),
        HookOwner::Group(id) => body["group_id"] = json!(id),
        HookOwner::System => {}
    }
    body["push_events_branch_filter"] = json!(hook.push_events_branch_filter);
    body["branch_filter_strategy"] = json!(hook.branch_filter_strategy);
    if ask.settings.is_at_least(19, 0) {
        body["token_present"] = json!(hook.token.is_some());
        body["signing_token_present"] = json!(hook.signing_token.is_some());
    }
    body
}

/// A delivery that was made.
pub fn record(record: &Record) -> Value {
    json!({
        "id": record.id,
        "url": record.url,
        "trigger": record.trigger.word(),
        "request_headers": headers(&record.request_headers),
        "request_data": serde_json::from_slice::<Value>(&record.request_body).unwrap_or_default(),
        "response_headers": headers(&record.response_headers),
        // Why there was no answer is shown on the page of the hook alone.
        "response_body": if record.status.is_some() { record.response_body.as_str() } else { "" },
        "execution_duration": record.duration,
        "response_status": record.status.map_or("internal error".to_owned(), |it| it.to_string()),
        "created_at": Millis(record.at),
    })
}

fn headers(headers: &[(String, String)]) -> Map<String, Value> {
    let secret = |name: &str| matches!(name, "X-Gitlab-Token" | "webhook-signature");
    let shown = |name: &str, value: &str| json!(if secret(name) { "[REDACTED]" } else { value });
    headers.iter().map(|(name, value)| (name.clone(), shown(name, value))).collect()
}
