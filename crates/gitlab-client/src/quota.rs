//! What GitLab counts as one: the requests of one user, whichever of the user's tokens they are sent with.

use std::sync::Arc;

use tokio::time::Instant;

use crate::gate::{Gate, Opening, Window};

/// Requests that are wanted while nothing was heard of a limit.
const UNTOLD: u32 = 16;

/// One user's budget, as far as is known. Before users are known, each credential has one of its own.
pub(crate) struct Quota {
    /// Under which name it is shared with other clients.
    pub(crate) whose: Arc<str>,
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
    pub(crate) fn of(whose: Arc<str>) -> Self {
        Quota { whose, gate: Gate::default(), lease: Slice::default() }
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

/// What a quota asks of the gate store.
pub(crate) struct Request {
    pub(crate) whose: Arc<str>,
    pub(crate) want: u32,
    pub(crate) in_flight: u32,
    pub(crate) unlimited: bool,
    pub(crate) window: Option<Window>,
}

impl Quota {
    /// What to ask for, where a slice is needed.
    pub(crate) fn request(&self, now: Instant) -> Option<Request> {
        let window = self.gate.window(now);
        let want = window.and_then(|it| it.limit).map_or(UNTOLD, |limit| (limit / 20).clamp(1, 100));
        (self.lease.is_spent(now) && !self.lease.is_closed(now)).then(|| Request {
            whose: self.whose.clone(),
            want,
            in_flight: self.gate.in_flight,
            unlimited: self.gate.unlimited,
            window: window.cloned(),
        })
    }

    /// Goes on under the name of its user.
    pub(crate) fn rename(&mut self, whose: Arc<str>) {
        if self.whose != whose {
            self.whose = whose;
            // A slice of another budget is none of this one.
            self.lease.left = 0;
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
