//! The credentials of a client, each with its gate, and who goes next.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};
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
use crate::quota::{self, Quota, Slice};
use crate::seal;
use crate::slot::{CredentialState, Slot, Wanted};
use crate::usage::CredentialUsage;

/// The credentials of a client and the gate of the server.
pub(crate) struct Pool {
    slots: Mutex<Slots>,
    changed: Notify,
    policy: WaitPolicy,
}

struct Slots {
    all: Vec<Slot>,
    /// By number; one that was absorbed by another has no slot any more.
    quotas: Vec<Quota>,
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
        slots.quota_of(self.slot).gate.in_flight -= 1;
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
        let quotas = credentials.iter().map(|it| Quota::of(seal::budget(&it.secret))).collect();
        let slot = |(at, credential)| Slot::new(credential, at);
        let all = credentials.into_iter().enumerate().map(slot).collect::<Result<_, _>>()?;
        let slots = Slots { all, quotas, turn: 0, paused_until: None, blockade: Blockade::default() };
        Ok(Pool { slots: Mutex::new(slots), changed: Notify::new(), policy })
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until somebody can go, but no longer than was foreseen; also until the hope for better news is gone.
    pub(crate) async fn opened(&self, wanted: &Wanted<'_>, foreseen: Closed) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let Choice::Wait(closed) = self.slots().choose(wanted, Instant::now()) else { return };
            let hopeless = closed.certain && !foreseen.certain;
            if hopeless || tokio::time::timeout_at(foreseen.until, changed).await.is_err() {
                return;
            }
        }
    }

    /// Picks the credential with the most headroom, and lends it.
    pub(crate) fn pick(self: &Arc<Self>, wanted: &Wanted<'_>, now: Instant) -> Pick {
        let mut slots = self.slots();
        match slots.choose(wanted, now) {
            Choice::Nobody(reason) => Pick::Nobody(reason),
            Choice::Wait(closed) => Pick::Wait(closed),
            Choice::Slot(slot) if slots.quota_of(slot).lease.is_spent(now) => Pick::Lease(slot),
            Choice::Slot(slot) => Pick::Go(slots.lend(slot, now, self.clone())),
        }
    }

    /// The slice that a slot still needs.
    pub(crate) fn wants_slice(&self, slot: usize, now: Instant) -> Option<quota::Request> {
        self.slots().quota_of(slot).request(now)
    }

    /// The names of all budgets.
    pub(crate) fn whose(&self) -> Vec<Arc<str>> {
        let slots = self.slots();
        let used: BTreeSet<usize> = slots.all.iter().map(|it| it.quota).collect();
        used.into_iter().map(|it| slots.quotas[it].whose.clone()).collect()
    }

    /// Each credential with the name of its budget.
    pub(crate) fn budgets(&self) -> Vec<(CredentialId, Arc<str>)> {
        let slots = self.slots();
        let budget = |it: &Slot| (it.credential.id.clone(), slots.quotas[it.quota].whose.clone());
        slots.all.iter().map(budget).collect()
    }

    /// The name of a credential's budget.
    pub(crate) fn whose_is(&self, ticket: &Ticket) -> Arc<str> {
        self.slots().quota_of(ticket.slot).whose.clone()
    }

    /// Another client of this budget was asked to wait.
    pub(crate) fn heard(&self, whose: &str, endpoint: &Arc<str>, until: Instant) {
        let mut slots = self.slots();
        let quotas = slots.quotas.iter_mut().filter(|it| &*it.whose == whose);
        quotas.for_each(|it| it.gate.endpoint_pause(endpoint).heard(until));
    }

    pub(crate) fn leased(&self, slot: usize, granted: u32, until: Instant) {
        // A store that answers "nothing, ask again at once" must not keep us busy.
        let closed_until = (granted == 0).then(|| until.max(Instant::now() + Duration::from_millis(100)));
        self.slots().quota_of(slot).lease = Slice { left: granted, until: Some(until), closed_until };
        self.changed.notify_waiters();
    }

    /// GitLab answered without asking to wait. `worked`: and it took the token.
    pub(crate) fn passed(&self, ticket: &Ticket, endpoint: &str, worked: bool) {
        let mut slots = self.slots();
        slots.blockade.lifted();
        slots.quota_of(ticket.slot).gate.passed(endpoint, ticket.sent, worked);
        if worked {
            slots.all[ticket.slot].suspicion.clear();
        }
    }

    /// Takes note of the headers of an answer.
    pub(crate) fn learn(&self, ticket: &Ticket, limits: &Limits, now: Instant) {
        let mut slots = self.slots();
        let quota = slots.quota_of(ticket.slot);
        let unknown = quota.gate.window(now).is_none();
        quota.gate.learn(limits, now);
        if unknown && quota.gate.window(now).is_some() {
            // The slice was cut without knowing how much there is.
            quota.lease.left = 0;
        }
    }

    /// A 429 for all requests of a credential; returns until when it waits.
    pub(crate) fn limited(&self, ticket: &Ticket, told: Option<Duration>, now: Instant) -> Instant {
        let mut slots = self.slots();
        slots.all[ticket.slot].rate_limited += 1;
        let until = slots.quota_of(ticket.slot).gate.pause.begin(ticket.sent, now, told, &self.policy);
        slots.pause_if_all_wait(now);
        drop(slots);
        tracing::debug!(credential.id = %ticket.id, ms = (until - now).as_millis() as u64, "GitLab asks to wait");
        self.changed.notify_waiters();
        until
    }

    /// A 429 for one endpoint of a credential; returns until when it waits there.
    pub(crate) fn endpoint_limited(
        &self,
        ticket: &Ticket,
        endpoint: &Arc<str>,
        told: Option<Duration>,
        now: Instant,
    ) -> Instant {
        let mut slots = self.slots();
        slots.all[ticket.slot].rate_limited += 1;
        slots.quota_of(ticket.slot).gate.endpoint_pause(endpoint).begin(ticket.sent, now, told, &self.policy)
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
        let slots = self.slots();
        slots.all.iter().map(|slot| slot.state(&slots.quotas[slot.quota].gate, now, clock)).collect()
    }

    /// Credentials that may belong to one user. Job tokens belong to a job and cannot tell.
    pub(crate) fn tellers(&self) -> Vec<CredentialId> {
        let slots = self.slots();
        let tells = |slot: &&Slot| slot.credential.kind != TokenKind::Job && slot.disabled.is_none();
        slots.all.iter().filter(tells).map(|slot| slot.credential.id.clone()).collect()
    }

    /// The slots of one user, where another user's credential can be asked the same.
    pub(crate) fn of_one_user(&self, slot: usize, wanted: &Wanted<'_>) -> Option<Vec<usize>> {
        let slots = self.slots();
        let same = |at: &usize| slots.all[*at].quota == slots.all[slot].quota;
        let (same, others): (Vec<usize>, Vec<usize>) = (0..slots.all.len()).partition(same);
        others.into_iter().any(|it| slots.all[it].fits(it, wanted)).then_some(same)
    }

    /// A credential of each user.
    pub(crate) fn of_each_user(&self) -> Vec<CredentialId> {
        let slots = self.slots();
        let usable = slots.all.iter().filter(|slot| slot.disabled.is_none());
        let mut users = BTreeSet::new();
        let first = usable.filter(|slot| users.insert(slot.quota));
        first.map(|slot| slot.credential.id.clone()).collect()
    }

    /// A credential of a user to whom none of these belongs.
    pub(crate) fn of_another_user(&self, tried: &[CredentialId]) -> Option<CredentialId> {
        let slots = self.slots();
        let tried = slots.all.iter().filter(|it| tried.contains(&it.credential.id));
        let users: BTreeSet<usize> = tried.map(|it| it.quota).collect();
        let other = slots.all.iter().find(|it| it.disabled.is_none() && !users.contains(&it.quota));
        other.map(|it| it.credential.id.clone())
    }

    /// These credentials belong to this user: what GitLab counts of one counts for all.
    pub(crate) fn share(&self, ids: &[CredentialId], user: i64, now: Instant) {
        let mut slots = self.slots();
        let of = |slots: &Slots| -> Vec<usize> {
            let named = slots.all.iter().filter(|it| ids.contains(&it.credential.id));
            named.map(|it| it.quota).collect()
        };
        let quotas = of(&slots);
        let Some(first) = quotas.first().copied() else { return };
        for other in quotas {
            slots.merge(first, other, now);
        }
        slots.quotas[first].rename(format!("user {user}").into());
        drop(slots);
        self.changed.notify_waiters();
    }
}

enum Choice {
    Slot(usize),
    Wait(Closed),
    Nobody(Nobody),
}

impl Slots {
    fn quota_of(&mut self, slot: usize) -> &mut Quota {
        let quota = self.all[slot].quota;
        &mut self.quotas[quota]
    }

    /// Lets the slots of one quota use another.
    fn merge(&mut self, into: usize, from: usize, now: Instant) {
        if into == from {
            return;
        }
        let nothing = Quota::of(self.quotas[from].whose.clone());
        let absorbed = std::mem::replace(&mut self.quotas[from], nothing);
        self.quotas[into].absorb(absorbed, now);
        self.all.iter_mut().filter(|it| it.quota == from).for_each(|it| it.quota = into);
    }

    fn opening(&self, slot: usize, wanted: &Wanted<'_>, now: Instant) -> Opening {
        self.quotas[self.all[slot].quota].opening(wanted.endpoint, now)
    }

    /// Unknown headroom first, then the most; among equals the least busy and the longest idle.
    fn rank(&self, slot: usize, now: Instant) -> (u32, Reverse<u32>, Reverse<u64>) {
        let slot = &self.all[slot];
        let gate = &self.quotas[slot.quota].gate;
        (gate.headroom(now).unwrap_or(u32::MAX), Reverse(gate.in_flight), Reverse(slot.last_turn))
    }

    fn choose(&self, wanted: &Wanted<'_>, now: Instant) -> Choice {
        if let Some(until) = self.blockade.until(now) {
            return Choice::Wait(Closed { until, blocked: true, certain: true });
        }
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Choice::Wait(Closed { until, blocked: false, certain: true });
        }
        let fitting: Vec<usize> = (0..self.all.len()).filter(|&it| self.all[it].fits(it, wanted)).collect();
        let open = fitting.iter().rev().copied().filter(|&it| self.opening(it, wanted, now) == Opening::Now);
        match open.max_by_key(|&it| self.rank(it, now)) {
            Some(slot) => Choice::Slot(slot),
            None => self.earliest(&fitting, wanted, now),
        }
    }

    fn earliest(&self, fitting: &[usize], wanted: &Wanted<'_>, now: Instant) -> Choice {
        let openings = fitting.iter().map(|&it| self.opening(it, wanted, now));
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
        let (id, kind, header) = (it.credential.id.clone(), it.credential.kind, it.header.clone());
        let quota = self.quota_of(slot);
        quota.lease.left = quota.lease.left.saturating_sub(1);
        quota.gate.in_flight += 1;
        Ticket { pool, slot, id, kind, header, sent: now }
    }

    /// Where several users were all asked to wait until the same moment, it is the address that is counted.
    fn pause_if_all_wait(&mut self, now: Instant) {
        const MOMENT: Duration = Duration::from_secs(5);
        let usable: BTreeSet<usize> =
            self.all.iter().filter(|slot| slot.disabled.is_none()).map(|slot| slot.quota).collect();
        let ends: Option<Vec<Instant>> =
            usable.into_iter().map(|it| self.quotas[it].gate.pause.until(now)).collect();
        let Some(ends) = ends.filter(|ends| ends.len() > 1) else { return };
        let (Some(first), Some(last)) = (ends.iter().min(), ends.iter().max()) else { return };
        if *last - *first <= MOMENT {
            tracing::info!(seconds = (*last - now).as_secs(), "GitLab asks all credentials to wait");
            self.paused_until = Some(*last);
        }
    }
}
