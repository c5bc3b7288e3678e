//! How the world changes, with GitLab's own habits: which change writes a system note, which one moves
//! `updated_at`, and which one leaves no trace. Every method acts at the world's `now` and moves it by a few
//! milliseconds, as writing takes time. Methods panic when given an id that does not exist.

mod approval_rules;
mod ci;
mod commits;
mod day;
mod groups;
mod issues;
mod labels;
mod members;
mod merge_requests;
mod milestones;
mod notes;
mod projects;
mod random;
mod reviews;

pub use ci::{JobOutcome, NewDeployment, NewJob, NewPipeline};
pub(crate) use commits::new_commit;
pub use day::{Day, Spread};
pub use issues::NewIssue;
pub use merge_requests::{MergeStyle, NewMergeRequest};
pub use notes::NewNote;
pub use random::{Kinds, Subject, random_change, random_change_among, random_ci_change};

use chrono::TimeDelta;

use super::hash::mix;
use super::model::{Id, MergeRequest, Time, World};

/// GitLab does not touch a row again within this time (`ThrottledTouch::TOUCH_INTERVAL`).
pub const TOUCH_INTERVAL: TimeDelta = TimeDelta::seconds(60);

/// A project's last activity is not moved again within this time.
const ACTIVITY_INTERVAL: TimeDelta = TimeDelta::hours(1);

impl World {
    /// Moves the clock forward.
    pub fn advance(&mut self, by: TimeDelta) {
        self.now += by;
    }

    /// A moment between one and nine milliseconds later, as the next write of the same request would have.
    pub fn tick(&mut self) -> Time {
        self.ids.ticks += 1;
        let micros = 1_000 + (mix(self.ids.ticks) % 8_000) as i64;
        self.now += TimeDelta::microseconds(micros);
        self.now
    }

    pub(crate) fn merge_request_mut(&mut self, id: Id) -> &mut MergeRequest {
        let mr = self.merge_requests.get_mut(&id).expect("the merge request exists");
        self.events.remember(mr);
        mr
    }

    /// What a saved note does to its merge request: `updated_at` moves unless it is less than a minute old.
    pub fn touch(&mut self, merge_request_id: Id) {
        let now = self.now;
        let mr = self.merge_request_mut(merge_request_id);
        if now - mr.updated_at > TOUCH_INTERVAL {
            mr.updated_at = now;
        }
        self.note_activity(merge_request_id);
    }

    /// A project's `last_activity_at` moves at most once an hour.
    fn note_activity(&mut self, merge_request_id: Id) {
        let (now, project_id) = (self.now, self.merge_requests[&merge_request_id].project_id);
        if let Some(project) = self.projects.get_mut(&project_id)
            && now - project.last_activity_at > ACTIVITY_INTERVAL
        {
            project.last_activity_at = now;
        }
    }

    /// What a change of the merge request's own columns does: `updated_at` always moves.
    fn save(&mut self, merge_request_id: Id) {
        let now = self.tick();
        self.merge_request_mut(merge_request_id).updated_at = now;
        self.note_activity(merge_request_id);
    }

    pub(crate) fn username(&self, user_id: Id) -> &str {
        self.users.get(&user_id).map_or("ghost", |user| &user.username)
    }
}

/// `@a, @b and @c`, as GitLab joins names in system notes.
fn sentence(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}

/// The ids that are not yet known, each once.
fn fresh(ids: &[Id], known: &[Id]) -> Vec<Id> {
    let mut fresh: Vec<Id> = Vec::with_capacity(ids.len());
    for id in ids {
        if !known.contains(id) && !fresh.contains(id) {
            fresh.push(*id);
        }
    }
    fresh
}
