//! The seam by which several clients share the budget of a token.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{BoxFuture, FutureExt};

use crate::auth::CredentialId;

/// Shares the budget of tokens between clients, in this process or beyond. A client asks for a slice of the
/// requests that are left, uses it up, and asks again.
pub trait GateStore: Send + Sync + 'static {
    /// Grants a slice of what is left. A slice of 0 means: ask again at `Lease::until`.
    fn lease<'a>(&'a self, key: &'a GateKey, ask: Ask) -> BoxFuture<'a, Lease>;

    /// GitLab asked this token to wait, or its window is used up: nobody gets a slice until then.
    fn pause<'a>(&'a self, key: &'a GateKey, until: DateTime<Utc>) -> BoxFuture<'a, ()>;
}

/// Whose budget.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GateKey {
    /// The base URL of the server.
    pub instance: String,
    /// The credential.
    pub credential: CredentialId,
}

/// What GitLab said about a token's current window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Requests allowed in a window.
    pub limit: Option<u32>,
    /// Requests left in it.
    pub remaining: u32,
    /// When it ends.
    pub resets_at: DateTime<Utc>,
}

/// Asks for a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// How many requests are wanted.
    pub want: u32,
    /// The time of the asker.
    pub now: DateTime<Utc>,
    /// What the asker last heard from GitLab.
    pub seen: Option<Seen>,
}

/// A slice of a token's budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// How many requests may be sent.
    pub granted: u32,
    /// When the slice lapses; where nothing was granted, when to ask again.
    pub until: DateTime<Utc>,
}

/// Shares budgets within this process.
#[derive(Debug, Default)]
pub struct MemoryGateStore(Mutex<HashMap<GateKey, Budget>>);

#[derive(Debug, Default)]
struct Budget {
    seen: Option<Seen>,
    paused_until: Option<DateTime<Utc>>,
}

impl MemoryGateStore {
    fn budgets(&self) -> MutexGuard<'_, HashMap<GateKey, Budget>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GateStore for MemoryGateStore {
    fn lease<'a>(&'a self, key: &'a GateKey, ask: Ask) -> BoxFuture<'a, Lease> {
        let lease = self.budgets().entry(key.clone()).or_default().lease(ask);
        futures::future::ready(lease).boxed()
    }

    fn pause<'a>(&'a self, key: &'a GateKey, until: DateTime<Utc>) -> BoxFuture<'a, ()> {
        let mut budgets = self.budgets();
        let budget = budgets.entry(key.clone()).or_default();
        budget.paused_until = budget.paused_until.max(Some(until));
        drop(budgets);
        futures::future::ready(()).boxed()
    }
}

impl Budget {
    fn lease(&mut self, ask: Ask) -> Lease {
        self.learn(ask);
        if let Some(until) = self.paused_until.filter(|until| *until > ask.now) {
            return Lease { granted: 0, until };
        }
        match &mut self.seen {
            None => Lease { granted: ask.want, until: ask.now + TimeDelta::minutes(1) },
            Some(seen) => {
                let granted = ask.want.min(seen.remaining);
                seen.remaining -= granted;
                Lease { granted, until: seen.resets_at }
            }
        }
    }

    /// Takes the newer window; within one window what is left only falls.
    fn learn(&mut self, ask: Ask) {
        self.seen = match (self.seen, ask.seen) {
            (Some(old), Some(new)) if is_same_window(old, new) => {
                Some(Seen { remaining: old.remaining.min(new.remaining), ..old })
            }
            (old, new) => old.into_iter().chain(new).max_by_key(|seen| seen.resets_at),
        }
        .filter(|seen| seen.resets_at > ask.now);
    }
}

/// Ends of windows are told in whole seconds and measured by different clocks.
fn is_same_window(one: Seen, other: Seen) -> bool {
    (one.resets_at - other.resets_at).abs() < TimeDelta::milliseconds(1500)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn two_askers_never_get_more_than_is_left() {
        let mut budget = Budget::default();
        let seen = Some(Seen { limit: Some(60), remaining: 15, resets_at: at(60) });
        let mut ask = |now| budget.lease(Ask { want: 10, now: at(now), seen }).granted;
        assert_eq!([ask(1), ask(2), ask(3)], [10, 5, 0]);
        assert_eq!(ask(61), 10, "a new window, of which nothing is known yet");
    }
}
