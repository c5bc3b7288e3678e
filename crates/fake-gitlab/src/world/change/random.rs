//! Changes made at random, for tests that let the world live.

mod ci;
mod issues;
mod listings;
mod merge_requests;
mod subjects;

pub use subjects::{Subject, random_change_among};

pub use ci::random_ci_change;

use chrono::TimeDelta;
use rand::{Rng, RngExt};
use serde::Deserialize;

use crate::world::model::{Id, MergeRequestState, UserType, World};

/// Which changes may happen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kinds {
    /// Those a reader can find without re-reading everything: they move a merge request's `updated_at`, or show in a
    /// complete listing (labels, members, projects, groups, milestones, approvals and reviewers of what is open).
    #[default]
    Visible,
    /// All, also those that leave no trace.
    All,
}

/// Makes one change, described in a few words.
pub fn random_change(world: &mut World, rng: &mut impl Rng, kinds: Kinds) -> String {
    let pause = match kinds {
        Kinds::Visible => rng.random_range(61..900),
        Kinds::All => rng.random_range(0..120),
    };
    world.advance(TimeDelta::seconds(pause));
    let traceless = kinds == Kinds::All && rng.random_bool(0.2);
    let change = match (traceless, rng.random_range(0..10)) {
        (true, _) => traceless_change(world, rng),
        (_, 0..6) => merge_requests::change(world, rng),
        (_, 6..8) => listings::change_label_or_milestone(world, rng),
        (_, 8) => listings::change_member(world, rng),
        _ => listings::change_project(world, rng),
    };
    change.unwrap_or_else(|| "nothing".to_owned())
}

fn pick<T: Copy>(rng: &mut impl Rng, from: impl ExactSizeIterator<Item = T>) -> Option<T> {
    let count = from.len();
    let mut from = from;
    if count == 0 { None } else { from.nth(rng.random_range(0..count)) }
}

/// A merge request of a project in which work goes on: archived projects are read-only.
fn merge_request(world: &World, rng: &mut impl Rng) -> Option<Id> {
    let tries = 0..50;
    let mut found = tries.filter_map(|_| pick(rng, world.merge_requests.keys().copied()));
    found.find(|id| in_use(world, world.merge_requests[id].project_id))
}

fn in_use(world: &World, project_id: Id) -> bool {
    let project = &world.projects[&project_id];
    !project.archived && project.merge_requests_access_level != "disabled"
}

/// Any person but the ghost.
fn person(world: &World, rng: &mut impl Rng) -> Option<Id> {
    let people: Vec<Id> =
        world.users.values().filter(|user| user.user_type == UserType::Human).map(|user| user.id).collect();
    pick(rng, people.into_iter())
}

fn comment_of(world: &World, rng: &mut impl Rng, mr: Id) -> Option<Id> {
    let notes = world.merge_requests[&mr].note_ids.iter().copied();
    let comments: Vec<Id> = notes.filter(|id| !world.notes[id].system).collect();
    pick(rng, comments.into_iter())
}

/// A change no listing and no timestamp shows.
fn traceless_change(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let mr = merge_request(world, rng)?;
    let note = comment_of(world, rng, mr);
    Some(match (rng.random_range(0..8), note) {
        (0..4, Some(note)) => {
            world.delete_note(note);
            format!("note {note} was deleted")
        }
        (4, _) => {
            world.delete_merge_request(mr);
            format!("merge request {mr} was deleted")
        }
        (5, _) => {
            let milestone = pick(rng, world.milestones.keys().copied())?;
            world.delete_milestone(milestone);
            format!("milestone {milestone} was deleted")
        }
        (6, _) if world.projects.len() > 4 => {
            let project = pick(rng, world.projects.keys().copied())?;
            world.delete_project(project);
            format!("project {project} was deleted")
        }
        // GitLab resets them when something is pushed, which it only looks at while a merge request is open.
        _ if world.merge_requests[&mr].state != MergeRequestState::Opened => return None,
        _ => {
            world.reset_approvals(mr);
            format!("approvals of merge request {mr} were reset")
        }
    })
}
