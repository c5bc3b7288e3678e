//! Where a run stands at one moment, in words.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use gitlab_client::Client;
use sync::Progress;

use crate::numbers::{count, counted, duration};

/// Where a run stands at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub phase: &'static str,
    pub projects: u64,
    pub projects_done: u64,
    pub expected: u64,
    pub merge_requests: u64,
    pub rows: u64,
    pub pending: u64,
    pub requests: u64,
    pub elapsed: Duration,
    /// How long GitLab has asked every token to wait from now on.
    pub waiting: Option<Duration>,
}

impl Snapshot {
    pub fn take(progress: &Progress, client: &Client, elapsed: Duration) -> Snapshot {
        Snapshot {
            phase: progress.phase(),
            projects: progress.projects.load(Relaxed),
            projects_done: progress.projects_done.load(Relaxed),
            expected: progress.expected.load(Relaxed),
            merge_requests: progress.merge_requests.load(Relaxed),
            rows: progress.rows.load(Relaxed),
            pending: progress.pending.load(Relaxed),
            requests: client.usage().requests,
            elapsed,
            waiting: waiting(client),
        }
    }

    /// What is done of what.
    pub fn done(&self) -> String {
        let projects = format!("{}/{} projects", count(self.projects_done), count(self.projects));
        let expected = match self.expected.max(self.merge_requests) {
            it if it > self.merge_requests => format!("/{}", count(it)),
            _ => String::new(),
        };
        let read = format!("{}{expected} merge requests", count(self.merge_requests));
        format!("{projects}, {read}")
    }

    /// How fast it goes, and how long it will.
    pub fn pace(&self) -> String {
        let rate = self.rows as f64 / self.elapsed.as_secs_f64().max(0.1);
        let mut parts = vec![
            format!("{} rows ({}/s)", count(self.rows), count(rate as u64)),
            counted(self.requests, "request"),
        ];
        if self.pending > 0 {
            parts.push(format!("{} to read singly", counted(self.pending, "long list")));
        }
        if let Some(waiting) = self.waiting {
            parts.push(format!("waiting {} because GitLab asked for it", duration(waiting)));
        }
        parts.extend(self.remaining().map(|it| format!("about {} left", duration(it))));
        parts.join(", ")
    }

    /// What is told on Ctrl-C.
    pub fn standing(&self) -> String {
        if self.projects == 0 { counted(self.requests, "request") } else { self.done() }
    }

    /// Everything on one line.
    pub fn line(&self) -> String {
        let phase = if self.phase.is_empty() { "starting" } else { self.phase };
        format!("{phase}: {}, {}, {} so far", self.done(), self.pace(), duration(self.elapsed))
    }

    /// From what is expected and the pace so far; none while there is too little to tell.
    fn remaining(&self) -> Option<Duration> {
        let left = self.expected.checked_sub(self.merge_requests).filter(|it| *it > 0)?;
        let enough = self.merge_requests > 0 && self.elapsed >= Duration::from_secs(2);
        let seconds = self.elapsed.as_secs_f64() * left as f64 / self.merge_requests as f64;
        enough.then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
    }
}

fn waiting(client: &Client) -> Option<Duration> {
    use gitlab_client::{Clock, SystemClock};
    let now = SystemClock.now();
    let states = client.credentials();
    let pauses = states.iter().filter(|it| it.disabled.is_none()).map(|it| it.paused_until);
    let first = pauses.collect::<Option<Vec<_>>>()?.into_iter().min()?;
    (first - now).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_done_and_what_is_left() {
        let snapshot = Snapshot {
            phase: "reading",
            projects: 20,
            projects_done: 5,
            expected: 4000,
            merge_requests: 1000,
            rows: 12_000,
            requests: 80,
            elapsed: Duration::from_secs(10),
            ..Snapshot::default()
        };
        assert_eq!(
            snapshot.line(),
            "reading: 5/20 projects, 1,000/4,000 merge requests, 12,000 rows (1,200/s), 80 requests, \
             about 30.0 s left, 10.0 s so far"
        );
    }
}
