//! Random changes of issues.

use rand::{Rng, RngExt};

use super::{person, pick};
use crate::world::change::NewIssue;
use crate::world::issue::{IssueType, Severity};
use crate::world::model::{Id, Owner, World};

pub(super) fn change(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let projects = world.projects.values().filter(|it| !it.archived && it.issues_access_level != "disabled");
    let projects: Vec<Id> = projects.map(|it| it.id).collect();
    let (project_id, author_id) = (pick(rng, projects.into_iter())?, person(world, rng)?);
    let known = pick(rng, world.projects[&project_id].issue_ids.iter().copied());
    let Some(id) = known.filter(|_| rng.random_bool(0.8)) else {
        let issue_type = if rng.random_bool(0.3) { IssueType::Incident } else { IssueType::Issue };
        let (title, description) = ("Something is wrong".to_owned(), Some("See !1.".to_owned()));
        let id = world.open_issue(NewIssue { project_id, author_id, title, description, issue_type });
        return Some(format!("issue {id} was opened in project {project_id}"));
    };
    let done = edit(world, rng, id, author_id)?;
    Some(format!("issue {id}: {done}"))
}

fn edit(world: &mut World, rng: &mut impl Rng, id: Id, by: Id) -> Option<&'static str> {
    let issue = world.issues[&id].clone();
    Some(match rng.random_range(0..9) {
        0 => {
            world.retitle_issue(id, "Another title");
            "a new title"
        }
        1 if issue.is_open() => {
            world.close_issue(id, by);
            "closed"
        }
        1 => {
            world.reopen_issue(id);
            "reopened"
        }
        2 | 3 => relabel(world, rng, id)?,
        4 if issue.assignee_ids.contains(&by) => {
            world.unassign_issue(id, by);
            "unassigned"
        }
        4 => {
            world.assign_issue(id, &[by]);
            "assigned"
        }
        5 => {
            let owner = Owner::Project(issue.project_id);
            let own: Vec<Id> = world.milestones.values().filter(|m| m.owner == owner).map(|m| m.id).collect();
            let milestone = pick(rng, own.into_iter());
            world.set_issue_milestone(id, milestone);
            "a milestone was set"
        }
        6 => {
            world.set_issue_severity(id, Severity::Critical);
            "severity"
        }
        7 => {
            world.set_issue_confidential(id, !issue.confidential);
            "confidential or not"
        }
        _ => {
            world.comment_on_issue(id);
            "a comment"
        }
    })
}

fn relabel(world: &mut World, rng: &mut impl Rng, id: Id) -> Option<&'static str> {
    let owner = Owner::Project(world.issues[&id].project_id);
    let own: Vec<Id> = world.labels.values().filter(|it| it.owner == owner).map(|it| it.id).collect();
    if let Some(label) = world.issues[&id].label_ids.first().copied().filter(|_| rng.random_bool(0.5)) {
        world.unlabel_issue(id, label);
        return Some("a label was taken off");
    }
    world.label_issue(id, &[pick(rng, own.into_iter())?]);
    Some("a label was put on")
}
