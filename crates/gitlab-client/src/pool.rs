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
use crate::gate::Opening;
use crate::limits::Limits;
use crate::slot::{CredentialState, Slice, Slot, Wanted};
use crate::usage::CredentialUsage;

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

/// Who goes next.
pub(crate) enum Pick {
    Go(Ticket),
    /// This one, after a new slice of its budget.
    Lease(usize),
    Wait(Closed),
    Nobody(Nobody),
}

/// Nobody can go yet.
#[derive(Clone, Copy)]
pub(crate) struct Closed {
    pub(crate) until: Instant,
    /// The address of this machine is blocked.
    pub(crate) blocked: bool,
    /// No answer under way can change it.
    pub(crate) certain: bool,
}

/// Why nobody can ever go.
pub(crate) enum Nobody {
    Unauthorized(UnauthorizedReason),
    LacksScope(Box<str>),
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

    /// Waits until somebody can go, but no longer than `until`.
    pub(crate) async fn opened(&self, wanted: &Wanted<'_>, until: Instant) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let closed = self.is_closed(wanted, Instant::now());
            if !closed || tokio::time::timeout_at(until, changed).await.is_err() {
                return;
            }
        }
    }

    /// Whether nobody could go now.
    fn is_closed(&self, wanted: &Wanted<'_>, now: Instant) -> bool {
        matches!(self.slots().choose(wanted, now), Choice::Wait(_))
    }

    /// Picks the credential with the most headroom, and lends it.
    pub(crate) fn pick(self: &Arc<Self>, wanted: &Wanted<'_>, now: Instant) -> Pick {
        let mut slots = self.slots();
        match slots.choose(wanted, now) {
            Choice::Nobody(reason) => Pick::Nobody(reason),
            Choice::Wait(closed) => Pick::Wait(closed),
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
        // A store that answers "nothing, ask again at once" must not keep us busy.
        let closed_until = (granted == 0).then(|| until.max(Instant::now() + Duration::from_millis(100)));
        self.slots().all[slot].lease = Slice { left: granted, until: Some(until), closed_until };
        self.changed.notify_waiters();
    }

    /// GitLab answered without asking to wait. `worked`: and it took the token.
    pub(crate) fn passed(&self, ticket: &Ticket, endpoint: &str, worked: bool) {
        let mut slots = self.slots();
        slots.blockade.lifted();
        let slot = &mut slots.all[ticket.slot];
        slot.gate.passed(endpoint, ticket.sent);
        if worked {
            slot.suspicion.clear();
        }
    }

    /// Takes note of the headers of an answer.
    pub(crate) fn learn(&self, ticket: &Ticket, limits: &Limits, now: Instant) {
        let mut slots = self.slots();
        let slot = &mut slots.all[ticket.slot];
        let unknown = slot.gate.window(now).is_none();
        slot.gate.learn(limits, now);
        if unknown && slot.gate.window(now).is_some() {
            // The slice was cut without knowing how much there is.
            slot.lease.left = 0;
        }
    }

    /// A 429 for all requests of a credential; returns until when it waits.
    pub(crate) fn limited(&self, ticket: &Ticket, told: Option<Duration>, now: Instant) -> Instant {
        let mut slots = self.slots();
        let slot = &mut slots.all[ticket.slot];
        slot.rate_limited += 1;
        let until = slot.gate.pause.begin(ticket.sent, now, told, &self.policy);
        slots.pause_if_all_wait(now);
        drop(slots);
        tracing::debug!(credential.id = %ticket.id, ms = (until - now).as_millis() as u64, "GitLab asks to wait");
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
    pub(crate) fn blocked(&self, ticket: &Ticket, what: &str, now: Instant) -> bool {
        self.slots().blockade.refused(what, ticket.sent, now, &self.policy)
    }

    /// The token is bad.
    pub(crate) fn disable(&self, ticket: &Ticket, reason: UnauthorizedReason) {
        if self.slots().all[ticket.slot].disabled.replace(reason).is_none() {
            tracing::warn!(credential.id = %ticket.id, %reason, "a credential is not used any more");
        }
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
    pub(crate) fn lacks_scope(&self, ticket: &Ticket, endpoint: &Arc<str>, needed: &str) {
        self.slots().all[ticket.slot].lacking.insert(endpoint.clone(), needed.into());
    }

    /// Whether GitLab ever took the token.
    pub(crate) fn has_worked(&self, ticket: &Ticket) -> bool {
        self.slots().all[ticket.slot].suspicion.worked
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
    Wait(Closed),
    Nobody(Nobody),
}

impl Slots {
    fn choose(&self, wanted: &Wanted<'_>, now: Instant) -> Choice {
        if let Some(until) = self.blockade.until(now) {
            return Choice::Wait(Closed { until, blocked: true, certain: true });
        }
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Choice::Wait(Closed { until, blocked: false, certain: true });
        }
        let fitting: Vec<usize> = (0..self.all.len()).filter(|&it| self.all[it].fits(it, wanted)).collect();
        let open =
            fitting.iter().rev().copied().filter(|&it| self.all[it].opening(wanted, now) == Opening::Now);
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
            Some((until, certain)) => Choice::Wait(Closed { until, blocked: false, certain }),
            None => Choice::Nobody(self.why_nobody(wanted)),
        }
    }

    fn why_nobody(&self, wanted: &Wanted<'_>) -> Nobody {
        let asked = || self.all.iter().filter(|slot| slot.is_asked(wanted));
        let usable = asked().filter(|slot| slot.disabled.is_none());
        match usable.filter_map(|slot| slot.lacking.get(wanted.endpoint)).next() {
            Some(needed) => Nobody::LacksScope(needed.clone()),
            None => {
                let reason = asked().find_map(|slot| slot.disabled);
                Nobody::Unauthorized(reason.unwrap_or(UnauthorizedReason::NoCredential))
            }
        }
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

    /// Where several credentials were all asked to wait until the same moment, it is the address that is counted.
    fn pause_if_all_wait(&mut self, now: Instant) {
        const MOMENT: Duration = Duration::from_secs(5);
        let usable = self.all.iter().filter(|slot| slot.disabled.is_none());
        let ends: Option<Vec<Instant>> = usable.map(|slot| slot.gate.pause.until(now)).collect();
        let Some(ends) = ends.filter(|ends| ends.len() > 1) else { return };
        let (Some(first), Some(last)) = (ends.iter().min(), ends.iter().max()) else { return };
        if *last - *first <= MOMENT {
            tracing::info!(seconds = (*last - now).as_secs(), "GitLab asks all credentials to wait");
            self.paused_until = Some(*last);
        }
    }
}
