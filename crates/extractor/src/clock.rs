//! The time outside: what is due and what was read when is told by one clock, though this machine's may be wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use chrono::{DateTime, TimeDelta, Utc};
use sync::{Clock, SystemClock};

/// This machine's clock, set by that of the Weir outside.
#[derive(Debug, Clone, Default)]
pub struct Aligned(Arc<AtomicI64>);

impl Aligned {
    /// Sets it: so late it was outside, in the middle between asking and being answered.
    pub(crate) fn set(&self, outside: DateTime<Utc>, asked: DateTime<Utc>, answered: DateTime<Utc>) {
        let here = asked + (answered - asked) / 2;
        self.0.store((outside - here).num_milliseconds(), Relaxed);
    }

    /// How far this machine's clock is behind.
    pub fn behind(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.0.load(Relaxed))
    }
}

impl Clock for Aligned {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.behind()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_is_set_right() {
        let (clock, here) = (Aligned::default(), SystemClock.now());
        clock.set(here + TimeDelta::hours(1), here - TimeDelta::seconds(1), here + TimeDelta::seconds(1));
        assert_eq!(clock.behind(), TimeDelta::hours(1));
        assert!(clock.now() > here + TimeDelta::minutes(59));
    }
}
