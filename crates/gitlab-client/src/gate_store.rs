//! The seam by which several clients share the budget of a user.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{BoxFuture, FutureExt};
use serde::{Deserialize, Serialize};

use crate::budget::Budget;

/// Shares the budget of users between clients, in this process or beyond. A client asks for a slice of the
/// requests that are left, uses it up, and asks again.
pub trait GateStore: Send + Sync + 'static {
    /// Grants a slice of what is left. A slice of 0 means: ask again at `Lease::until`.
    fn lease<'a>(&'a self, key: &'a GateKey, ask: Ask) -> BoxFuture<'a, Lease>;

    /// GitLab asked to wait, at one endpoint or at all, or the window is used up: nobody sends until then.
    fn pause<'a>(
        &'a self,
        key: &'a GateKey,
        endpoint: Option<&'a str>,
        until: DateTime<Utc>,
    ) -> BoxFuture<'a, ()>;

    /// Until when nothing may be asked at an endpoint, as far as is known here. Called for every request: it asks nobody.
    fn paused(&self, key: &GateKey, endpoint: &str) -> Option<DateTime<Utc>>;
}

/// Whose budget.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GateKey {
    /// The base URL of the server.
    pub instance: Arc<str>,
    /// GitLab counts by user: `user 7`; where the user is not known, `token` with a digest of it.
    pub whose: Arc<str>,
}

/// What GitLab said about the current window of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Requests allowed in a window.
    pub limit: Option<u32>,
    /// Requests left in it.
    pub remaining: u32,
    /// When it ends.
    pub resets_at: DateTime<Utc>,
    /// When it was said.
    pub heard_at: DateTime<Utc>,
}

/// Asks for a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// Who asks: a number that no other client has.
    pub holder: u64,
    /// How many requests are wanted.
    pub want: u32,
    /// The time of the asker.
    pub now: DateTime<Utc>,
    /// What the asker last heard from GitLab.
    pub seen: Option<Seen>,
    /// Requests of the asker that are not answered yet.
    pub in_flight: u32,
    /// GitLab has answered the asker and never said anything of a limit.
    pub unlimited: bool,
}

impl Ask {
    /// The same by a clock that is ahead by so much.
    pub fn by_another_clock(self, ahead: TimeDelta) -> Ask {
        let seen =
            self.seen.map(|it| Seen { resets_at: it.resets_at + ahead, heard_at: it.heard_at + ahead, ..it });
        Ask { now: self.now + ahead, seen, ..self }
    }
}

/// A slice of a budget.
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

impl MemoryGateStore {
    fn budgets(&self) -> MutexGuard<'_, HashMap<GateKey, Budget>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GateStore for MemoryGateStore {
    fn lease<'a>(&'a self, key: &'a GateKey, ask: Ask) -> BoxFuture<'a, Lease> {
        let lease = self.budgets().entry(key.clone()).or_default().lease(&ask);
        futures::future::ready(lease).boxed()
    }

    fn pause<'a>(
        &'a self,
        key: &'a GateKey,
        endpoint: Option<&'a str>,
        until: DateTime<Utc>,
    ) -> BoxFuture<'a, ()> {
        self.budgets().entry(key.clone()).or_default().pause(endpoint, until);
        futures::future::ready(()).boxed()
    }

    fn paused(&self, key: &GateKey, endpoint: &str) -> Option<DateTime<Utc>> {
        self.budgets().get(key)?.paused(endpoint)
    }
}
