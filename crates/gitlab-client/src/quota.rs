//! What GitLab counts as one: the requests of one user, whichever of the user's tokens they are sent with.

use tokio::time::Instant;

use crate::auth::CredentialId;
use crate::gate::{Gate, Opening};

/// One user's budget, as far as is known. Before users are known, each credential has one of its own.
pub(crate) struct Quota {
    /// Under whose name it is shared with other clients.
    pub(crate) credential: CredentialId,
    pub(crate) gate: Gate,
    pub(crate) lease: Slice,
}

/// Requests granted by the gate store.
#[derive(Default)]
pub(crate) struct Slice {
    pub(crate) left: u32,
    pub(crate) until: Option<Instant>,
    pub(crate) closed_until: Option<Instant>,
}

impl Quota {
    pub(crate) fn of(credential: CredentialId) -> Self {
        Quota { credential, gate: Gate::default(), lease: Slice::default() }
    }

    pub(crate) fn opening(&self, endpoint: &str, now: Instant) -> Opening {
        match self.lease.closed_until.filter(|until| *until > now) {
            Some(until) => Opening::At(until),
            None => self.gate.opening(endpoint, now),
        }
    }

    /// Takes in what is known of a budget that turned out to be this one.
    pub(crate) fn absorb(&mut self, other: Quota, now: Instant) {
        self.gate.absorb(other.gate, now);
        // A slice that was cut from the other's budget is none of this one.
        self.lease.closed_until = self.lease.closed_until.max(other.lease.closed_until);
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
