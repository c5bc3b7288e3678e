//! Counters.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::auth::CredentialId;

/// What a client has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Requests sent, repeated and redirected ones included.
    pub requests: u64,
    /// Bytes of bodies, unpacked.
    pub bytes: u64,
    /// Time spent waiting for limits, summed over all requests.
    pub waited: Duration,
    /// Requests repeated after a failure.
    pub retries: u64,
    /// Answers that asked to wait (429).
    pub rate_limited: u64,
    /// Answers that said "not modified" (304).
    pub not_modified: u64,
    /// The same by credential.
    pub credentials: Vec<CredentialUsage>,
}

/// What one credential has done so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialUsage {
    /// Which one.
    pub id: CredentialId,
    /// Requests sent with it.
    pub requests: u64,
    /// Answers that asked it to wait.
    pub rate_limited: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    bytes: AtomicU64,
    waited_micros: AtomicU64,
    retries: AtomicU64,
    rate_limited: AtomicU64,
    not_modified: AtomicU64,
}

impl Counters {
    pub(crate) fn sent(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    pub(crate) fn read(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn waited(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.waited_micros.fetch_add(micros, Relaxed);
    }

    pub(crate) fn retried(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    pub(crate) fn rate_limited(&self) {
        self.rate_limited.fetch_add(1, Relaxed);
    }

    pub(crate) fn not_modified(&self) {
        self.not_modified.fetch_add(1, Relaxed);
    }

    pub(crate) fn usage(&self, credentials: Vec<CredentialUsage>) -> Usage {
        Usage {
            requests: self.requests.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            waited: Duration::from_micros(self.waited_micros.load(Relaxed)),
            retries: self.retries.load(Relaxed),
            rate_limited: self.rate_limited.load(Relaxed),
            not_modified: self.not_modified.load(Relaxed),
            credentials,
        }
    }
}
