//! How many requests may be under way at once: more while answers come as quickly as they can,
//! fewer when the server slows down or fails.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

const START: usize = 8;
/// Differences below this are noise.
const SLACK: Duration = Duration::from_millis(20);
const HOLDS: f64 = 1.5;
const GREW: f64 = 2.0;
/// How quickly the best latency follows what is slower than it, and what is quicker.
const CREEP: f64 = 0.02;
const FALL: f64 = 0.5;

/// Limits how many requests are under way. First come, first served.
#[derive(Debug)]
pub(crate) struct Pace {
    permits: Arc<Semaphore>,
    ceiling: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// Permits to take back as soon as they return.
    debt: usize,
    in_flight: usize,
    /// The most that was under way in this round.
    peak: usize,
    /// Latency against the best known, by request of this round.
    ratios: Vec<f64>,
    best: HashMap<(Arc<str>, u32), f64>,
    /// Failures of requests sent before this were answered already.
    lowered: Option<Instant>,
}

/// The right to have one request under way.
#[derive(Debug)]
pub(crate) struct Permit<'p> {
    pace: &'p Pace,
    permit: Option<OwnedSemaphorePermit>,
}

impl Pace {
    pub(crate) fn new(ceiling: usize) -> Self {
        let limit = ceiling.clamp(1, START);
        let state = State {
            limit,
            debt: 0,
            in_flight: 0,
            peak: 0,
            ratios: Vec::new(),
            best: HashMap::new(),
            lowered: None,
        };
        Pace { permits: Arc::new(Semaphore::new(limit)), ceiling: ceiling.max(1), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for its turn.
    pub(crate) async fn acquire(&self) -> Permit<'_> {
        let permit = self.permits.clone().acquire_owned().await.ok();
        let mut state = self.state();
        state.in_flight += 1;
        state.peak = state.peak.max(state.in_flight);
        Permit { pace: self, permit }
    }

    /// How many requests may be under way now.
    pub(crate) fn limit(&self) -> usize {
        self.state().limit
    }

    /// An answer of so many bytes came after this time.
    pub(crate) fn answered(&self, what: &Arc<str>, bytes: usize, latency: Duration) {
        let mut state = self.state();
        // A full page takes longer than an empty one: compare like with like.
        let size = bytes.checked_ilog2().unwrap_or(0) / 2;
        let ratio = state.against_best((what.clone(), size), latency);
        state.ratios.push(ratio);
        if state.ratios.len() >= state.limit {
            let grown = state.end_round(self.ceiling);
            self.permits.add_permits(grown);
        }
    }

    /// A request sent at `sent` was answered with a server error, or not in time.
    pub(crate) fn failed(&self, sent: Instant, now: Instant) {
        let mut state = self.state();
        if state.lowered.is_none_or(|lowered| sent >= lowered) {
            state.lowered = Some(now);
            state.lower(0.5);
            state.ratios.clear();
        }
    }
}

impl State {
    /// The latency as a multiple of the best for this kind of request. The best creeps up, so that a server
    /// that became slower for good is not held against its past.
    fn against_best(&mut self, what: (Arc<str>, u32), latency: Duration) -> f64 {
        let latency = latency.as_secs_f64();
        let best = self.best.entry(what).or_insert(latency);
        let ratio = (latency + SLACK.as_secs_f64()) / (*best + SLACK.as_secs_f64());
        *best += (latency - *best) * if latency < *best { FALL } else { CREEP };
        ratio
    }

    /// Judges a round by its median; returns by how many permits to grow.
    fn end_round(&mut self, ceiling: usize) -> usize {
        self.ratios.sort_by(f64::total_cmp);
        let median = self.ratios[self.ratios.len() / 2];
        let busy = self.peak >= self.limit;
        self.ratios.clear();
        self.peak = self.in_flight;
        if median > GREW {
            self.lower(0.7);
        } else if median <= HOLDS && busy && self.limit < ceiling {
            return self.raise();
        }
        0
    }

    fn raise(&mut self) -> usize {
        self.limit += 1;
        match self.debt.checked_sub(1) {
            Some(debt) => self.debt = debt,
            None => return 1,
        }
        0
    }

    fn lower(&mut self, factor: f64) {
        let lower = ((self.limit as f64 * factor) as usize).max(1);
        self.debt += self.limit - lower;
        self.limit = lower;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        state.in_flight -= 1;
        if let Some(debt) = state.debt.checked_sub(1) {
            state.debt = debt;
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn round(pace: &Pace, latency: u64) {
        let limit = pace.limit();
        let mut permits = Vec::new();
        for _ in 0..limit {
            permits.push(pace.acquire().await);
        }
        for _ in 0..limit {
            pace.answered(&"projects".into(), 2000, Duration::from_millis(latency));
        }
    }

    #[tokio::test]
    async fn it_rises_to_the_ceiling_while_latency_holds() {
        let pace = Pace::new(12);
        assert_eq!(pace.limit(), 8);
        for _ in 0..10 {
            round(&pace, 100).await;
        }
        assert_eq!(pace.limit(), 12);
        assert_eq!(Pace::new(3).limit(), 3);
    }

    #[tokio::test]
    async fn it_falls_when_latency_doubles_and_rises_again() {
        let pace = Pace::new(16);
        round(&pace, 100).await;
        round(&pace, 400).await;
        assert_eq!(pace.limit(), 6);
        round(&pace, 100).await;
        assert_eq!(pace.limit(), 7);
    }

    #[tokio::test]
    async fn it_halves_once_for_failures_that_happened_together() {
        let (pace, sent) = (Pace::new(16), Instant::now());
        for _ in 0..8 {
            pace.failed(sent, sent + Duration::from_secs(1));
        }
        assert_eq!(pace.limit(), 4);
        let permits: Vec<_> =
            [pace.acquire().await, pace.acquire().await, pace.acquire().await, pace.acquire().await].into();
        drop(permits);
        assert_eq!(pace.permits.available_permits(), 4);
    }

    #[tokio::test]
    async fn an_idle_client_does_not_rise() {
        let pace = Pace::new(16);
        for _ in 0..100 {
            let _permit = pace.acquire().await;
            pace.answered(&"projects".into(), 2000, Duration::from_millis(100));
        }
        assert_eq!(pace.limit(), 8);
    }
}
