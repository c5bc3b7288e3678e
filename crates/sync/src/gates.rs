//! Rate limits shared by every process on one database.
//!
//! A client asks for a slice of what GitLab leaves, not for each request; pauses reach it by a message, and are looked up in
//! memory. Where the database is away, a process goes on with a cautious share: a sync is not stopped by its bookkeeping.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use gitlab_client::{Ask, Budget, Client, Clock, GateKey, GateStore, Lease, Seen};
use serde_json::Value;
use store::{GateOf, GatePause, Gates, Store, StoreError};

/// A database that does not answer is asked again after this time.
const AWAY: Duration = Duration::from_secs(5);
/// Longer is not waited for it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Ends of windows that differ by less are one.
const WINDOWS_APART: TimeDelta = TimeDelta::milliseconds(1500);
/// Pauses that differ by less are one: many requests are told the same.
const SAME: TimeDelta = TimeDelta::seconds(1);

/// Shares rate limits with every process on the same database.
pub struct SharedGates {
    gates: Gates,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<GateKey, Known>>,
    away: Mutex<Option<Instant>>,
}

/// What this process knows of a budget.
#[derive(Default)]
struct Known {
    /// Its pauses.
    pauses: Budget,
    /// How many clients shared it when the database last told.
    sharers: u32,
    /// What is left to others while the database is away.
    reserve: Reserve,
}

/// The part of a window that others may need.
#[derive(Default)]
struct Reserve {
    /// When the window ends.
    until: Option<DateTime<Utc>>,
    requests: u32,
}

impl Reserve {
    /// Takes the reserve off what is left. It is measured once in a window: what others use comes off one's own part.
    fn keep(&mut self, seen: Seen, sharers: u32) -> Seen {
        let same = |until: DateTime<Utc>| (until - seen.resets_at).abs() < WINDOWS_APART;
        if !self.until.is_some_and(same) {
            *self =
                Reserve { until: Some(seen.resets_at), requests: seen.remaining - seen.remaining / sharers };
        }
        Seen { remaining: seen.remaining.saturating_sub(self.requests), ..seen }
    }
}

impl std::fmt::Debug for SharedGates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedGates").finish_non_exhaustive()
    }
}

impl SharedGates {
    /// Begins to share; listens for pauses for as long as somebody holds it.
    pub fn start(store: &Store, clock: Arc<dyn Clock>) -> Arc<SharedGates> {
        let shared = Arc::new(SharedGates {
            gates: store.gates(),
            clock,
            known: Mutex::default(),
            away: Mutex::default(),
        });
        tokio::spawn(listen(shared.gates.clone(), Arc::downgrade(&shared)));
        shared
    }

    /// Finds out whose the tokens of a client are. GitLab is asked once for each token, ever: it counts by user, and other
    /// processes may use other tokens of the same one.
    pub async fn recognise(&self, client: &Client) {
        let credentials = client.budgets();
        let base_url = client.base_url().as_str();
        let tokens: Vec<&str> = credentials.iter().map(|it| &*it.1).collect();
        let Ok(users) = self.gates.users(base_url, &tokens).await else {
            return client.recognise_users().await;
        };
        let known: Vec<_> =
            credentials.iter().zip(&users).filter_map(|(it, user)| Some((it.0.clone(), (*user)?))).collect();
        client.belongs(&known);
        let unknown: Vec<_> =
            credentials.iter().zip(users).filter(|it| it.1.is_none()).map(|it| it.0).collect();
        let ids: Vec<_> = unknown.iter().map(|it| it.0.clone()).collect();
        for (id, user) in client.ask_for_users(&ids).await {
            let Some((_, whose)) = unknown.iter().find(|it| it.0 == id) else { continue };
            // Forgotten, it is asked again.
            let _ = self.gates.remember_user(GateOf { base_url, whose }, user).await;
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<GateKey, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn lease(&self, key: &GateKey, ask: Ask) -> Lease {
        if self.is_away() {
            return self.alone(key, ask);
        }
        match self.within(self.gates.change(of(key), |state, now| slice(state, now, ask))).await {
            Some((lease, sharers, pauses)) => {
                let mut known = self.known();
                let known = known.entry(key.clone()).or_default();
                known.sharers = sharers;
                pauses
                    .into_iter()
                    .for_each(|(endpoint, until)| known.pauses.pause(endpoint.as_deref(), until));
                lease
            }
            None => self.alone(key, ask),
        }
    }

    /// What the database gives, where it does in time; says so where it does not, and when it is back.
    async fn within<T>(&self, asked: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
        let answered = tokio::time::timeout(PATIENCE, asked).await;
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        match answered {
            Ok(Ok(given)) => {
                if away.take().is_some() {
                    tracing::info!("the rate limit is shared with other processes again");
                }
                Some(given)
            }
            failed => {
                let reason = failed.map_or_else(
                    |_| "no answer in time".to_owned(),
                    |it| it.err().map(|it| it.to_string()).unwrap_or_default(),
                );
                if away.replace(Instant::now()).is_none() {
                    tracing::warn!(
                        reason,
                        "the database does not tell what other processes use of the rate limit: a cautious share is used until it does"
                    );
                }
                None
            }
        }
    }

    fn is_away(&self) -> bool {
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        away.is_some_and(|since| since.elapsed() < AWAY)
    }

    /// A share that leaves others theirs, though nobody can be asked how many they are.
    fn alone(&self, key: &GateKey, ask: Ask) -> Lease {
        let mut known = self.known();
        let known = known.entry(key.clone()).or_default();
        if let Some(until) = known.pauses.paused("").filter(|it| *it > ask.now) {
            return Lease { granted: 0, until };
        }
        let sharers = known.sharers.max(2);
        let seen = ask.seen.map(|seen| known.reserve.keep(seen, sharers));
        let want = (ask.want / sharers).max(1);
        Budget::default().lease(&Ask { want, seen, ..ask })
    }

    async fn pause(&self, key: &GateKey, endpoint: Option<&str>, until: DateTime<Utc>) {
        let known = GateStore::paused(self, key, endpoint.unwrap_or_default());
        self.known().entry(key.clone()).or_default().pauses.pause(endpoint, until);
        if known.is_some_and(|it| it + SAME >= until) || self.is_away() {
            return;
        }
        let wait = until - self.clock.now();
        let told = self.gates.change(of(key), |state, now| (paused(state, endpoint, now + wait), ()));
        let pause = GatePause {
            base_url: key.instance.to_string(),
            whose: key.whose.to_string(),
            endpoint: endpoint.map(str::to_owned),
            milliseconds: wait.num_milliseconds().max(0).unsigned_abs(),
        };
        self.within(async {
            told.await?;
            self.gates.tell(&pause).await
        })
        .await;
    }

    /// Takes note of what another process was told.
    fn hear(&self, pause: &GatePause) {
        let key = GateKey { instance: pause.base_url.as_str().into(), whose: pause.whose.as_str().into() };
        let wait = TimeDelta::milliseconds(i64::try_from(pause.milliseconds).unwrap_or(i64::MAX / 2));
        let Some(until) = self.clock.now().checked_add_signed(wait) else { return };
        self.known().entry(key).or_default().pauses.pause(pause.endpoint.as_deref(), until);
    }
}

impl GateStore for SharedGates {
    fn lease<'a>(&'a self, key: &'a GateKey, ask: Ask) -> BoxFuture<'a, Lease> {
        Box::pin(self.lease(key, ask))
    }

    fn pause<'a>(
        &'a self,
        key: &'a GateKey,
        endpoint: Option<&'a str>,
        until: DateTime<Utc>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(self.pause(key, endpoint, until))
    }

    fn paused(&self, key: &GateKey, endpoint: &str) -> Option<DateTime<Utc>> {
        self.known().get(key)?.pauses.paused(endpoint)
    }
}

fn of(key: &GateKey) -> GateOf<'_> {
    GateOf { base_url: &key.instance, whose: &key.whose }
}

/// A budget as it was kept; what another version kept otherwise is learnt anew.
fn budget(state: Value) -> Budget {
    serde_json::from_value(state).unwrap_or_default()
}

type Pauses = Vec<(Option<String>, DateTime<Utc>)>;

/// Takes a slice by the database's clock, which all processes share.
fn slice(state: Value, now: DateTime<Utc>, ask: Ask) -> (Value, (Lease, u32, Pauses)) {
    let mut budget = budget(state);
    let ahead = now - ask.now;
    let lease = budget.lease(&ask.by_another_clock(ahead));
    let pauses = budget.pauses().into_iter().map(|(endpoint, until)| (endpoint, until - ahead)).collect();
    let kept = serde_json::to_value(&budget).unwrap_or_default();
    (kept, (Lease { until: lease.until - ahead, ..lease }, budget.sharers(), pauses))
}

fn paused(state: Value, endpoint: Option<&str>, until: DateTime<Utc>) -> Value {
    let mut budget = budget(state);
    budget.pause(endpoint, until);
    serde_json::to_value(&budget).unwrap_or_default()
}

/// Hears of pauses until nobody shares any more.
async fn listen(gates: Gates, shared: Weak<SharedGates>) {
    // Old gates are in nobody's way: what cannot be cleaned now is cleaned with the next start.
    let _ = gates.clean().await;
    while shared.strong_count() > 0 {
        if let Ok(mut listener) = gates.listen().await {
            hear(&mut listener, &shared).await;
        }
        tokio::time::sleep(AWAY).await;
    }
}

async fn hear(listener: &mut store::GateListener, shared: &Weak<SharedGates>) {
    while let Ok(pause) = listener.next().await {
        let Some(shared) = shared.upgrade() else { return };
        shared.hear(&pause);
    }
}
