//! Deliveries that are lost, doubled or late, decided by a seed.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How deliveries go wrong. The shares are from 0 to 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HookFaults {
    /// Share that is never made.
    pub lost: f64,
    /// Share that is made twice, with the same key.
    pub duplicated: f64,
    /// Share that is late, and so comes after others.
    pub delayed: f64,
    /// The longest delay.
    pub delay_milliseconds: u64,
    /// Makes them repeatable.
    pub seed: u64,
}

/// A plan and the random numbers that follow from its seed.
pub(super) struct Dice {
    plan: HookFaults,
    rng: ChaCha8Rng,
}

/// What is to become of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fate {
    /// How often it is made.
    pub copies: usize,
    /// How long it waits.
    pub delay: Duration,
}

impl Default for Fate {
    fn default() -> Self {
        Self { copies: 1, delay: Duration::ZERO }
    }
}

impl Dice {
    pub(super) fn new(plan: HookFaults) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(plan.seed);
        Self { plan, rng }
    }

    pub(super) fn throw(&mut self) -> Fate {
        // All numbers are drawn every time, so that one share does not change what another decides.
        let [lost, twice, late] = [self.plan.lost, self.plan.duplicated, self.plan.delayed]
            .map(|share| self.rng.random_bool(share.clamp(0.0, 1.0)));
        let delay = self.rng.random_range(0..=self.plan.delay_milliseconds);
        let copies = match (lost, twice) {
            (true, _) => 0,
            (false, true) => 2,
            (false, false) => 1,
        };
        Fate { copies, delay: Duration::from_millis(if late { delay } else { 0 }) }
    }
}
