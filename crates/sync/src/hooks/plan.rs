//! What has to be done in one place so that a hook leads to Weir and is told of the right events. Decides, and asks nothing.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::WebhookRow;

use super::address::Address;
use super::events::{CONFIDENTIAL, plain, wanted};
use super::findings::remarks;
use super::hook::Hook;
use super::places::Place;

/// What is wanted of every hook.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Where it leads.
    pub address: Address,
    /// Whether events that Weir has no use for stay on.
    pub keep_events: bool,
    /// Whether it is told of confidential issues and internal notes too.
    pub confidential: bool,
}

/// A secret and its number.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Its number in Weir's database.
    pub id: i64,
    /// The secret.
    pub value: SecretString,
}

/// The secrets in use, as GitLab is given them.
#[derive(Debug, Clone)]
pub(super) struct Given<'g> {
    pub(super) token: &'g Secret,
    /// None where this GitLab takes none.
    pub(super) signing: Option<&'g Secret>,
}

/// What is done in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// A hook is made.
    Create,
    /// One that is there is changed.
    Mend,
    /// One that is there is as it has to be.
    Keep,
}

/// What is to be done in a place.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) step: Step,
    /// The hook that is adopted.
    pub(super) hook: Option<Hook>,
    /// What is different afterwards, each as a sentence.
    pub(super) changes: Vec<String>,
    /// What should be known and is left as it is.
    pub(super) notes: Vec<String>,
    /// What GitLab is sent.
    pub(super) body: Value,
    /// Whether it is tried out, which is how GitLab delivers again to a hook that it has disabled.
    pub(super) trial: bool,
}

/// The hook of a place that leads to Weir: by its address, or because Weir knows it.
pub(super) fn adopted<'h>(hooks: &'h [Hook], known: &[WebhookRow], address: &Address) -> Option<&'h Hook> {
    let by_address = hooks.iter().filter(|it| address.is(&it.url)).min_by_key(|it| it.id);
    by_address.or_else(|| {
        hooks.iter().find(|it| known.iter().any(|row| row.hook_id == it.id && row.token_id.is_some()))
    })
}

/// What is to be done in a place with these hooks. `known` is what Weir kept of them.
pub(super) fn plan(
    place: &Place,
    hooks: &[Hook],
    known: &[WebhookRow],
    wish: &Wish,
    given: &Given<'_>,
) -> Plan {
    let Some(hook) = adopted(hooks, known, &wish.address) else { return create(place, wish, given) };
    let known = known.iter().find(|it| it.hook_id == hook.id);
    let mut plan = mend(place, hook, known, wish, given);
    let others: Vec<String> = hooks
        .iter()
        .filter(|it| it.id != hook.id && wish.address.is(&it.url))
        .map(|it| it.id.to_string())
        .collect();
    if !others.is_empty() {
        plan.notes.push(format!(
            "There are more hooks to the same address ({}), so that everything comes more than once. Delete them.",
            others.join(", ")
        ));
    }
    plan
}

fn create(place: &Place, wish: &Wish, given: &Given<'_>) -> Plan {
    let on = wanted(place.kind, wish.confidential);
    let mut body = Map::from_iter(on.iter().map(|it| ((*it).to_owned(), json!(true))));
    if place.kind == super::Kind::System {
        // GitLab turns it on unless told otherwise.
        body.insert("repository_update_events".to_owned(), json!(false));
    }
    body.insert("url".to_owned(), json!(wish.address.to_string()));
    body.insert("enable_ssl_verification".to_owned(), json!(true));
    secrets(&mut body, given);
    let told: Vec<String> = on.iter().map(|it| plain(it)).collect();
    Plan {
        step: Step::Create,
        hook: None,
        changes: vec![format!("Makes a hook to {}, told of: {}.", wish.address, told.join(", "))],
        notes: Vec::new(),
        body: body.into(),
        trial: false,
    }
}

fn secrets(body: &mut Map<String, Value>, given: &Given<'_>) {
    body.insert("token".to_owned(), json!(given.token.value.expose_secret()));
    if let Some(signing) = given.signing {
        body.insert("signing_token".to_owned(), json!(signing.value.expose_secret()));
    }
}

fn mend(place: &Place, hook: &Hook, known: Option<&WebhookRow>, wish: &Wish, given: &Given<'_>) -> Plan {
    let (mut body, mut changes) = (Map::new(), Vec::new());
    let moves = !wish.address.is(&hook.url);
    if moves {
        changes.push(format!("Its address becomes {} (it is {}).", wish.address, hook.url));
    }
    if moves || lacks_secrets(hook, known, given) {
        changes.push("Gives it Weir's secret.".to_owned());
        secrets(&mut body, given);
    }
    switch(place, hook, wish, &mut body, &mut changes);
    if wish.address.is_https() && hook.enable_ssl_verification == Some(false) {
        changes.push("Has GitLab check Weir's certificate.".to_owned());
        body.insert("enable_ssl_verification".to_owned(), json!(true));
    }
    let trial = hook.is_disabled();
    if trial {
        changes.push(
            "Tries it out: GitLab has disabled it, and delivers again once a trial was answered.".to_owned(),
        );
    }
    if !body.is_empty() {
        // Older versions do not do without; another address takes tokens away, so the old one stays as it is written.
        let url = if moves { wish.address.to_string() } else { hook.url.clone() };
        body.insert("url".to_owned(), json!(url));
    }
    let step = if changes.is_empty() { Step::Keep } else { Step::Mend };
    Plan { step, hook: Some(hook.clone()), changes, notes: remarks(hook), body: body.into(), trial }
}

/// Whether the secrets of a hook are others than Weir's, as far as that is known: GitLab does not show them.
fn lacks_secrets(hook: &Hook, known: Option<&WebhookRow>, given: &Given<'_>) -> bool {
    let token = known.and_then(|it| it.token_id) != Some(given.token.id) || hook.token_present == Some(false);
    let signing = given.signing.is_some_and(|it| known.and_then(|row| row.signing_token_id) != Some(it.id));
    token || signing
}

fn switch(place: &Place, hook: &Hook, wish: &Wish, body: &mut Map<String, Value>, changes: &mut Vec<String>) {
    let wanted = wanted(place.kind, wish.confidential);
    let missing: Vec<&str> = wanted.iter().copied().filter(|it| hook.is_told_of(it) == Some(false)).collect();
    // Whoever turned these on meant it.
    let left = |event: &String| wanted.contains(&event.as_str()) || CONFIDENTIAL.contains(&event.as_str());
    let extra: Vec<String> = hook.events().into_iter().filter(|it| !wish.keep_events && !left(it)).collect();
    if !missing.is_empty() {
        let words: Vec<String> = missing.iter().map(|it| plain(it)).collect();
        changes.push(format!("Turns on: {}.", words.join(", ")));
        body.extend(missing.iter().map(|it| ((*it).to_owned(), json!(true))));
    }
    if !extra.is_empty() {
        let words: Vec<String> = extra.iter().map(|it| plain(it)).collect();
        changes.push(format!(
            "Turns off what Weir has no use for: {} (--keep-events leaves it on).",
            words.join(", ")
        ));
        body.extend(extra.into_iter().map(|it| (it, json!(false))));
    }
}

#[cfg(test)]
mod tests;
