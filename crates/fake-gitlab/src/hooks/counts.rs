//! What became of deliveries.

use serde::Serialize;

use super::faults::Fate;

/// Deliveries by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DeliveryCounts {
    /// Requests that were made.
    pub sent: u64,
    /// Of these, answered with 2xx or 3xx.
    pub answered: u64,
    /// Of these, answered otherwise, or not in time.
    pub failed: u64,
    /// Never made, because the plan of faults said so.
    pub lost: u64,
    /// Made twice, because the plan of faults said so.
    pub duplicated: u64,
    /// Made late, because the plan of faults said so.
    pub delayed: u64,
    /// Never made, because the hook was disabled or gone.
    pub disabled: u64,
}

impl DeliveryCounts {
    pub(super) fn count_fate(&mut self, fate: &Fate) {
        match fate.copies {
            0 => self.lost += 1,
            1 => {}
            _ => self.duplicated += 1,
        }
        if fate.copies > 0 && !fate.delay.is_zero() {
            self.delayed += 1;
        }
    }

    pub(super) fn count_answer(&mut self, success: bool) {
        self.sent += 1;
        match success {
            true => self.answered += 1,
            false => self.failed += 1,
        }
    }
}
