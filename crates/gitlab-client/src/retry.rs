//! How often and after how long a failed request is tried again.

use std::time::Duration;

/// When a request that failed is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How many times a request is sent at most.
    pub attempts: u32,
    /// The longest wait before the second attempt; it doubles from there.
    pub base: Duration,
    /// No wait is longer.
    pub max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy { attempts: 5, base: Duration::from_millis(500), max: Duration::from_secs(30) }
    }
}

impl RetryPolicy {
    /// A wait with full jitter after so many failures.
    pub(crate) fn delay(&self, failures: u32) -> Duration {
        doubled(self.base, self.max, failures.saturating_sub(1)).mul_f64(rand::random::<f64>())
    }
}

/// `base` doubled `times` times, at most `max`.
pub(crate) fn doubled(base: Duration, max: Duration, times: u32) -> Duration {
    base.saturating_mul(2_u32.saturating_pow(times.min(31))).min(max)
}

/// A wait between the given time and a tenth (at most half a second) more, so that waiters do not come back at once.
pub(crate) fn spread(wait: Duration) -> Duration {
    wait + (wait / 10).min(Duration::from_millis(500)).mul_f64(rand::random::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_are_jittered_fully() {
        let policy = RetryPolicy { attempts: 9, base: Duration::from_secs(1), max: Duration::from_secs(5) };
        let steps: Vec<_> = (0..5).map(|n| doubled(policy.base, policy.max, n).as_secs()).collect();
        assert_eq!(steps, [1, 2, 4, 5, 5]);
        assert!((0..100).all(|_| policy.delay(2) <= Duration::from_secs(2)));
        assert_eq!(doubled(policy.base, policy.max, 4000), policy.max);
    }
}
