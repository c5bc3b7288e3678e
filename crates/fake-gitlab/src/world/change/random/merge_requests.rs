//! Random changes of merge requests.

use chrono::TimeDelta;
use rand::{Rng, RngExt};

use super::{comment_of, in_use, merge_request, person, pick};
use crate::world::change::{MergeStyle, NewMergeRequest};
use crate::world::model::{Id, MergeRequestState, ReviewState, World};

pub(super) fn change(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let mr = merge_request(world, rng)?;
    let by = person(world, rng)?;
    let done = match rng.random_range(0..12) {
        0 => return open(world, rng, by),
        1..4 => write(world, rng, mr, by)?,
        4..7 => review(world, rng, mr, by),
        7 | 8 => edit(world, rng, mr, by),
        9 => relabel(world, rng, mr, by)?,
        _ => turn(world, mr, by),
    };
    Some(format!("merge request {mr}: {done}"))
}

pub(super) fn open(world: &mut World, rng: &mut impl Rng, author_id: Id) -> Option<String> {
    let projects: Vec<Id> = world.projects.keys().copied().filter(|id| in_use(world, *id)).collect();
    let project_id = pick(rng, projects.into_iter())?;
    let draft = rng.random_bool(0.2);
    let title = "Something new".to_owned();
    let id = world.open_merge_request(NewMergeRequest {
        project_id,
        author_id,
        title,
        draft,
        source_project_id: None,
    });
    Some(format!("merge request {id}: opened in project {project_id}"))
}

fn write(world: &mut World, rng: &mut impl Rng, mr: Id, by: Id) -> Option<&'static str> {
    let old = comment_of(world, rng, mr);
    match (rng.random_range(0..5), old) {
        (0, Some(note)) => {
            world.edit_note(note, "Said better. ✏️");
            Some("a comment was edited")
        }
        (1, Some(note)) => {
            world.reply(note, by, "I agree.");
            Some("a comment was answered")
        }
        (2, Some(note)) if world.notes[&note].resolvable => {
            let resolved = !world.notes[&note].resolved;
            world.resolve(note, resolved);
            Some("a thread was resolved or reopened")
        }
        (3, _) => {
            world.comment_on_diff(mr, by, "What about this line?");
            Some("a line was commented")
        }
        _ => {
            world.comment(mr, by, "One more thing.");
            Some("a comment")
        }
    }
}

fn review(world: &mut World, rng: &mut impl Rng, mr: Id, by: Id) -> &'static str {
    let approver = world.merge_requests[&mr].approvals.first().map(|approval| approval.user_id);
    let open = world.merge_requests[&mr].state == MergeRequestState::Opened;
    match (rng.random_range(0..6), approver) {
        (0, Some(approver)) => {
            world.unapprove(mr, approver);
            "an approval was taken back"
        }
        (1, _) => {
            world.request_review(mr, by, &[by]);
            world.request_changes(mr, by);
            "changes were requested"
        }
        (2, _) => {
            world.push(mr, by, 1, open);
            "a push"
        }
        // Silent, but reviewers of what is open are read on purpose.
        (3, _) if open && !world.merge_requests[&mr].reviewers.is_empty() => {
            let reviewer = world.merge_requests[&mr].reviewers[0].user_id;
            world.set_review_state(mr, reviewer, ReviewState::Reviewed);
            "a review was submitted"
        }
        (4, _) => {
            world.request_review(mr, by, &[by]);
            world.comment(mr, by, "I will have a look.");
            "a review was requested"
        }
        _ => {
            world.unapprove(mr, by);
            world.advance(TimeDelta::seconds(61));
            world.approve(mr, by);
            "an approval"
        }
    }
}

fn edit(world: &mut World, rng: &mut impl Rng, mr: Id, by: Id) -> &'static str {
    match rng.random_range(0..5) {
        0 => {
            world.retitle(mr, by, "Another title");
            "a new title"
        }
        1 => {
            world.describe(mr, by, "Another description.");
            "a new description"
        }
        2 => {
            let usable: Vec<Id> = world
                .milestones_of_project(world.merge_requests[&mr].project_id)
                .iter()
                .map(|m| m.id)
                .collect();
            let milestone = pick(rng, usable.into_iter());
            world.set_milestone(mr, by, milestone);
            "a milestone was set"
        }
        3 => {
            world.change_target_branch(mr, by, "release");
            "another target branch"
        }
        _ => {
            if world.merge_requests[&mr].assignee_ids.contains(&by) {
                world.unassign(mr, by, by);
            } else {
                world.assign(mr, by, &[by]);
            }
            "assignees"
        }
    }
}

fn relabel(world: &mut World, rng: &mut impl Rng, mr: Id, by: Id) -> Option<&'static str> {
    let project_id = world.merge_requests[&mr].project_id;
    let usable: Vec<Id> = world.labels_of_project(project_id).iter().map(|label| label.id).collect();
    let label = pick(rng, usable.into_iter())?;
    if world.merge_requests[&mr].label_ids.contains(&label) {
        world.remove_label(mr, by, label);
        return Some("a label was taken off");
    }
    world.add_labels(mr, by, &[label]);
    Some("a label was put on")
}

/// Moves the merge request on in its life.
fn turn(world: &mut World, mr: Id, by: Id) -> &'static str {
    let row = &world.merge_requests[&mr];
    match (row.state, row.draft) {
        (MergeRequestState::Opened, true) => {
            world.set_draft(mr, by, false);
            "ready"
        }
        (MergeRequestState::Opened, false) if row.iid % 3 == 0 => {
            world.close(mr, by);
            "closed"
        }
        (MergeRequestState::Opened, false) if row.iid % 3 == 1 => {
            world.set_draft(mr, by, true);
            "draft"
        }
        (MergeRequestState::Opened | MergeRequestState::Locked, _) => {
            world.merge(mr, by, MergeStyle::Squash);
            "merged"
        }
        (MergeRequestState::Closed, _) => {
            world.reopen(mr, by);
            "reopened"
        }
        (MergeRequestState::Merged, _) => {
            world.cross_reference(mr, by, "commit 9f8e7d6c");
            "mentioned"
        }
    }
}
