//! Changes made at random, for tests that let the world live.

use chrono::TimeDelta;
use rand::{Rng, RngExt};
use serde::Deserialize;

use super::{MergeStyle, NewMergeRequest};
use crate::world::model::{Id, MergeRequestState, Namespace, Owner, ReviewState, UserType, World};

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
        (_, 0..6) => merge_request_change(world, rng),
        (_, 6..8) => label_or_milestone_change(world, rng),
        (_, 8) => member_change(world, rng),
        _ => project_change(world, rng),
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

fn merge_request_change(world: &mut World, rng: &mut impl Rng) -> Option<String> {
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

fn open(world: &mut World, rng: &mut impl Rng, author_id: Id) -> Option<String> {
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

fn comment_of(world: &World, rng: &mut impl Rng, mr: Id) -> Option<Id> {
    let notes = world.merge_requests[&mr].note_ids.iter().copied();
    let comments: Vec<Id> = notes.filter(|id| !world.notes[id].system).collect();
    pick(rng, comments.into_iter())
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

fn label_or_milestone_change(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let project = pick(rng, world.projects.keys().copied())?;
    let label = pick(rng, world.labels.keys().copied())?;
    let milestone = pick(rng, world.milestones.keys().copied());
    let number = world.ids.ticks;
    Some(match (rng.random_range(0..7), milestone) {
        (0, _) => {
            let id = world.create_label(Owner::Project(project), &format!("label {number}"), "#00AA00");
            format!("label {id} was created")
        }
        (1, _) => {
            world.rename_label(label, &format!("renamed {number}"));
            format!("label {label} was renamed")
        }
        (2, _) => {
            world.recolor_label(label, "#0000FF");
            format!("label {label} was recoloured")
        }
        (3, _) => {
            world.delete_label(label);
            format!("label {label} was deleted")
        }
        (4, Some(id)) => {
            world.rename_milestone(id, &format!("Milestone {number}"));
            format!("milestone {id} was renamed")
        }
        (5, Some(id)) => {
            world.close_milestone(id);
            format!("milestone {id} was closed")
        }
        _ => {
            let id = world.create_milestone(Owner::Project(project), &format!("Milestone {number}"));
            format!("milestone {id} was created")
        }
    })
}

fn member_change(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let user = person(world, rng)?;
    let level = [10, 20, 30, 40, 50][rng.random_range(0..5)];
    if rng.random_bool(0.5) {
        let group = pick(rng, world.groups.keys().copied())?;
        return Some(change_group_member(world, group, user, level));
    }
    let project = pick(rng, world.projects.keys().copied())?;
    if world.projects[&project].members.contains_key(&user) && level < 30 {
        world.remove_project_member(project, user);
        return Some(format!("user {user} left project {project}"));
    }
    world.set_project_member(project, user, level, None);
    Some(format!("user {user} has level {level} in project {project}"))
}

fn change_group_member(world: &mut World, group: Id, user: Id, level: i32) -> String {
    if world.groups[&group].members.contains_key(&user) && level < 30 {
        world.remove_group_member(group, user);
        return format!("user {user} left group {group}");
    }
    world.set_group_member(group, user, level, None);
    format!("user {user} has level {level} in group {group}")
}

fn project_change(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let project = pick(rng, world.projects.keys().copied())?;
    let group = pick(rng, world.groups.keys().copied())?;
    let number = world.ids.ticks;
    Some(match rng.random_range(0..7) {
        0 => {
            let name = format!("project-{number}");
            let id = world.create_project(Namespace::Group(group), &name, &name, "private");
            format!("project {id} was created in group {group}")
        }
        1 => {
            let name = format!("renamed-{number}");
            world.rename_project(project, &name, &name);
            format!("project {project} was renamed")
        }
        2 => transfer(world, project, group),
        3 => {
            let archived = !world.projects[&project].archived;
            world.archive_project(project, archived);
            format!("project {project} was archived or taken back")
        }
        4 => {
            world.describe_project(project, "Described anew.", &["new"]);
            format!("project {project} was described")
        }
        5 => {
            let path = format!("group-{number}");
            let id = world.create_group(Some(group), &path, &path, "private");
            format!("group {id} was created in group {group}")
        }
        _ => {
            let path = format!("renamed-group-{number}");
            world.rename_group(group, &path, &path);
            format!("group {group} was renamed")
        }
    })
}

/// Moves a project of a group to another place under the same top-level group, so that no reader loses sight of it.
fn transfer(world: &mut World, project: Id, group: Id) -> String {
    let top = |world: &World, id: Id| world.group_and_ancestors(id).last().copied();
    let Namespace::Group(from) = world.projects[&project].namespace else {
        return "nothing".to_owned();
    };
    if from == group || top(world, from) != top(world, group) {
        world.describe_project(project, "Almost moved.", &[]);
        return format!("project {project} was described");
    }
    world.transfer_project(project, group);
    format!("project {project} was moved to group {group}")
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
        _ => {
            world.reset_approvals(mr);
            format!("approvals of merge request {mr} were reset")
        }
    })
}
