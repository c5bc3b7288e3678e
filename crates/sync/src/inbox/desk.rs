//! What this process has taken from the inbox: by GitLab, so that one that hangs keeps none of the others waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalogue::events::Changed;
use chrono::{DateTime, Utc};

/// Readings of one GitLab that are under way at once.
const AT_ONCE: usize = 8;
/// Deliveries of one GitLab that wait here for a reading. More are left to wait in the database.
const WAITING: usize = 20_000;
/// Deliveries that are read together.
const TOGETHER: usize = 1000;

/// A delivery without its payload.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) id: i64,
    pub(super) received_at: DateTime<Utc>,
    pub(super) attempts: i32,
    /// Connections that have read already what it names.
    pub(super) read_by: Vec<i64>,
    pub(super) changed: Changed,
    /// The project (GitLab's id).
    pub(super) project: Option<i64>,
}

/// What was taken and not dealt with yet.
#[derive(Clone, Default)]
pub(super) struct Desk(Arc<Mutex<BTreeMap<i64, Pile>>>);

/// Of one GitLab.
#[derive(Default)]
struct Pile {
    waiting: Vec<Item>,
    being_read: BTreeSet<i64>,
    readings: usize,
}

/// Deliveries that are read together. They are off the desk when this is dropped, however the reading ends.
pub(super) struct Reading {
    desk: Desk,
    pub(super) instance: i64,
    pub(super) items: Vec<Item>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.desk.done(self.instance, &self.items);
    }
}

impl Desk {
    /// Lays deliveries of a GitLab on the desk. Gives back those for which there is no room.
    pub(super) fn lay(&self, instance: i64, mut items: Vec<Item>) -> Vec<Item> {
        let mut piles = self.piles();
        let waiting = &mut piles.entry(instance).or_default().waiting;
        let room = WAITING.saturating_sub(waiting.len());
        let too_many = items.split_off(room.min(items.len()));
        waiting.append(&mut items);
        too_many
    }

    /// Takes what can be read now.
    pub(super) fn take(&self) -> Vec<Reading> {
        let mut taken = Vec::new();
        for (instance, pile) in self.piles().iter_mut() {
            while !pile.waiting.is_empty() && pile.readings < AT_ONCE {
                let rest = pile.waiting.split_off(TOGETHER.min(pile.waiting.len()));
                let items = mem::replace(&mut pile.waiting, rest);
                pile.being_read.extend(items.iter().map(|it| it.id));
                pile.readings += 1;
                taken.push(Reading { desk: self.clone(), instance: *instance, items });
            }
        }
        taken
    }

    fn done(&self, instance: i64, items: &[Item]) {
        if let Some(pile) = self.piles().get_mut(&instance) {
            pile.readings = pile.readings.saturating_sub(1);
            pile.being_read.retain(|id| items.iter().all(|it| it.id != *id));
        }
    }

    /// Everything on the desk.
    pub(super) fn ids(&self) -> Vec<i64> {
        let piles = self.piles();
        let of = |it: &Pile| it.waiting.iter().map(|it| it.id).chain(it.being_read.iter().copied()).collect();
        piles.values().flat_map(|it| -> Vec<i64> { of(it) }).collect()
    }

    fn piles(&self) -> MutexGuard<'_, BTreeMap<i64, Pile>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(ids: std::ops::Range<i64>) -> Vec<Item> {
        let one = |id| Item {
            id,
            received_at: DateTime::UNIX_EPOCH,
            attempts: 0,
            read_by: Vec::new(),
            changed: Changed::Trunk,
            project: Some(1),
        };
        ids.map(one).collect()
    }

    #[test]
    fn a_gitlab_that_hangs_leaves_room_for_another() {
        let desk = Desk::default();
        let mut readings = Vec::new();
        for first in 0..20 {
            assert!(desk.lay(1, items(first * 10..first * 10 + 10)).is_empty());
            readings.extend(desk.take());
        }
        assert!(desk.take().is_empty(), "no more readings of the first one begin");
        desk.lay(2, items(900..901));
        let taken = desk.take();
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].instance, 2);
        assert_eq!(desk.ids().len(), 201, "what waits keeps its lease");
        drop(taken);
        assert_eq!(desk.ids().len(), 200);
    }

    #[test]
    fn more_than_there_is_room_for_is_given_back() {
        let desk = Desk::default();
        assert_eq!(desk.lay(1, items(0..20_005)).len(), 5);
        assert_eq!(desk.lay(1, items(30_000..30_001)).len(), 1);
    }
}
