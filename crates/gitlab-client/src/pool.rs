//! The credentials of a client, each with its gate, and who goes next.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderName, HeaderValue};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::auth::{Credential, CredentialId, TokenKind};
use crate::blockade::Blockade;
use crate::config::{ConfigError, WaitPolicy};
use crate::error::UnauthorizedReason;
use crate::gate::{Gate, Opening};
use crate::limits::Limits;
use crate::usage::CredentialUsage;

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

/// The credentials of a client and the gate of the server.
pub(crate) struct Pool {
    slots: Mutex<Slots>,
    changed: Notify,
    policy: WaitPolicy,
}

struct Slots {
    all: Vec<Slot>,
    turn: u64,
    /// Everybody waits until then: every credential was asked to wait at once.
    paused_until: Option<Instant>,
    blockade: Blockade,
}

struct Slot {
    credential: Credential,
    header: (HeaderName, HeaderValue),
    gate: Gate,
    disabled: Option<UnauthorizedReason>,
    /// Endpoints it has no scope for.
    lacking: HashSet<Arc<str>>,
    suspicion: Suspicion,
    lease: Slice,
    last_turn: u64,
    /// When it was last asked to wait.
    limited: Option<Instant>,
    requests: u64,
    rate_limited: u64,
}

/// Requests granted by the gate store.
#[derive(Default)]
struct Slice {
    left: u32,
    until: Option<Instant>,
    closed_until: Option<Instant>,
}

/// Answers 401 that do not say that the token is bad.
#[derive(Default)]
struct Suspicion {
    worked: bool,
    count: u32,
    endpoints: HashSet<Arc<str>>,
}

impl Suspicion {
    /// One 401 convicts a token that never worked. One that did may have met an endpoint that
    /// always answers so: it takes two endpoints, or three times the same.
    fn convicts(&mut self, endpoint: &Arc<str>) -> bool {
        self.count += 1;
        self.endpoints.insert(endpoint.clone());
        !self.worked || self.count >= 3 || self.endpoints.len() >= 2
    }

    fn clear(&mut self) {
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

/// Who goes next.
pub(crate) enum Pick {
    Go(Ticket),
    /// This one, after a new slice of its budget.
    Lease(usize),
    Wait {
        until: Instant,
        blocked: bool,
        certain: bool,
    },
    Nobody(UnauthorizedReason),
}

/// A credential lent to one attempt.
pub(crate) struct Ticket {
    pool: Arc<Pool>,
    pub(crate) slot: usize,
    pub(crate) id: CredentialId,
    pub(crate) kind: TokenKind,
    pub(crate) header: (HeaderName, HeaderValue),
    pub(crate) sent: Instant,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut slots = self.pool.slots();
        slots.all[self.slot].gate.in_flight -= 1;
        drop(slots);
        self.pool.changed.notify_waiters();
    }
}

impl Pool {
    pub(crate) fn new(credentials: Vec<Credential>, policy: WaitPolicy) -> Result<Self, ConfigError> {
        let mut ids = HashSet::new();
        if let Some(twice) = credentials.iter().find(|it| !ids.insert(it.id.clone())) {
            return Err(ConfigError::DuplicateCredential(twice.id.clone()));
        }
        let all = credentials.into_iter().map(Slot::new).collect::<Result<_, _>>()?;
        let slots = Slots { all, turn: 0, paused_until: None, blockade: Blockade::default() };
        Ok(Pool { slots: Mutex::new(slots), changed: Notify::new(), policy })
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a gate may have opened.
    pub(crate) async fn changed_or(&self, until: Instant, still_closed: impl Fn() -> bool) {
        let changed = self.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        if still_closed() {
            let _ = tokio::time::timeout_at(until, changed).await;
        }
    }

    /// Whether nobody could go now.
    pub(crate) fn is_closed(&self, wanted: &Wanted<'_>, now: Instant) -> bool {
        matches!(self.slots().choose(wanted, now), Choice::Wait { .. })
    }

    /// Picks the credential with the most headroom, and lends it.
    pub(crate) fn pick(self: &Arc<Self>, wanted: &Wanted<'_>, now: Instant) -> Pick {
        let mut slots = self.slots();
        match slots.choose(wanted, now) {
            Choice::Nobody(reason) => Pick::Nobody(reason),
            Choice::Wait { until, blocked, certain } => Pick::Wait { until, blocked, certain },
            Choice::Slot(slot) if slots.all[slot].lease.is_spent(now) => Pick::Lease(slot),
            Choice::Slot(slot) => Pick::Go(slots.lend(slot, now, self.clone())),
        }
    }

    /// Whether a slot still needs a slice, and how large it should be; with its window.
    pub(crate) fn wants_slice(
        &self,
        slot: usize,
        now: Instant,
    ) -> Option<(CredentialId, u32, Option<SeenWindow>)> {
        let slots = self.slots();
        let slot = &slots.all[slot];
        let window = slot.gate.window(now);
        let want = window.and_then(|it| it.limit).map_or(100, |limit| (limit / 20).clamp(1, 100));
        let seen =
            window.map(|it| SeenWindow { limit: it.limit, remaining: it.remaining, resets: it.resets });
        (slot.lease.is_spent(now) && !slot.lease.is_closed(now))
            .then(|| (slot.credential.id.clone(), want, seen))
    }

    pub(crate) fn leased(&self, slot: usize, granted: u32, until: Instant) {
        let closed_until = (granted == 0).then_some(until);
        self.slots().all[slot].lease = Slice { left: granted, until: Some(until), closed_until };
        self.changed.notify_waiters();
    }

    /// GitLab answered without asking to wait. `worked`: and it took the token.
    pub(crate) fn passed(&self, ticket: &Ticket, endpoint: &str, worked: bool) {
        let mut slots = self.slots();
        slots.blockade.lifted();
        let slot = &mut slots.all[ticket.slot];
        slot.gate.passed(endpoint, ticket.sent);
        slot.limited = None;
        if worked {
            slot.suspicion.clear();
        }
    }

    /// Takes note of the headers of an answer.
    pub(crate) fn learn(&self, ticket: &Ticket, limits: &Limits, now: Instant) {
        self.slots().all[ticket.slot].gate.learn(limits, now);
    }

    /// A 429 for all requests of a credential; returns until when it waits.
    pub(crate) fn limited(&self, ticket: &Ticket, told: Option<Duration>, now: Instant) -> Instant {
        let mut slots = self.slots();
        let slot = &mut slots.all[ticket.slot];
        slot.rate_limited += 1;
        slot.limited = Some(now);
        let until = slot.gate.pause.begin(ticket.sent, now, told, &self.policy);
        slots.pause_if_all_wait(now);
        drop(slots);
        self.changed.notify_waiters();
        until
    }

    /// A 429 for one endpoint of a credential.
    pub(crate) fn endpoint_limited(
        &self,
        ticket: &Ticket,
        endpoint: &Arc<str>,
        told: Option<Duration>,
        now: Instant,
    ) {
        let mut slots = self.slots();
        let slot = &mut slots.all[ticket.slot];
        slot.rate_limited += 1;
        slot.gate.endpoint_pause(endpoint).begin(ticket.sent, now, told, &self.policy);
    }

    /// A 403 that is not GitLab's. Whether the server is paused now.
    pub(crate) fn blocked(&self, ticket: &Ticket, path: &str, now: Instant) -> bool {
        self.slots().blockade.refused(path, ticket.sent, now, &self.policy)
    }

    /// The token is bad.
    pub(crate) fn disable(&self, ticket: &Ticket, reason: UnauthorizedReason) {
        self.slots().all[ticket.slot].disabled.get_or_insert(reason);
        self.changed.notify_waiters();
    }

    /// A 401 that does not say that the token is bad. Whether it is disabled now.
    pub(crate) fn suspect(&self, ticket: &Ticket, endpoint: &Arc<str>) -> bool {
        let convicted = self.slots().all[ticket.slot].suspicion.convicts(endpoint);
        if convicted {
            self.disable(ticket, UnauthorizedReason::Unknown);
        }
        convicted
    }

    /// The token has no scope for this endpoint.
    pub(crate) fn lacks_scope(&self, ticket: &Ticket, endpoint: &Arc<str>) {
        self.slots().all[ticket.slot].lacking.insert(endpoint.clone());
    }

    pub(crate) fn usage(&self) -> Vec<CredentialUsage> {
        let usage = |slot: &Slot| CredentialUsage {
            id: slot.credential.id.clone(),
            requests: slot.requests,
            rate_limited: slot.rate_limited,
        };
        self.slots().all.iter().map(usage).collect()
    }

    pub(crate) fn states(&self, now: Instant, clock: DateTime<Utc>) -> Vec<CredentialState> {
        self.slots().all.iter().map(|slot| slot.state(now, clock)).collect()
    }
}

/// A window as the pool knows it, to be told to the gate store.
pub(crate) struct SeenWindow {
    pub(crate) limit: Option<u32>,
    pub(crate) remaining: u32,
    pub(crate) resets: Instant,
}

enum Choice {
    Slot(usize),
    Wait { until: Instant, blocked: bool, certain: bool },
    Nobody(UnauthorizedReason),
}

impl Slots {
    fn choose(&self, wanted: &Wanted<'_>, now: Instant) -> Choice {
        if let Some(until) = self.blockade.until(now) {
            return Choice::Wait { until, blocked: true, certain: true };
        }
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Choice::Wait { until, blocked: false, certain: true };
        }
        let fitting: Vec<usize> = (0..self.all.len()).filter(|&it| self.all[it].fits(it, wanted)).collect();
        let open = fitting.iter().copied().filter(|&it| self.all[it].opening(wanted, now) == Opening::Now);
        match open.max_by_key(|&it| self.all[it].rank(now)) {
            Some(slot) => Choice::Slot(slot),
            None => self.earliest(&fitting, wanted, now),
        }
    }

    fn earliest(&self, fitting: &[usize], wanted: &Wanted<'_>, now: Instant) -> Choice {
        let openings = fitting.iter().map(|&it| self.all[it].opening(wanted, now));
        let times = openings.filter_map(|opening| match opening {
            Opening::Now => None,
            Opening::At(until) => Some((until, true)),
            Opening::Answer(until) => Some((until, false)),
        });
        match times.min() {
            Some((until, certain)) => Choice::Wait { until, blocked: false, certain },
            None => Choice::Nobody(self.why_nobody(wanted)),
        }
    }

    fn why_nobody(&self, wanted: &Wanted<'_>) -> UnauthorizedReason {
        let asked = self.all.iter().filter(|slot| slot.is_asked(wanted));
        asked.filter_map(|slot| slot.disabled).next().unwrap_or(UnauthorizedReason::NoCredential)
    }

    fn lend(&mut self, slot: usize, now: Instant, pool: Arc<Pool>) -> Ticket {
        self.turn += 1;
        let turn = self.turn;
        let it = &mut self.all[slot];
        it.last_turn = turn;
        it.requests += 1;
        it.lease.left = it.lease.left.saturating_sub(1);
        it.gate.in_flight += 1;
        Ticket {
            pool,
            slot,
            id: it.credential.id.clone(),
            kind: it.credential.kind,
            header: it.header.clone(),
            sent: now,
        }
    }

    /// Where several credentials were all asked to wait within moments, it is the address that is counted.
    fn pause_if_all_wait(&mut self, now: Instant) {
        const MOMENTS: Duration = Duration::from_secs(10);
        let mut usable = self.all.iter().filter(|slot| slot.disabled.is_none()).peekable();
        let recently = |slot: &Slot| slot.limited.is_some_and(|at| now - at <= MOMENTS);
        let ends: Option<Vec<Instant>> =
            usable.by_ref().map(|slot| slot.gate.pause.until(now).filter(|_| recently(slot))).collect();
        if let Some(ends) = ends.filter(|ends| ends.len() > 1) {
            self.paused_until = ends.into_iter().max();
        }
    }
}

impl Slot {
    fn new(credential: Credential) -> Result<Self, ConfigError> {
        let header = credential.header().ok_or_else(|| ConfigError::Token(credential.id.clone()))?;
        Ok(Slot {
            credential,
            header,
            gate: Gate::default(),
            disabled: None,
            lacking: HashSet::new(),
            suspicion: Suspicion::default(),
            lease: Slice::default(),
            last_turn: 0,
            limited: None,
            requests: 0,
            rate_limited: 0,
        })
    }

    fn is_asked(&self, wanted: &Wanted<'_>) -> bool {
        wanted.pinned.is_none_or(|id| *id == self.credential.id)
    }

    fn fits(&self, index: usize, wanted: &Wanted<'_>) -> bool {
        let lacks_scope = wanted.pinned.is_none() && self.lacking.contains(wanted.endpoint);
        self.is_asked(wanted) && self.disabled.is_none() && !lacks_scope && !wanted.refused.contains(&index)
    }

    fn opening(&self, wanted: &Wanted<'_>, now: Instant) -> Opening {
        match self.lease.closed_until.filter(|until| *until > now) {
            Some(until) => Opening::At(until),
            None => self.gate.opening(wanted.endpoint, now),
        }
    }

    /// Unknown headroom first, then the most; among equals the least busy and the longest idle.
    fn rank(&self, now: Instant) -> (u32, std::cmp::Reverse<u32>, std::cmp::Reverse<u64>) {
        let headroom = self.gate.headroom(now).unwrap_or(u32::MAX);
        (headroom, std::cmp::Reverse(self.gate.in_flight), std::cmp::Reverse(self.last_turn))
    }

    fn state(&self, now: Instant, clock: DateTime<Utc>) -> CredentialState {
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
    fn is_spent(&self, now: Instant) -> bool {
        self.left == 0 || self.until.is_none_or(|until| until <= now)
    }

    fn is_closed(&self, now: Instant) -> bool {
        self.closed_until.is_some_and(|until| until > now)
    }
}
