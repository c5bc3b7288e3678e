//! Which connections have lost their GitLab for now, and what deliveries could not be read.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// The first wait for a GitLab that is away; it doubles from there.
const FIRST: TimeDelta = TimeDelta::seconds(5);
/// The longest.
const LONGEST: TimeDelta = TimeDelta::minutes(5);

/// Why something was not read.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// Its GitLab is away, or wants no requests: it is asked again then.
    Away(DateTime<Utc>, String),
    /// GitLab does not show it any more: asking again would change nothing, and the next sync says what it lost.
    Refused(String),
    /// This alone could not be read.
    Other(String),
}

/// What a connection did not read of what deliveries name.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// Nothing of it.
    pub(super) all: Option<Trouble>,
    /// By project (GitLab's id).
    pub(super) projects: BTreeMap<i64, Trouble>,
}

impl Unread {
    pub(super) fn all(trouble: Trouble) -> Unread {
        Unread { all: Some(trouble), projects: BTreeMap::new() }
    }

    /// What kept a delivery about this project from being read.
    pub(super) fn of(&self, project: Option<i64>) -> Option<&Trouble> {
        self.all.as_ref().or_else(|| self.projects.get(&project?))
    }
}

/// The connections whose GitLab is away, each until when.
#[derive(Debug, Default)]
pub(super) struct Absences(Mutex<HashMap<i64, Absence>>);

#[derive(Debug)]
struct Absence {
    until: DateTime<Utc>,
    times: i32,
    why: String,
}

impl Absences {
    /// Whether the GitLab of a connection is not to be asked now.
    pub(super) fn of(&self, connection: i64, now: DateTime<Utc>) -> Option<(DateTime<Utc>, String)> {
        let all = self.all();
        // A clock that was put back does not make it longer.
        let found = all.get(&connection).filter(|it| it.until > now && it.until - now <= LONGEST);
        found.map(|it| (it.until, it.why.clone()))
    }

    /// Notes that the GitLab of a connection did not answer. Gives when it is asked again.
    pub(super) fn note(&self, connection: i64, why: &str, now: DateTime<Utc>) -> DateTime<Utc> {
        let mut all = self.all();
        let absence = all.entry(connection).or_insert(Absence { until: now, times: 0, why: String::new() });
        // Readings that were under way at the same time have met the same absence.
        if absence.until <= now || absence.until - now > LONGEST {
            let wait = FIRST * 2_i32.saturating_pow(absence.times.clamp(0, 10).unsigned_abs());
            absence.until = now + wait.min(LONGEST);
            absence.times += 1;
        }
        absence.why = why.to_owned();
        absence.until
    }

    /// Notes that it answers.
    pub(super) fn is_back(&self, connection: i64) {
        self.all().remove(&connection);
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Absence>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absence_is_looked_at_less_and_less_often_and_ends_with_an_answer() {
        let absences = Absences::default();
        let mut now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        let mut waits = Vec::new();
        for _ in 0..8 {
            let until = absences.note(1, "away", now);
            assert_eq!(absences.note(1, "away", now), until, "the same absence");
            assert!(absences.of(1, now).is_some() && absences.of(2, now).is_none());
            waits.push((until - now).num_seconds());
            now = until;
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
        absences.note(1, "away", now);
        assert!(absences.of(1, now - TimeDelta::days(1)).is_none(), "the clock was put back");
        absences.is_back(1);
        assert_eq!((absences.note(1, "away", now) - now).num_seconds(), 5);
    }
}
