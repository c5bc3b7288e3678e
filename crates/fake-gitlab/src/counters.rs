//! What was asked and what was served.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

use crate::state::lock;

/// Requests by kind, and totals. Control endpoints are not counted.
#[derive(Debug, Default)]
pub struct Counters {
    requests: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_kind: BTreeMap<(String, String, u16), u64>,
    by_token: BTreeMap<String, u64>,
    by_operation: BTreeMap<String, u64>,
    bytes: u64,
    service_time: Duration,
}

/// The counters at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Counts {
    /// Requests that arrived, answered or not.
    pub total: u64,
    /// Answers by method, endpoint template and status.
    pub requests: Vec<Requests>,
    /// Answers by token, none included as an empty one.
    pub by_token: BTreeMap<String, u64>,
    /// GraphQL queries by the name of their operation, none included as an empty one.
    pub by_operation: BTreeMap<String, u64>,
    /// Bytes of bodies sent.
    pub bytes: u64,
    /// Sum of the latencies served, in seconds.
    pub service_seconds: f64,
}

/// Answers of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// HTTP method.
    pub method: String,
    /// Endpoint, such as `/api/v4/projects/{id}`.
    pub endpoint: String,
    /// Status code; 0 where the connection was reset.
    pub status: u16,
    /// How many.
    pub count: u64,
}

impl Counters {
    /// The number of the request that just arrived, from 1.
    pub(crate) fn arrive(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn answered(&self, method: &str, endpoint: &str, status: u16, token: &str, bytes: usize) {
        let mut inner = lock(&self.inner);
        *inner.by_kind.entry((method.to_owned(), endpoint.to_owned(), status)).or_default() += 1;
        *inner.by_token.entry(token.to_owned()).or_default() += 1;
        inner.bytes += bytes as u64;
    }

    pub(crate) fn queried(&self, operation: &str) {
        *lock(&self.inner).by_operation.entry(operation.to_owned()).or_default() += 1;
    }

    pub(crate) fn served(&self, time: Duration) {
        lock(&self.inner).service_time += time;
    }

    /// Requests that arrived so far.
    pub fn total(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Answers of an endpoint, whatever the status; the template without `/api/v4`.
    pub fn of(&self, endpoint: &str) -> u64 {
        let full = format!("/api/v4{endpoint}");
        let inner = lock(&self.inner);
        inner
            .by_kind
            .iter()
            .filter(|((_, known, _), _)| *known == full || known == endpoint)
            .map(|(_, n)| n)
            .sum()
    }

    /// The counters now.
    pub fn counts(&self) -> Counts {
        let inner = lock(&self.inner);
        let requests = inner.by_kind.iter().map(|((method, endpoint, status), count)| Requests {
            method: method.clone(),
            endpoint: endpoint.clone(),
            status: *status,
            count: *count,
        });
        Counts {
            total: self.total(),
            requests: requests.collect(),
            by_token: inner.by_token.clone(),
            by_operation: inner.by_operation.clone(),
            bytes: inner.bytes,
            service_seconds: inner.service_time.as_secs_f64(),
        }
    }

    /// Starts counting anew. Request numbers start at 1 again.
    pub fn reset(&self) {
        self.requests.store(0, Ordering::Relaxed);
        *lock(&self.inner) = Inner::default();
    }
}
