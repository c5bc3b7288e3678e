//! The sums of a shared budget: how many of the requests that GitLab still allows may be sent by whom.
//!
//! GitLab tells in every answer how many requests a user has left in the current window. That number is the truth, whoever
//! else uses it up. What may be granted is what is left of it once everything is taken off that was granted to others and
//! may still be sent. Grants lapse after seconds, so that the share of a process that was killed returns.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::gate_store::{Ask, Lease, Seen};

/// How long a slice may be used.
const LEASE: TimeDelta = TimeDelta::seconds(5);
/// A slice counts against the others a little longer than its holder may use it: word of it travels.
const GRACE: TimeDelta = TimeDelta::milliseconds(500);
/// When to ask again where what is left is in the hands of others.
const AGAIN: TimeDelta = TimeDelta::milliseconds(250);

/// What is known of a budget, wherever it is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    window: Option<Seen>,
    paused_until: Option<DateTime<Utc>>,
    /// Pauses of single endpoints.
    endpoints: BTreeMap<String, DateTime<Utc>>,
    /// What may still be sent, by holder.
    holdings: BTreeMap<u64, Holding>,
}

/// Requests that a client may still send, or has under way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Holding {
    requests: u32,
    until: DateTime<Utc>,
}

impl Budget {
    /// Grants a slice of what is left.
    pub fn lease(&mut self, ask: &Ask) -> Lease {
        self.learn(ask);
        self.forget(ask.now);
        self.holdings.remove(&ask.holder);
        if let Some(until) = self.paused_until {
            self.hold(ask, 0, ask.now);
            return Lease { granted: 0, until };
        }
        let lapses = ask.now + LEASE;
        let (granted, until) = match self.window {
            Some(window) => self.slice(ask, window, lapses),
            // It was answered, and nothing was said of a limit: there is none to share, only pauses.
            None if ask.unlimited => return Lease { granted: u32::MAX, until: lapses },
            None => ((ask.want / self.sharers()).max(1), lapses),
        };
        self.hold(ask, granted, if granted == 0 { lapses } else { until });
        Lease { granted, until }
    }

    /// GitLab asked to wait, at one endpoint or at all.
    pub fn pause(&mut self, endpoint: Option<&str>, until: DateTime<Utc>) {
        match endpoint {
            None => self.paused_until = self.paused_until.max(Some(until)),
            Some(endpoint) => {
                let known = self.endpoints.entry(endpoint.to_owned()).or_insert(until);
                *known = until.max(*known);
            }
        }
    }

    /// Until when nothing may be asked at this endpoint, as far as was told; it may be over.
    pub fn paused(&self, endpoint: &str) -> Option<DateTime<Utc>> {
        self.paused_until.max(self.endpoints.get(endpoint).copied())
    }

    /// All pauses: of endpoints, and under no name of everything.
    pub fn pauses(&self) -> Vec<(Option<String>, DateTime<Utc>)> {
        let endpoints = self.endpoints.iter().map(|(endpoint, until)| (Some(endpoint.clone()), *until));
        self.paused_until.map(|until| (None, until)).into_iter().chain(endpoints).collect()
    }

    /// How many clients hold a part of it, one that is about to ask included.
    pub fn sharers(&self) -> u32 {
        u32::try_from(self.holdings.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn slice(&self, ask: &Ask, window: Seen, lapses: DateTime<Utc>) -> (u32, DateTime<Utc>) {
        let with_others = self.held(|_| true);
        let left = window.remaining.saturating_sub(with_others).saturating_sub(ask.in_flight);
        let lapsed = self.held(|it| it.until <= ask.now);
        let share = match self.sharers() {
            // How much of what lapsed was used, only GitLab can tell: one request asks it.
            _ if left == 0 && ask.in_flight == 0 && window.remaining > with_others - lapsed => 1,
            1 => left,
            // Small enough that whoever comes next finds something too.
            sharers => (left / sharers.saturating_mul(2)).max(left.min(1)),
        };
        let used_up = with_others == 0 && ask.in_flight == 0;
        match share.min(ask.want) {
            0 if used_up => (0, window.resets_at),
            0 => (0, window.resets_at.min(ask.now + AGAIN)),
            granted => (granted, window.resets_at.min(lapses)),
        }
    }

    fn held(&self, which: impl Fn(&Holding) -> bool) -> u32 {
        let counted = self.holdings.values().filter(|it| which(it));
        counted.map(|it| it.requests).fold(0, u32::saturating_add)
    }

    fn hold(&mut self, ask: &Ask, granted: u32, until: DateTime<Utc>) {
        let requests = granted.saturating_add(ask.in_flight);
        self.holdings.insert(ask.holder, Holding { requests, until: until + GRACE });
    }

    /// Takes the newer window; within one window what is left only falls.
    fn learn(&mut self, ask: &Ask) {
        let Some(new) = ask.seen.filter(|it| it.resets_at > ask.now) else { return };
        self.window = Some(match self.window {
            Some(old) if is_same_window(old, new) && old.remaining < new.remaining => old,
            Some(old) if is_same_window(old, new) && old.remaining == new.remaining => {
                Seen { heard_at: old.heard_at.max(new.heard_at), ..old }
            }
            Some(old) if is_same_window(old, new) => Seen { resets_at: old.resets_at, ..new },
            Some(old) if old.resets_at > new.resets_at => old,
            _ => new,
        });
    }

    /// Lets go of what is over. A slice that lapsed counts as used until GitLab has told how much is left without it.
    fn forget(&mut self, now: DateTime<Utc>) {
        self.window = self.window.filter(|it| it.resets_at > now);
        self.paused_until = self.paused_until.filter(|it| *it > now);
        self.endpoints.retain(|_, until| *until > now);
        let heard_at = self.window.map_or(now, |it| it.heard_at);
        self.holdings.retain(|_, it| it.until > now || it.until > heard_at);
    }
}

/// Ends of windows are told in whole seconds and measured by different clocks.
fn is_same_window(one: Seen, other: Seen) -> bool {
    (one.resets_at - other.resets_at).abs() < TimeDelta::milliseconds(1500)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn seen(remaining: u32, heard: i64) -> Option<Seen> {
        Some(Seen { limit: Some(60), remaining, resets_at: at(60), heard_at: at(heard) })
    }

    fn ask(holder: u64, now: i64, seen: Option<Seen>) -> Ask {
        Ask { holder, want: 10, now: at(now), seen, in_flight: 0, unlimited: false }
    }

    #[test]
    fn one_alone_gets_all_that_is_left() {
        let mut budget = Budget::default();
        assert_eq!(budget.lease(&ask(1, 1, seen(15, 1))).granted, 10);
        assert_eq!(budget.lease(&ask(1, 2, seen(5, 2))).granted, 5);
        assert_eq!(budget.lease(&ask(1, 3, seen(0, 3))), Lease { granted: 0, until: at(60) });
        assert_eq!(
            budget.lease(&ask(1, 61, seen(0, 3))).granted,
            10,
            "a new window, of which nothing is known"
        );
    }

    #[test]
    fn what_others_may_still_send_is_not_granted_twice() {
        let mut budget = Budget::default();
        assert_eq!(budget.lease(&ask(1, 1, seen(12, 1))).granted, 10);
        assert_eq!(budget.lease(&ask(2, 1, None)).granted, 1, "two are left, and others may come");
        let none = budget.lease(&Ask { in_flight: 1, ..ask(3, 1, None) });
        assert_eq!((none.granted, none.until), (0, at(1) + AGAIN));
    }

    #[test]
    fn all_together_never_get_more_than_is_left() {
        let mut budget = Budget::default();
        let mut left: u32 = 60;
        for turn in 0..200 {
            let granted = budget.lease(&ask(turn % 3, 1, seen(left, 1))).granted;
            left = left.checked_sub(granted).expect("no more than is left");
        }
        assert_eq!(left, 0, "and all of it");
    }

    #[test]
    fn the_share_of_one_that_was_killed_returns() {
        let mut budget = Budget::default();
        budget.lease(&ask(1, 1, seen(12, 1)));
        assert_eq!(budget.lease(&ask(2, 5, seen(12, 5))).granted, 1);
        assert_eq!(budget.lease(&ask(2, 5, seen(10, 5))).granted, 0);
        assert_eq!(budget.lease(&ask(2, 8, seen(10, 5))).granted, 1, "nothing was heard since it lapsed");
        assert_eq!(budget.lease(&ask(2, 9, seen(8, 9))).granted, 8, "GitLab counts what was sent");
    }

    #[test]
    fn a_pause_holds_for_all_and_one_of_an_endpoint_for_that_endpoint() {
        let mut budget = Budget::default();
        budget.pause(None, at(30));
        budget.pause(Some("groups"), at(50));
        assert_eq!(budget.lease(&ask(1, 1, seen(12, 1))), Lease { granted: 0, until: at(30) });
        assert_eq!((budget.paused("groups"), budget.paused("projects")), (Some(at(50)), Some(at(30))));
        assert!(budget.lease(&ask(1, 31, seen(12, 1))).granted > 0);
        assert_eq!((budget.paused("groups"), budget.paused("projects")), (Some(at(50)), None));
    }

    #[test]
    fn where_no_limit_is_told_there_is_nothing_to_share() {
        let mut budget = Budget::default();
        let unlimited = Ask { unlimited: true, ..ask(1, 1, None) };
        assert_eq!(budget.lease(&unlimited), Lease { granted: u32::MAX, until: at(6) });
        budget.pause(None, at(9));
        assert_eq!(budget.lease(&Ask { now: at(7), ..unlimited }).granted, 0);
    }

    #[test]
    fn a_budget_is_the_same_after_it_was_kept() {
        let mut budget = Budget::default();
        budget.pause(Some("groups"), at(50));
        budget.lease(&ask(u64::MAX, 1, seen(12, 1)));
        let text = serde_json::to_string(&budget).unwrap();
        assert_eq!(serde_json::from_str::<Budget>(&text).unwrap(), budget);
    }
}
