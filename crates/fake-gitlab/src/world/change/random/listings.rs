//! Random changes of what complete listings show: labels, milestones, members, projects and groups.

use rand::{Rng, RngExt};

use super::{person, pick};
use crate::world::model::{Id, Namespace, Owner, World};

pub(super) fn change_label_or_milestone(world: &mut World, rng: &mut impl Rng) -> Option<String> {
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

pub(super) fn change_member(world: &mut World, rng: &mut impl Rng) -> Option<String> {
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

pub(super) fn change_project(world: &mut World, rng: &mut impl Rng) -> Option<String> {
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
    let Namespace::Group(from) = world.projects[&project].namespace else {
        return "nothing".to_owned();
    };
    let top = |id: Id| world.group_and_ancestors(id).last().copied();
    if from == group || top(from) != top(group) || would_change_milestones(world, project, group) {
        world.describe_project(project, "Almost moved.", &[]);
        return format!("project {project} was described");
    }
    world.transfer_project(project, group);
    format!("project {project} was moved to group {group}")
}

/// Whether merge requests carry milestones of groups the project would leave: they would change without a trace.
fn would_change_milestones(world: &World, project: Id, group: Id) -> bool {
    let kept = world.group_and_ancestors(group);
    let milestones = world.merge_requests.values().filter(|mr| mr.project_id == project);
    let milestones = milestones.filter_map(|mr| world.milestones.get(&mr.milestone_id?));
    let mut owners = milestones.map(|milestone| milestone.owner);
    owners.any(|owner| matches!(owner, Owner::Group(id) if !kept.contains(&id)))
}
