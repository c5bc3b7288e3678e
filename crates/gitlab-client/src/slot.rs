//! One credential of a pool with what is known of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::auth::{Credential, CredentialId};
use crate::config::ConfigError;
use crate::error::UnauthorizedReason;
use crate::gate::Gate;

/// How a credential stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialState {
    /// Which one.
    pub id: CredentialId,
    /// What a person calls it.
    pub label: String,
    /// Why it is not used any more.
    pub disabled: Option<UnauthorizedReason>,
    /// Requests left in the current window, as far as GitLab tells.
    pub remaining: Option<u32>,
    /// When that window ends.
    pub resets_at: Option<DateTime<Utc>>,
    /// Until when it waits, because GitLab asked it to.
    pub paused_until: Option<DateTime<Utc>>,
}

/// One credential of a pool with what is known of it.
pub(crate) struct Slot {
    pub(crate) credential: Credential,
    pub(crate) header: (HeaderName, HeaderValue),
    /// Which of the pool's quotas its requests count against.
    pub(crate) quota: usize,
    pub(crate) disabled: Option<UnauthorizedReason>,
    /// Endpoints it has no scope for, with the scopes they need.
    pub(crate) lacking: HashMap<Arc<str>, Box<str>>,
    pub(crate) suspicion: Suspicion,
    pub(crate) last_turn: u64,
    pub(crate) requests: u64,
    pub(crate) rate_limited: u64,
}

/// Answers 401 that do not say that the token is bad.
#[derive(Default)]
pub(crate) struct Suspicion {
    pub(crate) worked: bool,
    count: u32,
    endpoints: HashSet<Arc<str>>,
}

impl Suspicion {
    /// One 401 convicts a token that never worked. One that did may have met an endpoint that
    /// always answers so: it takes two endpoints, or three times the same.
    pub(crate) fn convicts(&mut self, endpoint: &Arc<str>) -> bool {
        self.count += 1;
        self.endpoints.insert(endpoint.clone());
        !self.worked || self.count >= 3 || self.endpoints.len() >= 2
    }

    pub(crate) fn clear(&mut self) {
        (self.worked, self.count) = (true, 0);
        self.endpoints.clear();
    }
}

/// What a request needs of a credential.
pub(crate) struct Wanted<'w> {
    pub(crate) endpoint: &'w Arc<str>,
    pub(crate) pinned: Option<&'w CredentialId>,
    /// Credentials that were refused this request.
    pub(crate) refused: &'w [usize],
}

impl Slot {
    pub(crate) fn new(credential: Credential, quota: usize) -> Result<Self, ConfigError> {
        let header = credential.header().ok_or_else(|| ConfigError::Token(credential.id.clone()))?;
        Ok(Slot {
            credential,
            header,
            quota,
            disabled: None,
            lacking: HashMap::new(),
            suspicion: Suspicion::default(),
            last_turn: 0,
            requests: 0,
            rate_limited: 0,
        })
    }

    pub(crate) fn is_asked(&self, wanted: &Wanted<'_>) -> bool {
        wanted.pinned.is_none_or(|id| *id == self.credential.id)
    }

    pub(crate) fn fits(&self, index: usize, wanted: &Wanted<'_>) -> bool {
        let lacks_scope = wanted.pinned.is_none() && self.lacking.contains_key(wanted.endpoint);
        self.is_asked(wanted) && self.disabled.is_none() && !lacks_scope && !wanted.refused.contains(&index)
    }

    pub(crate) fn state(&self, gate: &Gate, now: Instant, clock: DateTime<Utc>) -> CredentialState {
        let window = gate.window(now);
        CredentialState {
            id: self.credential.id.clone(),
            label: self.credential.label.clone(),
            disabled: self.disabled,
            remaining: window.map(|window| window.remaining),
            resets_at: window.map(|window| clock + (window.resets - now)),
            paused_until: gate.pause.until(now).map(|until| clock + (until - now)),
        }
    }
}
