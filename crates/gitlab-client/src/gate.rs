//! When a credential may send its next request.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::config::WaitPolicy;
use crate::limits::Limits;
use crate::retry::{doubled, spread};

/// Whether a request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    Now,
    /// Not before this time.
    At(Instant),
    /// The budget is used up as far as is known; an answer under way may bring better news before this time.
    Answer(Instant),
}

/// A pause that GitLab asked for. Grows where GitLab does not say how long.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    began: Option<Instant>,
    until: Option<Instant>,
    guesses: u32,
}

impl Pause {
    /// Takes note of a 429 to a request sent at `sent`; returns the end of the pause.
    pub(crate) fn begin(
        &mut self,
        sent: Instant,
        now: Instant,
        told: Option<Duration>,
        policy: &WaitPolicy,
    ) -> Instant {
        let straggler = self.began.is_some_and(|began| sent < began);
        if let (true, Some(until)) = (straggler && told.is_none(), self.until) {
            return until;
        }
        let until = now + told.map_or_else(|| self.guess(policy), spread);
        self.began = Some(now);
        self.until = Some(self.until.map_or(until, |old| old.max(until)));
        until
    }

    /// Between one half and the whole of a wait that doubles every time.
    fn guess(&mut self, policy: &WaitPolicy) -> Duration {
        let wait = doubled(policy.limit_base, policy.limit_max, self.guesses);
        self.guesses = self.guesses.saturating_add(1);
        wait / 2 + (wait / 2).mul_f64(rand::random::<f64>())
    }

    /// A request sent after the pause went through.
    pub(crate) fn passed(&mut self, sent: Instant) {
        if self.began.is_none_or(|began| sent > began) {
            *self = Pause::default();
        }
    }

    /// Of two pauses of one budget the later counts.
    fn absorb(&mut self, other: Pause) {
        if other.until > self.until {
            *self = other;
        }
    }

    /// Another client was asked to wait.
    pub(crate) fn heard(&mut self, until: Instant) {
        self.until = self.until.max(Some(until));
    }

    pub(crate) fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }
}

/// A token's current window as GitLab last described it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Window {
    name: Option<String>,
    pub(crate) limit: Option<u32>,
    pub(crate) remaining: u32,
    pub(crate) resets: Instant,
    /// When it was last described so.
    pub(crate) heard: Instant,
}

/// When a credential may send its next request.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    pub(crate) pause: Pause,
    endpoints: HashMap<Arc<str>, Pause>,
    window: Option<Window>,
    /// GitLab took the token and has never described a window.
    pub(crate) unlimited: bool,
    pub(crate) in_flight: u32,
}

impl Gate {
    pub(crate) fn opening(&self, endpoint: &str, now: Instant) -> Opening {
        let paused = self.endpoints.get(endpoint).and_then(|pause| pause.until(now));
        if let Some(until) = self.pause.until(now).max(paused) {
            return Opening::At(until);
        }
        match self.window(now) {
            Some(window) if window.remaining <= self.in_flight && self.in_flight > 0 => {
                Opening::Answer(window.resets)
            }
            Some(window) if window.remaining == 0 => Opening::At(window.resets),
            _ => Opening::Now,
        }
    }

    /// How many requests are left, as far as is known.
    pub(crate) fn headroom(&self, now: Instant) -> Option<u32> {
        self.window(now).map(|window| window.remaining.saturating_sub(self.in_flight))
    }

    pub(crate) fn window(&self, now: Instant) -> Option<&Window> {
        self.window.as_ref().filter(|window| window.resets > now)
    }

    /// Takes note of the headers of an answer.
    pub(crate) fn learn(&mut self, limits: &Limits, now: Instant) {
        let (Some(remaining), Some(reset_in)) = (limits.remaining, limits.reset_in) else { return };
        let new = Window {
            name: limits.name.clone(),
            limit: limits.limit,
            remaining,
            resets: now + reset_in,
            heard: now,
        };
        self.window = Some(match self.window(now) {
            Some(old) if old.same_as(&new) && remaining > old.remaining => old.clone(),
            Some(old) if old.same_as(&new) => Window { remaining, heard: now, ..old.clone() },
            Some(old) if old.name == new.name && old.resets > new.resets => old.clone(),
            _ => new,
        });
    }

    pub(crate) fn endpoint_pause(&mut self, endpoint: &Arc<str>) -> &mut Pause {
        self.endpoints.entry(endpoint.clone()).or_default()
    }

    /// Takes in what is known of a gate that turned out to be this one: the later pause, the scarcer window.
    pub(crate) fn absorb(&mut self, other: Gate, now: Instant) {
        self.in_flight += other.in_flight;
        self.unlimited &= other.unlimited;
        self.pause.absorb(other.pause);
        for (endpoint, pause) in other.endpoints {
            self.endpoints.entry(endpoint).or_default().absorb(pause);
        }
        let windows = self.window.take().into_iter().chain(other.window);
        self.window = windows.filter(|it| it.resets > now).min_by_key(|it| it.remaining);
    }

    /// A request sent at `sent` went through.
    pub(crate) fn passed(&mut self, endpoint: &str, sent: Instant, worked: bool) {
        self.unlimited = self.window.is_none() && (worked || self.unlimited);
        self.pause.passed(sent);
        if let Some(pause) = self.endpoints.get_mut(endpoint) {
            pause.passed(sent);
        }
    }
}

impl Window {
    /// Whether both describe the same window: its end is told in whole seconds of the server's clock.
    fn same_as(&self, other: &Window) -> bool {
        let apart = self.resets.max(other.resets) - self.resets.min(other.resets);
        self.name == other.name && apart < Duration::from_millis(1500)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits(remaining: u32, reset_in: u64) -> Limits {
        Limits { remaining: Some(remaining), reset_in: Some(SECOND * reset_in as u32), ..Limits::default() }
    }

    #[test]
    fn what_is_left_falls_within_a_window_and_rises_with_the_next() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        gate.learn(&limits(5, 60), now);
        gate.learn(&limits(9, 60), now);
        assert_eq!(gate.headroom(now), Some(5), "an answer that came late brings nothing back");
        gate.learn(&limits(2000, 120), now);
        gate.learn(&limits(4, 60), now);
        assert_eq!(gate.headroom(now), Some(2000));
        assert_eq!(gate.headroom(now + 121 * SECOND), None);
    }

    #[test]
    fn a_used_up_budget_waits_for_the_window_to_end() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        gate.learn(&limits(1, 60), now);
        assert_eq!(gate.opening("x", now), Opening::Now);
        gate.in_flight = 1;
        assert_eq!(gate.opening("x", now), Opening::Answer(now + 60 * SECOND));
        (gate.in_flight, _) = (0, gate.learn(&limits(0, 60), now));
        assert_eq!(gate.opening("x", now), Opening::At(now + 60 * SECOND));
    }

    #[test]
    fn guessed_pauses_double_and_stragglers_do_not_count() {
        let (policy, start) = (WaitPolicy::default(), Instant::now());
        let mut pause = Pause::default();
        let first = pause.begin(start, start + SECOND, None, &policy);
        assert_eq!(pause.begin(start, start + SECOND, None, &policy), first);
        let second = pause.begin(first, first, None, &policy) - first;
        assert!((SECOND..=2 * SECOND).contains(&second), "{second:?}");
        pause.passed(first + 3 * SECOND);
        assert_eq!(pause.until(start), None);
    }
}
