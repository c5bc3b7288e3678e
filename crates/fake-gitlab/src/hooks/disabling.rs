//! Hooks whose deliveries fail are disabled, as on gitlab.com.

use chrono::TimeDelta;
use serde::Serialize;

use super::Hook;
use crate::world::model::Time;

/// Failures after which nothing happens yet.
const TOLERATED: u32 = 3;
/// Failures from which on a hook is off for good.
const TOO_MANY: u32 = 40;
/// The longest time a hook is off.
const LONGEST: TimeDelta = TimeDelta::hours(24);

/// Whether deliveries are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// They are.
    Executable,
    /// Not before `disabled_until`.
    TemporarilyDisabled,
    /// Not until a trial succeeds.
    Disabled,
}

impl Hook {
    /// Whether deliveries are made at this moment.
    pub fn alert_status(&self, now: Time) -> AlertStatus {
        match self.disabled_until {
            _ if self.is_off() => AlertStatus::Disabled,
            Some(until) if until > now => AlertStatus::TemporarilyDisabled,
            _ => AlertStatus::Executable,
        }
    }

    fn is_off(&self) -> bool {
        self.failures >= TOO_MANY
    }

    /// A delivery was answered well.
    pub(super) fn recover(&mut self) {
        self.failures = 0;
        self.disabled_until = None;
    }

    /// A delivery failed. Those that were on their way when the hook was disabled do not count.
    pub(super) fn fail(&mut self, now: Time) {
        if self.alert_status(now) != AlertStatus::Executable {
            return;
        }
        self.failures += 1;
        if self.failures > TOLERATED && !self.is_off() {
            self.disabled_until = Some(now + pause(self.failures - TOLERATED - 1));
        }
        if self.is_off() {
            self.disabled_until = None;
        }
    }
}

/// A minute, and twice as long each time.
fn pause(times_before: u32) -> TimeDelta {
    let minutes = 1_i64.checked_shl(times_before.min(16)).unwrap_or(i64::MAX);
    TimeDelta::minutes(minutes).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hooks::HookOwner;

    fn hook() -> (Hook, Time) {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        (Hook::new(HookOwner::System, "http://localhost", now), now)
    }

    #[test]
    fn three_failures_are_tolerated_and_then_the_pause_doubles() {
        let (mut hook, mut now) = hook();
        for _ in 0..3 {
            hook.fail(now);
        }
        assert_eq!(hook.alert_status(now), AlertStatus::Executable);
        for minutes in [1, 2, 4, 8] {
            hook.fail(now);
            assert_eq!(hook.alert_status(now), AlertStatus::TemporarilyDisabled);
            assert_eq!(hook.disabled_until, Some(now + TimeDelta::minutes(minutes)));
            now += TimeDelta::minutes(minutes);
        }
        hook.recover();
        assert_eq!((hook.failures, hook.alert_status(now)), (0, AlertStatus::Executable));
    }

    #[test]
    fn after_forty_failures_a_hook_is_off_for_good() {
        let (mut hook, mut now) = hook();
        for _ in 0..40 {
            hook.fail(now);
            now += TimeDelta::hours(24);
        }
        assert_eq!(hook.alert_status(now + TimeDelta::days(365)), AlertStatus::Disabled);
    }

    #[test]
    fn what_fails_while_a_hook_is_disabled_does_not_count() {
        let (mut hook, now) = hook();
        for _ in 0..50 {
            hook.fail(now);
        }
        assert_eq!((hook.failures, hook.alert_status(now)), (4, AlertStatus::TemporarilyDisabled));
    }
}
