//! Whose turn it is: waiting for a gate to open and for the pace to allow another request.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::call::Call;
use crate::client::Inner;
use crate::course::Course;
use crate::error::{Error, ErrorKind};
use crate::gate_store::{Ask, GateKey, Seen};
use crate::network::NetworkFailure;
use crate::observer::Event;
use crate::pace::Permit;
use crate::pool::{Closed, Pick, Ticket};
use crate::refusal;
use crate::slot::Wanted;

impl Inner {
    /// Waits until a credential may send and the pace allows it. The right to be under way is not held while
    /// a gate is closed, so that requests of other endpoints can pass.
    pub(crate) async fn turn(&self, call: &Call, course: &mut Course) -> Result<(Permit<'_>, Ticket), Error> {
        loop {
            let permit = self.pace.acquire().await;
            self.hear(&call.endpoint);
            let wanted = wanted(call, course);
            match self.pool.pick(&wanted, Instant::now()) {
                Pick::Go(ticket) => return Ok((permit, ticket)),
                Pick::Lease(slot) => self.lease(slot).await,
                Pick::Wait(closed) => {
                    drop(permit);
                    self.wait(call, course, closed).await?;
                }
                Pick::Nobody(reason) => {
                    return Err(course.refusal.take().unwrap_or_else(|| refusal::nobody(reason)));
                }
            }
        }
    }

    async fn wait(&self, call: &Call, course: &mut Course, closed: Closed) -> Result<(), Error> {
        let began = Instant::now();
        let ahead = closed.until.saturating_duration_since(began);
        if closed.certain && course.waited + ahead > self.wait.patience {
            return Err(self.impatient(closed));
        }
        self.pool.opened(&wanted(call, course), closed).await;
        let waited = began.elapsed();
        course.waited += waited;
        self.counters.waited(waited);
        self.observer.note(Event::Waited(waited));
        Ok(())
    }

    fn impatient(&self, closed: Closed) -> Error {
        if closed.blocked {
            return refusal::unavailable(NetworkFailure::AddressBlocked, &self.host);
        }
        let until = self.time_of(closed.until);
        let message = format!("GitLab asks to wait until {}.", until.format("%Y-%m-%d %H:%M:%S UTC"));
        Error::new(ErrorKind::RateLimited { until }, message)
    }

    /// Takes a slice of a credential's budget, one request at a time.
    async fn lease(&self, slot: usize) {
        let _one_at_a_time = self.leasing.lock().await;
        let Some(wanted) = self.pool.wants_slice(slot, Instant::now()) else { return };
        let seen = wanted.window.map(|it| Seen {
            limit: it.limit,
            remaining: it.remaining,
            resets_at: self.time_of(it.resets),
            heard_at: self.clock.now() - it.heard.elapsed(),
        });
        let ask = Ask {
            holder: self.holder,
            want: wanted.want,
            now: self.clock.now(),
            seen,
            in_flight: wanted.in_flight,
            unlimited: wanted.unlimited,
        };
        let lease = self.gate_store.lease(&self.gate_key(wanted.whose), ask).await;
        self.pool.leased(slot, lease.granted, self.instant_of(lease.until));
    }

    /// Takes note of pauses that other clients were told of.
    fn hear(&self, endpoint: &Arc<str>) {
        let now = self.clock.now();
        for whose in self.pool.whose() {
            let key = self.gate_key(whose);
            if let Some(until) = self.gate_store.paused(&key, endpoint).filter(|it| *it > now) {
                self.pool.heard(&key.whose, endpoint, self.instant_of(until));
            }
        }
    }

    pub(crate) fn gate_key(&self, whose: Arc<str>) -> GateKey {
        GateKey { instance: self.instance.clone(), whose }
    }

    pub(crate) fn time_of(&self, instant: Instant) -> DateTime<Utc> {
        self.clock.now() + instant.saturating_duration_since(Instant::now())
    }

    fn instant_of(&self, time: DateTime<Utc>) -> Instant {
        Instant::now() + (time - self.clock.now()).to_std().unwrap_or_default()
    }
}

pub(crate) fn wanted<'w>(call: &'w Call, course: &'w Course) -> Wanted<'w> {
    Wanted { endpoint: &call.endpoint, pinned: call.credential.as_ref(), refused: &course.refused }
}
