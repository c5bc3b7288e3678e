//! Whether a task gets anywhere. One that hangs still says that it lives: only that nothing changes tells.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use gitlab_client::Client;
use tokio::time::Instant;

use super::Running;
use crate::{Failure, Progress};

/// Watches one task.
pub(super) struct Watch {
    progress: Arc<Progress>,
    client: OnceLock<Client>,
    stuck_after: Duration,
    last: Mutex<Last>,
    rows_counted: AtomicU64,
    verdict: OnceLock<Failure>,
}

/// What was seen when something last changed.
struct Last {
    seen: Seen,
    at: Instant,
}

/// What changes while a task gets somewhere. A request that is not answered is none.
#[derive(Debug, Clone, PartialEq, Default)]
struct Seen {
    phase: &'static str,
    counters: [u64; 5],
    answers: (u64, u64, u64),
}

impl Watch {
    pub(super) fn new(running: &Running, stuck_after: Duration) -> Watch {
        Watch {
            progress: running.progress.clone(),
            client: OnceLock::new(),
            stuck_after,
            last: Mutex::new(Last { seen: Seen::default(), at: Instant::now() }),
            rows_counted: AtomicU64::new(0),
            verdict: OnceLock::new(),
        }
    }

    /// Watches its requests too.
    pub(super) fn follow(&self, client: &Client) {
        // There is one client for each task.
        let _ = self.client.set(client.clone());
    }

    /// Looks at it again. Gives for how long it has got nowhere.
    pub(super) fn look(&self) -> Duration {
        let seen = self.seen();
        let waits = self.waits();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if waits || seen != last.seen {
            *last = Last { seen, at: Instant::now() };
        }
        last.at.elapsed()
    }

    /// Whether it has got nowhere for too long.
    pub(super) fn is_stuck(&self) -> bool {
        self.look() >= self.stuck_after
    }

    /// When it would count as stuck if nothing changed.
    pub(super) fn until_stuck(&self) -> Duration {
        let idle = self.last.lock().unwrap_or_else(PoisonError::into_inner).at.elapsed();
        self.stuck_after.saturating_sub(idle).max(Duration::from_millis(10))
    }

    /// Writes down that it is stuck, and gives why it ends.
    pub(super) fn convict(&self) -> Failure {
        let phase = Some(self.progress.phase()).filter(|it| !it.is_empty()).unwrap_or("starting");
        let minutes = self.look().as_secs().div_ceil(60);
        let message = format!(
            "No answer, no row and no other sign of progress for {minutes} min while {phase}: it was stopped, to be started again."
        );
        self.verdict.get_or_init(|| Failure::new("failed", "no_progress", message)).clone()
    }

    /// Why it ends, if it is stuck.
    pub(super) fn verdict(&self) -> Option<Failure> {
        self.verdict.get().cloned()
    }

    /// Rows written since they were last counted.
    pub(super) fn rows_to_count(&self) -> u64 {
        let written = self.progress.written.load(Relaxed);
        written.saturating_sub(self.rows_counted.swap(written, Relaxed))
    }

    fn seen(&self) -> Seen {
        let it = &self.progress;
        let counters = [&it.projects_done, &it.merge_requests, &it.rows, &it.written, &it.pending];
        let usage = self.client.get().map(Client::usage).unwrap_or_default();
        Seen {
            phase: it.phase(),
            counters: counters.map(|it| it.load(Relaxed)),
            answers: (usage.bytes, usage.not_modified, usage.rate_limited),
        }
    }

    /// Whether GitLab asked every token to wait: then there is nothing to get on with.
    fn waits(&self) -> bool {
        let Some(client) = self.client.get() else { return false };
        let states = client.credentials();
        let mut working = states.iter().filter(|it| it.disabled.is_none()).peekable();
        working.peek().is_some() && working.all(|it| it.paused_until.is_some() || it.remaining == Some(0))
    }
}
