//! What is to be said of a hook beside what can be mended.

use store::WebhookRow;

use super::address::Address;
use super::events::{plain, wanted};
use super::hook::Hook;
use super::places::Place;

/// What should be known of a hook and is left as it is.
pub(super) fn remarks(hook: &Hook) -> Vec<String> {
    let set = |text: &Option<String>| text.as_deref().is_some_and(|it| !it.trim().is_empty());
    let mut remarks = Vec::new();
    if set(&hook.custom_webhook_template) {
        remarks.push(
            "It has a template of its own for the payload, which Weir may not understand. Take it away in GitLab.".to_owned(),
        );
    }
    if set(&hook.push_events_branch_filter) {
        let filter = hook.push_events_branch_filter.as_deref().unwrap_or_default();
        remarks.push(format!(
            "Pushes are told of for the branches {filter:?} only; those to other default branches come with the next sync."
        ));
    }
    remarks
}

/// That GitLab does not deliver to it.
pub(super) fn disabled(hook: &Hook) -> Option<String> {
    match (hook.alert_status.as_deref()?, hook.disabled_until) {
        ("executable", _) => None,
        ("temporarily_disabled", Some(until)) => Some(format!(
            "GitLab has disabled it until {} because deliveries failed. What happens until then is told to nobody.",
            until.format("%Y-%m-%d %H:%M UTC")
        )),
        ("disabled", _) => Some(
            "GitLab has disabled it for good because deliveries failed for a long time. weir webhooks install --yes tries it \
             out, after which GitLab delivers again."
                .to_owned(),
        ),
        (other, _) => Some(format!("GitLab does not deliver to it ({other}).")),
    }
}

/// A hook that leads to Weir, and what Weir knows of it.
pub(super) struct Judge<'j> {
    pub(super) place: &'j Place,
    pub(super) hook: &'j Hook,
    pub(super) known: Option<&'j WebhookRow>,
    /// Where it is to lead, where somebody says.
    pub(super) address: Option<&'j Address>,
    /// The number of the secret token in use.
    pub(super) token_id: i64,
}

impl Judge<'_> {
    /// What is wrong with it and can be mended.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(address) = self.address.filter(|it| !it.is(&self.hook.url)) {
            problems.push(format!("It leads to {}, not to {address}.", self.hook.url));
        }
        let given = self.known.and_then(|it| it.token_id);
        if self.hook.token_present == Some(false) && self.hook.signing_token_present != Some(true) {
            problems.push("It has no secret, so that Weir refuses what it delivers.".to_owned());
        } else if given.is_some_and(|it| it != self.token_id) {
            problems.push("It has an older secret, which Weir takes only for a while.".to_owned());
        }
        let missing =
            wanted(self.place.kind, false).into_iter().filter(|it| self.hook.is_told_of(it) == Some(false));
        let missing: Vec<String> = missing.map(plain).collect();
        if !missing.is_empty() {
            problems.push(format!("It is not told of: {}.", missing.join(", ")));
        }
        if self.hook.url.starts_with("https:") && self.hook.enable_ssl_verification == Some(false) {
            problems.push("GitLab does not check Weir's certificate.".to_owned());
        }
        if !problems.is_empty() {
            problems.push("weir webhooks install mends this.".to_owned());
        }
        problems
    }

    /// What should be known of it.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = remarks(self.hook);
        if self.known.is_none_or(|it| it.token_id.is_none()) {
            notes.push(
                "Weir did not make it and cannot see its secret: its deliveries show whether that is right."
                    .to_owned(),
            );
        }
        let wanted = wanted(self.place.kind, true);
        let extra = self.hook.events().into_iter().filter(|it| !wanted.contains(&it.as_str()));
        let extra: Vec<String> = extra.map(|it| plain(&it)).collect();
        if !extra.is_empty() {
            notes.push(format!("It is told of what Weir has no use for: {}.", extra.join(", ")));
        }
        notes
    }
}
