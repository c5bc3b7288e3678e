//! Notices that the machine's address is blocked: everything is answered with 403, and not as GitLab does.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::config::WaitPolicy;
use crate::retry::{doubled, spread};

/// How many such answers came in a row, and how long to pause.
#[derive(Debug, Default)]
pub(crate) struct Blockade {
    streak: u32,
    /// Two requests that differ: one alone may displease a firewall.
    what: HashSet<String>,
    pauses: u32,
    began: Option<Instant>,
    until: Option<Instant>,
}

impl Blockade {
    /// A 403 that is not GitLab's came for a request sent at `sent`. Whether the server is paused now.
    pub(crate) fn refused(&mut self, what: &str, sent: Instant, now: Instant, policy: &WaitPolicy) -> bool {
        if self.began.is_some_and(|began| sent < began) {
            return true;
        }
        self.streak = self.streak.saturating_add(1);
        if self.what.len() < 2 {
            self.what.insert(what.to_owned());
        }
        let blocked = self.streak >= policy.block_after && self.what.len() >= 2;
        if blocked {
            self.pause(now, policy);
        }
        blocked
    }

    fn pause(&mut self, now: Instant, policy: &WaitPolicy) {
        let wait: Duration = doubled(policy.block_base, policy.block_max, self.pauses);
        self.pauses = self.pauses.saturating_add(1);
        tracing::warn!(
            seconds = wait.as_secs(),
            "everything is answered with 403: this address is probably blocked"
        );
        self.began = Some(now);
        self.until = Some(now + spread(wait));
    }

    /// GitLab itself answered.
    pub(crate) fn lifted(&mut self) {
        if self.streak > 0 {
            *self = Blockade::default();
        }
    }

    pub(crate) fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }
}
