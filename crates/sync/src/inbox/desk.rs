//! What this process has taken from the inbox: by GitLab, so that one that hangs keeps none of the others waiting.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use catalogue::events::Changed;
use chrono::{DateTime, Utc};

/// Readings of one GitLab that are under way at once, of each age.
const AT_ONCE: usize = 4;
/// Deliveries that are read together.
const TOGETHER: usize = 1000;
/// So many that wait are enough: no more are taken for a while. The more are here, the more of them name the same.
const ENOUGH: usize = 20 * TOGETHER;
/// Deliveries of one GitLab and age that wait here for a reading. More are left to wait in the database.
const WAITING: usize = 2 * ENOUGH;
/// However many wait, what comes for another GitLab is looked for after so long.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How long deliveries have waited. What has just come does not wait behind what came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    Fresh,
    Older,
}

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
pub(super) struct Desk(Arc<Mutex<Piles>>);

#[derive(Default)]
struct Piles {
    /// By GitLab.
    piles: BTreeMap<i64, [Pile; 2]>,
    /// When more was taken last, by age.
    taken_at: [Option<Instant>; 2],
}

/// Of one GitLab and age.
#[derive(Default)]
struct Pile {
    waiting: Vec<Item>,
    being_read: BTreeSet<i64>,
    readings: usize,
}

/// Deliveries that are read together. They are off the desk when this is dropped, however the reading ends.
pub(super) struct Reading {
    desk: Desk,
    age: Age,
    pub(super) instance: i64,
    pub(super) items: Vec<Item>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.desk.done(self.age, self.instance, &self.items);
    }
}

impl Desk {
    /// Whether more of this age is to be taken now.
    pub(super) fn wants(&self, age: Age) -> bool {
        let mut piles = self.piles();
        let waiting: usize = piles.piles.values().map(|it| it[age as usize].waiting.len()).sum();
        let long_ago = piles.taken_at[age as usize].is_none_or(|it| it.elapsed() > LOOK_AGAIN);
        let wants = waiting < ENOUGH || long_ago;
        if wants {
            piles.taken_at[age as usize] = Some(Instant::now());
        }
        wants
    }

    /// Lays deliveries of a GitLab on the desk. Gives back those for which there is no room.
    pub(super) fn lay(&self, age: Age, instance: i64, mut items: Vec<Item>) -> Vec<Item> {
        let mut piles = self.piles();
        let waiting = &mut piles.piles.entry(instance).or_default()[age as usize].waiting;
        let room = WAITING.saturating_sub(waiting.len());
        let too_many = items.split_off(room.min(items.len()));
        waiting.append(&mut items);
        too_many
    }

    /// Takes what can be read now.
    pub(super) fn take(&self) -> Vec<Reading> {
        let mut taken = Vec::new();
        for (instance, piles) in &mut self.piles().piles {
            for age in [Age::Fresh, Age::Older] {
                while let Some(items) = piles[age as usize].take() {
                    taken.push(Reading { desk: self.clone(), age, instance: *instance, items });
                }
            }
        }
        taken
    }

    fn done(&self, age: Age, instance: i64, items: &[Item]) {
        if let Some(piles) = self.piles().piles.get_mut(&instance) {
            let pile = &mut piles[age as usize];
            pile.readings = pile.readings.saturating_sub(1);
            for item in items {
                pile.being_read.remove(&item.id);
            }
        }
    }

    /// Everything on the desk.
    pub(super) fn ids(&self) -> Vec<i64> {
        let piles = self.piles();
        let of = |it: &Pile| it.waiting.iter().map(|it| it.id).chain(it.being_read.iter().copied()).collect();
        piles.piles.values().flatten().flat_map(|it| -> Vec<i64> { of(it) }).collect()
    }

    fn piles(&self) -> MutexGuard<'_, Piles> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pile {
    /// The next to be read together, unless as many readings are under way as may be.
    fn take(&mut self) -> Option<Vec<Item>> {
        if self.waiting.is_empty() || self.readings >= AT_ONCE {
            return None;
        }
        let items = self.of_some_projects();
        self.being_read.extend(items.iter().map(|it| it.id));
        self.readings += 1;
        Some(items)
    }

    /// The next ones, and whatever else waits of their projects: what many name is read once.
    fn of_some_projects(&mut self) -> Vec<Item> {
        let mut counts: HashMap<Option<i64>, usize> = HashMap::new();
        for item in &self.waiting {
            *counts.entry(item.project).or_default() += 1;
        }
        let (mut chosen, mut total) = (HashSet::new(), 0);
        for item in &self.waiting {
            if total >= TOGETHER {
                break;
            }
            if chosen.insert(item.project) {
                total += counts[&item.project];
            }
        }
        let all = mem::take(&mut self.waiting).into_iter();
        let (items, others) = all.partition(|it| chosen.contains(&it.project));
        self.waiting = others;
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each of a project of its own.
    fn items(ids: std::ops::Range<i64>) -> Vec<Item> {
        let one = |id| Item {
            id,
            received_at: DateTime::UNIX_EPOCH,
            attempts: 0,
            read_by: Vec::new(),
            changed: Changed::Trunk,
            project: Some(id),
        };
        ids.map(one).collect()
    }

    #[test]
    fn a_gitlab_that_hangs_leaves_room_for_another() {
        let desk = Desk::default();
        let mut readings = Vec::new();
        for first in 0..20 {
            assert!(desk.lay(Age::Older, 1, items(first * 10..first * 10 + 10)).is_empty());
            readings.extend(desk.take());
        }
        assert!(desk.take().is_empty(), "no more readings of the first one begin");
        desk.lay(Age::Older, 2, items(900..901));
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
        assert_eq!(desk.lay(Age::Older, 1, items(0..40_005)).len(), 5);
        assert_eq!(desk.lay(Age::Older, 1, items(90_000..90_001)).len(), 1);
        assert!(desk.lay(Age::Fresh, 1, items(90_000..90_001)).is_empty());
    }

    #[test]
    fn what_has_just_come_does_not_wait_behind_what_came_before() {
        let desk = Desk::default();
        desk.lay(Age::Older, 1, items(0..4000));
        let older = desk.take();
        assert_eq!(older.len(), 4);
        desk.lay(Age::Older, 1, items(4000..24_000));
        assert!(desk.wants(Age::Older), "it was not looked at for long");
        assert!(!desk.wants(Age::Older), "enough waits here");
        assert!(desk.wants(Age::Fresh));
        desk.lay(Age::Fresh, 1, items(90_000..90_001));
        let fresh = desk.take();
        assert_eq!(fresh.len(), 1);
        assert_eq!(fresh[0].items[0].id, 90_000);
    }

    #[test]
    fn what_waits_of_one_project_is_read_together() {
        let desk = Desk::default();
        let of = |id: i64, project| Item { project: Some(project), ..items(id..id + 1).remove(0) };
        desk.lay(Age::Older, 1, (0..9000).map(|id| of(id, id % 3)).collect());
        let sizes: Vec<usize> = desk.take().iter().map(|it| it.items.len()).collect();
        assert_eq!(sizes, [3000, 3000, 3000]);
    }
}
