//! Random changes of what a test asks for: commits, issues, features, invitations, deletions.

use chrono::TimeDelta;
use rand::{Rng, RngExt};
use serde::Deserialize;

use super::{comment_of, in_use, issues, listings, merge_requests, person, pick};
use crate::world::change::MergeStyle;
use crate::world::model::{Id, MergeRequestState, Project, World};

/// What may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Pushes to default branches, also of old commits, and forced ones.
    Trunk,
    /// Pushes to merge requests, also forced ones, and merges.
    Branches,
    /// Issues opened, edited, labelled, closed, reopened.
    Issues,
    /// Issues, merge requests and repositories switched off and on.
    Features,
    /// Members and invited groups.
    Sharing,
    /// Notes, merge requests, issues, labels and milestones deleted.
    Deletions,
    /// Projects and subgroups deleted, or marked for deletion and restored.
    Removals,
}

/// Makes one change of one of these subjects, at least a minute after the last, described in a few words.
pub fn random_change_among(world: &mut World, rng: &mut impl Rng, subjects: &[Subject]) -> String {
    world.advance(TimeDelta::seconds(rng.random_range(61..900)));
    let change = match pick(rng, subjects.iter().copied()) {
        Some(Subject::Trunk) => trunk(world, rng),
        Some(Subject::Branches) => branch(world, rng),
        Some(Subject::Issues) => issues::change(world, rng),
        Some(Subject::Features) => feature(world, rng),
        Some(Subject::Sharing) => sharing(world, rng),
        Some(Subject::Deletions) => deletion(world, rng),
        Some(Subject::Removals) => removal(world, rng),
        None => None,
    };
    change.unwrap_or_else(|| "nothing".to_owned())
}

fn project_with_code(world: &World, rng: &mut impl Rng) -> Option<Id> {
    let open = |it: &&Project| !it.archived && it.repository_access_level != "disabled";
    let projects: Vec<Id> = world.projects.values().filter(open).map(|it| it.id).collect();
    pick(rng, projects.into_iter())
}

fn trunk(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let (project, by) = (project_with_code(world, rng)?, person(world, rng)?);
    Some(match rng.random_range(0..10) {
        0 => {
            let dropped = rng.random_range(1..4);
            world.force_push_trunk(project, by, dropped);
            format!("project {project}: {dropped} commits were taken off the default branch")
        }
        1 | 2 => {
            world.push_old_commit(project, by, TimeDelta::days(rng.random_range(2..400)));
            format!("project {project}: an old commit was pushed")
        }
        _ => {
            let commits = rng.random_range(1..5);
            world.push_to_trunk(project, by, commits);
            format!("project {project}: {commits} commits were pushed")
        }
    })
}

fn branch(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let by = person(world, rng)?;
    let open = world.merge_requests.values().filter(|mr| mr.state == MergeRequestState::Opened);
    let open: Vec<Id> = open.filter(|mr| in_use(world, mr.project_id)).map(|mr| mr.id).collect();
    let mr = pick(rng, open.into_iter())?;
    Some(match rng.random_range(0..6) {
        0 => return merge_requests::open(world, rng, by),
        1 => {
            let styles = [MergeStyle::MergeCommit, MergeStyle::Squash, MergeStyle::FastForward];
            world.merge(mr, by, styles[rng.random_range(0..styles.len())]);
            format!("merge request {mr} was merged")
        }
        2 | 3 => {
            world.force_push(mr, by);
            format!("merge request {mr} was rebased")
        }
        _ => {
            world.push_commits(mr, by, rng.random_range(1..4));
            format!("merge request {mr} was pushed to")
        }
    })
}

/// Something is switched off, or all of a project is switched on again, so that most is on most of the time.
fn feature(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let is_off = |it: &&Project| {
        let levels = [&it.issues_access_level, &it.merge_requests_access_level, &it.repository_access_level];
        levels.into_iter().any(|level| level == "disabled")
    };
    let off: Vec<Id> = world.projects.values().filter(is_off).map(|it| it.id).collect();
    if let Some(id) = pick(rng, off.into_iter()).filter(|_| rng.random_bool(0.6)) {
        world.set_repository_access(id, "enabled");
        world.set_merge_requests_access(id, "enabled");
        world.set_issues_access(id, "enabled");
        return Some(format!("everything in project {id} is on"));
    }
    let id = pick(rng, world.projects.keys().copied())?;
    Some(match rng.random_range(0..3) {
        0 => {
            world.set_issues_access(id, "disabled");
            format!("issues of project {id} are off")
        }
        1 => {
            world.set_merge_requests_access(id, "disabled");
            format!("merge requests of project {id} are off")
        }
        _ => {
            world.set_repository_access(id, "disabled");
            format!("the repository of project {id} is off")
        }
    })
}

fn sharing(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let project = pick(rng, world.projects.keys().copied())?;
    let (group, other) = (pick(rng, world.groups.keys().copied())?, pick(rng, world.groups.keys().copied())?);
    let level = [10, 20, 30, 40][rng.random_range(0..4)];
    Some(match rng.random_range(0..6) {
        0 => {
            world.invite_group_to_project(project, group, level);
            format!("group {group} was invited to project {project}")
        }
        1 => {
            world.uninvite_group_from_project(project, group);
            format!("group {group} is not invited to project {project}")
        }
        2 if group != other => {
            world.invite_group_to_group(group, other, level);
            format!("group {other} was invited to group {group}")
        }
        3 => {
            world.uninvite_group_from_group(group, other);
            format!("group {other} is not invited to group {group}")
        }
        _ => return listings::change_member(world, rng),
    })
}

fn deletion(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    Some(match rng.random_range(0..6) {
        0 => {
            let mr = pick(rng, world.merge_requests.keys().copied())?;
            world.delete_merge_request(mr);
            format!("merge request {mr} was deleted")
        }
        1 => {
            let issue = pick(rng, world.issues.keys().copied())?;
            world.delete_issue(issue);
            format!("issue {issue} was deleted")
        }
        2 => {
            let label = pick(rng, world.labels.keys().copied())?;
            world.delete_label(label);
            format!("label {label} was deleted")
        }
        3 => {
            let milestone = pick(rng, world.milestones.keys().copied())?;
            world.delete_milestone(milestone);
            format!("milestone {milestone} was deleted")
        }
        _ => {
            let mr = pick(rng, world.merge_requests.keys().copied())?;
            let note = comment_of(world, rng, mr)?;
            world.delete_note(note);
            format!("note {note} was deleted")
        }
    })
}

/// The last projects and the top-level groups stay, so that there is something to read.
fn removal(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let project = pick(rng, world.projects.keys().copied())?;
    let marked = world.projects[&project].marked_for_deletion_on.is_some();
    let subgroups: Vec<Id> =
        world.groups.values().filter(|it| it.parent_id.is_some()).map(|it| it.id).collect();
    Some(match rng.random_range(0..4) {
        0 if world.projects.len() > 4 => {
            world.delete_project(project);
            format!("project {project} was deleted")
        }
        1 => {
            let group = pick(rng, subgroups.into_iter())?;
            world.delete_group(group);
            format!("group {group} was deleted")
        }
        _ if marked => {
            world.restore_project(project);
            format!("project {project} was restored")
        }
        _ => {
            world.schedule_deletion(project);
            format!("project {project} was marked for deletion")
        }
    })
}
