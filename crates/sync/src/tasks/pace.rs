//! How long things take and wait.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::connection::Settings;

/// How long things take and wait.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long one sync reads what is older than the first window: then the newest goes first again.
    pub older_for: Duration,
    /// How long a sync waits for a GitLab that went away. The schedule tries again anyway.
    pub patience: Duration,
    /// The wait after a first failure; it doubles from there.
    pub retry_base: Duration,
    /// The longest wait after a failure.
    pub retry_max: Duration,
    /// How often a task says that it lives.
    pub heartbeat: Duration,
    /// A task that gets nowhere for so long is started again.
    pub stuck_after: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            older_for: Duration::from_secs(240),
            patience: Duration::from_secs(60),
            retry_base: Duration::from_secs(30),
            retry_max: Duration::from_secs(30 * 60),
            heartbeat: Duration::from_secs(10),
            stuck_after: Duration::from_secs(10 * 60),
        }
    }
}

impl Pace {
    /// When a task that has failed so often is tried again.
    pub(super) fn retry_at(&self, failures: i32, now: DateTime<Utc>) -> DateTime<Utc> {
        let doubled = self.retry_base * 2_u32.saturating_pow(failures.clamp(0, 16).unsigned_abs());
        now + TimeDelta::from_std(doubled.min(self.retry_max)).unwrap_or_default()
    }
}

impl Settings {
    /// Between the starts of two syncs.
    pub(super) fn sync_every(&self) -> TimeDelta {
        TimeDelta::seconds(self.sync_every_seconds.into())
    }

    /// Between two looks at what changes unseen.
    pub(super) fn open_set_every(&self) -> TimeDelta {
        TimeDelta::seconds(self.open_set_every_seconds.into())
    }

    /// Between two sweeps; none where there are to be none.
    pub(super) fn sweep_every(&self) -> Option<TimeDelta> {
        (self.sweep_every_hours > 0).then(|| TimeDelta::hours(self.sweep_every_hours.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_after_failures_doubles_up_to_a_limit() {
        let pace = Pace::default();
        let wait = |failures| (pace.retry_at(failures, DateTime::UNIX_EPOCH)).timestamp();
        assert_eq!([wait(0), wait(1), wait(2), wait(60)], [30, 60, 120, 1800]);
    }
}
