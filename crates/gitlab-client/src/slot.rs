//! One credential of a pool with what is known of it.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::auth::{Credential, CredentialId};
use crate::config::ConfigError;
use crate::error::UnauthorizedReason;
use crate::gate::{Gate, Opening};

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
    pub(crate) gate: Gate,
    pub(crate) disabled: Option<UnauthorizedReason>,
    /// Endpoints it has no scope for, with the scopes they need.
    pub(crate) lacking: HashMap<Arc<str>, Box<str>>,
    pub(crate) suspicion: Suspicion,
    pub(crate) lease: Slice,
    pub(crate) last_turn: u64,
    pub(crate) requests: u64,
    pub(crate) rate_limited: u64,
}

/// Requests granted by the gate store.
#[derive(Default)]
pub(crate) struct Slice {
    pub(crate) left: u32,
    pub(crate) until: Option<Instant>,
    pub(crate) closed_until: Option<Instant>,
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
    pub(crate) fn new(credential: Credential) -> Result<Self, ConfigError> {
        let header = credential.header().ok_or_else(|| ConfigError::Token(credential.id.clone()))?;
        Ok(Slot {
            credential,
            header,
            gate: Gate::default(),
            disabled: None,
            lacking: HashMap::new(),
            suspicion: Suspicion::default(),
            lease: Slice::default(),
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

    pub(crate) fn opening(&self, wanted: &Wanted<'_>, now: Instant) -> Opening {
        match self.lease.closed_until.filter(|until| *until > now) {
            Some(until) => Opening::At(until),
            None => self.gate.opening(wanted.endpoint, now),
        }
    }

    /// Unknown headroom first, then the most; among equals the least busy and the longest idle.
    pub(crate) fn rank(&self, now: Instant) -> (u32, Reverse<u32>, Reverse<u64>) {
        let headroom = self.gate.headroom(now).unwrap_or(u32::MAX);
        (headroom, Reverse(self.gate.in_flight), Reverse(self.last_turn))
    }

    pub(crate) fn state(&self, now: Instant, clock: DateTime<Utc>) -> CredentialState {
        let window = self.gate.window(now);
        CredentialState {
            id: self.credential.id.clone(),
            label: self.credential.label.clone(),
            disabled: self.disabled,
            remaining: window.map(|window| window.remaining),
            resets_at: window.map(|window| clock + (window.resets - now)),
            paused_until: self.gate.pause.until(now).map(|until| clock + (until - now)),
        }
    }
}

impl Slice {
    pub(crate) fn is_spent(&self, now: Instant) -> bool {
        self.left == 0 || self.until.is_none_or(|until| until <= now)
    }

    pub(crate) fn is_closed(&self, now: Instant) -> bool {
        self.closed_until.is_some_and(|until| until > now)
    }
}
