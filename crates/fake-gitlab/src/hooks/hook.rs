//! A hook: what is stored of it, and what it wants to be told.

use std::collections::{BTreeMap, VecDeque};

use super::branches::fits;
use super::payload::Message;
use super::{Record, Trigger};
use crate::world::model::{Id, Time};

/// Whose hook it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookOwner {
    Project(Id),
    Group(Id),
    /// The instance.
    System,
}

/// A named value, such as of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub key: String,
    pub value: String,
}

/// A webhook.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Given by [`super::Hooks::add`].
    pub id: Id,
    pub owner: HookOwner,
    pub url: String,
    pub name: Option<String>,
    pub description: Option<String>,
    /// Sent as `X-Gitlab-Token`.
    pub token: Option<String>,
    /// `whsec_` and 32 bytes in base64; requests are signed with it from 19.0 on.
    pub signing_token: Option<String>,
    /// What it wants to be told.
    pub switches: BTreeMap<Trigger, bool>,
    pub push_events_branch_filter: Option<String>,
    /// wildcard, regex or all_branches.
    pub branch_filter_strategy: String,
    pub enable_ssl_verification: bool,
    pub custom_webhook_template: Option<String>,
    /// Values for `{name}` in the address.
    pub url_variables: Vec<Pair>,
    pub custom_headers: Vec<Pair>,
    pub created_at: Time,
    /// Deliveries that failed since one was answered.
    pub failures: u32,
    /// Nothing is sent before this moment.
    pub disabled_until: Option<Time>,
    /// The latest deliveries, oldest first.
    pub records: VecDeque<Record>,
}

impl Hook {
    /// A hook with GitLab's defaults.
    pub fn new(owner: HookOwner, url: &str, created_at: Time) -> Self {
        Self {
            id: 0,
            owner,
            url: url.to_owned(),
            name: None,
            description: None,
            token: None,
            signing_token: None,
            switches: Trigger::switches(owner).into_iter().collect(),
            push_events_branch_filter: None,
            branch_filter_strategy: "wildcard".to_owned(),
            enable_ssl_verification: true,
            custom_webhook_template: None,
            url_variables: Vec::new(),
            custom_headers: Vec::new(),
            created_at,
            failures: 0,
            disabled_until: None,
            records: VecDeque::new(),
        }
    }

    /// The same, told of these too.
    #[must_use]
    pub fn told_of(mut self, triggers: &[Trigger]) -> Self {
        self.switches.extend(triggers.iter().map(|it| (*it, true)));
        self
    }

    /// The same with a token.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// The same with a signing token.
    #[must_use]
    pub fn signed_with(mut self, signing_token: &str) -> Self {
        self.signing_token = Some(signing_token.to_owned());
        self
    }

    pub(super) fn wants(&self, message: &Message) -> bool {
        let asked = match message.trigger {
            Trigger::System => self.owner == HookOwner::System,
            other => self.switches.get(&other).copied().unwrap_or(false),
        };
        asked && message.branch.as_ref().is_none_or(|branch| self.fits_branch(branch))
    }

    fn fits_branch(&self, branch: &str) -> bool {
        let filter = self.push_events_branch_filter.as_deref().filter(|it| !it.is_empty());
        filter.is_none_or(|filter| fits(&self.branch_filter_strategy, filter, branch))
    }

    /// Where it is sent to.
    pub(super) fn address(&self) -> String {
        let fill = |url: String, it: &Pair| url.replace(&format!("{{{}}}", it.key), &it.value);
        self.url_variables.iter().fold(self.url.clone(), fill)
    }
}
