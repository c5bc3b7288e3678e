//! What becomes of deliveries once they were read, by some or by all.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use store::{PutOff, StoreError};

use super::absence::{Trouble, Unread};
use super::desk::Item;
use crate::tasks::Worker;

/// What cannot be read, though GitLab answers, is tried so often, each time later.
const ATTEMPTS: i32 = 6;
const RETRY: TimeDelta = TimeDelta::seconds(5);
/// A GitLab that is away is waited for so long. By then a sync has read everything, or GitLab is still away.
const WAITED: TimeDelta = TimeDelta::days(1);

/// Writes what became of deliveries. Whoever has read one does not read it again because others could not.
pub(super) async fn end(worker: &Worker, items: &[Item], unread: &[(i64, Unread)]) -> Result<(), StoreError> {
    let now = worker.clock.now();
    let mut done = Vec::new();
    let mut refused: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut failed: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut again: BTreeMap<PutOff, Vec<i64>> = BTreeMap::new();
    for item in items {
        match fate(item, unread, now) {
            Fate::Done => done.push(item.id),
            Fate::Refused(why) => refused.entry(why).or_default().push(item.id),
            Fate::Failed(why) => failed.entry(why).or_default().push(item.id),
            Fate::Again(off) => again.entry(off).or_default().push(item.id),
        }
    }
    worker.telemetry.deliveries_ended("done", done.len());
    worker.store.end_deliveries(&done, "done", None, now).await?;
    for (why, ids) in refused {
        tracing::debug!(why, deliveries = ids.len(), "what webhooks name is out of sight");
        worker.telemetry.deliveries_ended("done", ids.len());
        worker.store.end_deliveries(&ids, "done", Some(&why), now).await?;
    }
    for (why, ids) in failed {
        tracing::warn!(why, deliveries = ids.len(), "what webhooks name could not be read; given up");
        worker.telemetry.deliveries_ended("failed", ids.len());
        worker.store.end_deliveries(&ids, "failed", Some(&why), now).await?;
    }
    for (off, ids) in again {
        tracing::debug!(why = off.note, deliveries = ids.len(), "what webhooks name is read later");
        worker.telemetry.deliveries_ended("put_off", ids.len());
        worker.store.put_off_deliveries(&ids, &off).await?;
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Done,
    Refused(String),
    Failed(String),
    Again(PutOff),
}

fn fate(item: &Item, unread: &[(i64, Unread)], now: DateTime<Utc>) -> Fate {
    let mut read_by = Vec::new();
    let (mut troubles, mut refused) = (Vec::new(), None);
    for (connection, unread) in unread.iter().filter(|it| !item.read_by.contains(&it.0)) {
        match unread.of(item.project) {
            None => read_by.push(*connection),
            Some(Trouble::Refused(why)) => {
                read_by.push(*connection);
                refused = Some(why.clone());
            }
            Some(trouble) => troubles.push(trouble),
        }
    }
    let other = troubles.iter().find_map(|it| match it {
        Trouble::Other(why) => Some(why.clone()),
        Trouble::Away(..) | Trouble::Refused(_) => None,
    });
    let away = troubles.iter().find_map(|it| match it {
        Trouble::Away(until, why) => Some((*until, why.clone())),
        Trouble::Other(_) | Trouble::Refused(_) => None,
    });
    match (other, away) {
        (None, None) => refused.map_or(Fate::Done, Fate::Refused),
        (Some(why), _) if item.attempts + 1 >= ATTEMPTS => Fate::Failed(why),
        (Some(note), _) => {
            let due_at = now + RETRY * 2_i32.saturating_pow(item.attempts.unsigned_abs());
            Fate::Again(PutOff { due_at, note, read_by, counts: true })
        }
        (None, Some((_, why))) if now - item.received_at > WAITED => Fate::Failed(why),
        (None, Some((due_at, note))) => Fate::Again(PutOff { due_at, note, read_by, counts: false }),
    }
}

#[cfg(test)]
mod tests {
    use catalogue::events::Changed;

    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn item(attempts: i32) -> Item {
        Item {
            id: 1,
            received_at: NOW,
            attempts,
            read_by: vec![9],
            changed: Changed::Trunk,
            project: Some(4),
        }
    }

    fn away() -> Unread {
        Unread::all(Trouble::Away(NOW + TimeDelta::seconds(40), "away".to_owned()))
    }

    fn other(project: i64) -> Unread {
        Unread { all: None, projects: [(project, Trouble::Other("no".to_owned()))].into() }
    }

    #[test]
    fn what_some_could_not_read_is_put_off_for_them_alone() {
        let unread = [(7, Unread::default()), (8, away()), (9, away())];
        let Fate::Again(off) = fate(&item(0), &unread, NOW) else { panic!("it is put off") };
        assert_eq!((off.read_by, off.counts), (vec![7], false));
        assert_eq!(off.due_at, NOW + TimeDelta::seconds(40));
    }

    #[test]
    fn another_project_that_cannot_be_read_holds_nothing_up() {
        assert_eq!(fate(&item(0), &[(7, other(5))], NOW), Fate::Done);
        assert!(matches!(fate(&item(0), &[(7, other(4))], NOW), Fate::Again(off) if off.counts));
        assert_eq!(fate(&item(5), &[(7, other(4))], NOW), Fate::Failed("no".to_owned()));
    }

    #[test]
    fn what_is_out_of_sight_is_not_asked_for_again() {
        let refused = Unread { all: None, projects: [(4, Trouble::Refused("403".to_owned()))].into() };
        let unread = [(7, refused), (8, Unread::default())];
        assert_eq!(fate(&item(0), &unread, NOW), Fate::Refused("403".to_owned()));
        let [first, _] = unread;
        let Fate::Again(off) = fate(&item(0), &[first, (8, away())], NOW) else { panic!("it is put off") };
        assert_eq!(off.read_by, [7]);
    }

    #[test]
    fn an_absence_is_no_attempt_but_does_not_last_for_ever() {
        assert!(matches!(fate(&item(5), &[(7, away())], NOW), Fate::Again(off) if !off.counts));
        let later = NOW + TimeDelta::days(2);
        assert_eq!(fate(&item(0), &[(7, away())], later), Fate::Failed("away".to_owned()));
    }
}
