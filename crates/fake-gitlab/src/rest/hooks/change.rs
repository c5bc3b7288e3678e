//! Hooks made and changed, and what GitLab refuses of them.

use axum::http::StatusCode;
use serde_json::json;
use url::{Host, Url};

use super::{hook, owner, view};
use crate::hooks::{Hook, HookOwner, Pair, signing_key};
use crate::rest::{Answer, Ask, Problem, Reply};

/// Hooks a project can have.
const OF_PROJECT: usize = 100;
/// Hooks a group can have.
const OF_GROUP: usize = 50;

/// `POST .../hooks`: a second one with the same address is no error.
pub fn create(ask: &Ask<'_>) -> Answer {
    let owner = owner(ask)?;
    let url = ask.fields.text("url").flatten();
    let url = url.ok_or_else(|| Problem::BadRequest("url is missing".to_owned()))?;
    let mut new = Hook::new(owner, &url, ask.world.now);
    fill(ask, &mut new)?;
    check_room(ask, owner)?;
    let id = ask.hooks.add(new.clone());
    Ok(Reply::json(StatusCode::CREATED, &view(ask, &Hook { id, ..new })))
}

/// `PUT .../hooks/:hook_id`: what is not sent stays, but another address takes the token away.
pub fn update(ask: &Ask<'_>) -> Answer {
    let before = hook(ask)?;
    if before.owner == HookOwner::System && !ask.settings.is_at_least(17, 1) {
        return Err(Problem::NoSuchVerb);
    }
    let mut after = before.clone();
    if let Some(url) = ask.fields.text("url").flatten().filter(|url| *url != before.url) {
        (after.url, after.token) = (url, None);
    }
    fill(ask, &mut after)?;
    let shown = view(ask, &after);
    ask.hooks.change(before.id, |hook| {
        // What deliveries do meanwhile is not undone.
        let Hook { failures, disabled_until, .. } = *hook;
        let records = std::mem::take(&mut hook.records);
        *hook = Hook { failures, disabled_until, records, ..after };
    });
    Ok(Reply::object(&shown))
}

fn fill(ask: &Ask<'_>, hook: &mut Hook) -> Result<(), Problem> {
    let fields = ask.fields;
    for (trigger, on) in &mut hook.switches {
        *on = fields.switch(trigger.flag())?.unwrap_or(*on);
    }
    let texts = [
        ("name", &mut hook.name),
        ("description", &mut hook.description),
        ("token", &mut hook.token),
        ("signing_token", &mut hook.signing_token),
        ("push_events_branch_filter", &mut hook.push_events_branch_filter),
        ("custom_webhook_template", &mut hook.custom_webhook_template),
    ];
    for (name, place) in texts {
        if let Some(text) = fields.text(name) {
            *place = text.filter(|it| !it.is_empty());
        }
    }
    if let Some(strategy) = fields.text("branch_filter_strategy").flatten() {
        hook.branch_filter_strategy = strategy;
    }
    hook.enable_ssl_verification =
        fields.switch("enable_ssl_verification")?.unwrap_or(hook.enable_ssl_verification);
    hook.url_variables = fields.pairs("url_variables")?.unwrap_or(std::mem::take(&mut hook.url_variables));
    hook.custom_headers = fields.pairs("custom_headers")?.unwrap_or(std::mem::take(&mut hook.custom_headers));
    check(ask, hook)
}

fn check(ask: &Ask<'_>, hook: &Hook) -> Result<(), Problem> {
    let filter = hook.push_events_branch_filter.as_deref().unwrap_or_default();
    let strategies = ["wildcard", "regex", "all_branches"];
    if !strategies.contains(&hook.branch_filter_strategy.as_str()) {
        return Err(Problem::BadRequest("branch_filter_strategy does not have a valid value".to_owned()));
    }
    if !is_usable(&hook.url, ask.settings.hooks.local_addresses_are_refused) {
        return Err(unprocessable("Invalid url given"));
    }
    if filter.contains(|it: char| it.is_whitespace() || "~^:?[\\".contains(it))
        && hook.branch_filter_strategy == "wildcard"
    {
        return Err(unprocessable("Invalid branch filter given"));
    }
    if !hook.custom_headers.iter().all(is_header) {
        return Err(unprocessable("Custom headers validation failed"));
    }
    match &hook.signing_token {
        Some(token) if signing_key(token).is_none() => Err(invalid("signing_token", "is invalid")),
        _ => Ok(()),
    }
}

fn check_room(ask: &Ask<'_>, owner: HookOwner) -> Result<(), Problem> {
    let (kind, most) = match owner {
        HookOwner::Project(_) => ("project", OF_PROJECT),
        HookOwner::Group(_) => ("group", OF_GROUP),
        HookOwner::System => return Ok(()),
    };
    if ask.hooks.of(owner).len() < most {
        return Ok(());
    }
    Err(invalid("base", &format!("Maximum number of {kind} hooks ({most}) exceeded")))
}

fn is_usable(url: &str, local_is_refused: bool) -> bool {
    // What stands in braces is filled in later.
    let plain: String = url.chars().filter(|it| !matches!(it, '{' | '}')).collect();
    let Ok(url) = Url::parse(&plain) else { return false };
    let local = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_private(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return false,
    };
    matches!(url.scheme(), "http" | "https") && !(local && local_is_refused)
}

fn is_header(pair: &Pair) -> bool {
    let plain = |it: char| it.is_ascii_alphanumeric() || "-_.".contains(it);
    pair.key.starts_with(|it: char| it.is_ascii_alphabetic())
        && pair.key.chars().all(plain)
        && !pair.value.contains(['\r', '\n'])
}

fn unprocessable(error: &str) -> Problem {
    Problem::Unprocessable(json!({ "error": error }))
}

fn invalid(field: &str, what: &str) -> Problem {
    Problem::Unprocessable(json!({ "message": { field: [what] } }))
}
