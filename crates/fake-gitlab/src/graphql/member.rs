//! Members of projects and groups.

use std::collections::BTreeMap;

use super::connection::{self, Page};
use super::cursor::Cursor;
use super::executor::Run;
use super::index::self_and_ancestors;
use super::json::{self, Out};
use super::plan::Node;
use super::{group, project, user};
use crate::world::model::{Id, Member, Namespace, Owner, Project, World};

/// Writes a connection of a project's members.
pub(super) fn of_project(run: &Run<'_>, node: &Node, out: &mut Out, project: &Project) {
    let mut found = BTreeMap::new();
    if let (Namespace::Group(group), true) = (project.namespace, related(node, "INHERITED")) {
        add_groups(run, &self_and_ancestors(run.world, group), &mut found);
    }
    if related(node, "DIRECT") {
        found.extend(project.members.values().map(|it| (it.user_id, (Owner::Project(project.id), it))));
    }
    let levels = levels(run, node, project, &mut found);
    list(run, node, out, found, &levels);
}

/// The levels in effect, which GitLab shows unless direct members alone are asked for; adds members of invited groups
/// where they are asked for.
fn levels<'a>(run: &Run<'a>, node: &Node, project: &Project, found: &mut Found<'a>) -> BTreeMap<Id, i32> {
    if node.texts("relations").is_some_and(|it| it == ["DIRECT"]) {
        return BTreeMap::new();
    }
    let world: &'a World = run.world;
    let in_effect = world.effective_members(project);
    let asked = |relation: &str| node.texts("relations").is_some_and(|it| it.contains(&relation));
    if asked("INVITED_GROUPS") || asked("SHARED_INTO_ANCESTORS") {
        for (id, member) in &in_effect {
            let group = world
                .groups
                .values()
                .find(|it| it.members.get(id).is_some_and(|own| std::ptr::eq(own, member.shown)));
            found.entry(*id).or_insert((Owner::Group(group.map_or(0, |it| it.id)), member.shown));
        }
    }
    in_effect.into_iter().map(|(id, it)| (id, it.access_level)).collect()
}

/// Writes a connection of a group's members.
pub(super) fn of_group(run: &Run<'_>, node: &Node, out: &mut Out, group: Id) {
    let mut found = BTreeMap::new();
    if node.texts("relations").is_some_and(|it| it.contains(&"DESCENDANTS")) {
        add_groups(run, &run.index.self_and_descendants(group)[1..], &mut found);
    }
    if related(node, "INHERITED") {
        add_groups(run, &self_and_ancestors(run.world, group)[1..], &mut found);
    }
    if related(node, "DIRECT") {
        add_groups(run, &[group], &mut found);
    }
    list(run, node, out, found, &BTreeMap::new());
}

type Found<'a> = BTreeMap<Id, (Owner, &'a Member)>;

/// Without the argument GitLab gives direct and inherited members.
fn related(node: &Node, relation: &str) -> bool {
    node.texts("relations").is_none_or(|it| it.contains(&relation))
}

/// Nearest groups come first, and a nearer membership wins.
fn add_groups<'a>(run: &Run<'a>, groups: &[Id], found: &mut Found<'a>) {
    for group in groups.iter().rev().filter_map(|id| run.world.groups.get(id)) {
        found.extend(group.members.values().map(|it| (it.user_id, (Owner::Group(group.id), it))));
    }
}

fn list(run: &Run<'_>, node: &Node, out: &mut Out, found: Found<'_>, levels: &BTreeMap<Id, i32>) {
    let today = run.world.now.date_naive();
    let at = |(id, found)| (Cursor { value: id, id }, found);
    let current = found.into_iter().filter(|(_, (_, it))| it.expires_at.is_none_or(|day| day > today));
    let all: Vec<_> = current.map(at).collect();
    let count = all.len();
    let page = Page::cut(run, node, "user_id", all);
    connection::write(
        run,
        node,
        out,
        page,
        || count,
        |node, out, (owner, it)| {
            let level = levels.get(&it.user_id).copied().unwrap_or(it.access_level);
            member(run, node, out, *owner, it, level);
        },
    );
}

fn member(run: &Run<'_>, node: &Node, out: &mut Out, owner: Owner, member: &Member, level: i32) {
    let kind = if matches!(owner, Owner::Group(_)) { "GroupMember" } else { "ProjectMember" };
    let Some(branch) = node.branch(kind) else { return json::null(out) };
    json::object(out, branch, |field, out| match field.name.as_str() {
        // GitLab numbers memberships; the world does not, so the owner and the user make the number.
        "id" => json::gid(out, kind, member_id(owner, member)),
        "accessLevel" => access_level(field, out, level),
        "createdAt" | "updatedAt" => json::time(out, member.created_at),
        "expiresAt" => json::option(out, member.expires_at, json::date),
        "user" => user::write(run, field, out, Some(member.user_id), None),
        "group" => group::write(run, field, out, Some(owner_id(owner))),
        "project" => project::write(run, field, out, Some(owner_id(owner))),
        _ => json::null(out),
    });
}

fn owner_id(owner: Owner) -> Id {
    match owner {
        Owner::Group(id) | Owner::Project(id) => id,
    }
}

fn member_id(owner: Owner, member: &Member) -> Id {
    owner_id(owner) * 1_000_000 + member.user_id
}

pub(super) fn access_level(node: &Node, out: &mut Out, level: i32) {
    let (name, human) = match level {
        50 => ("OWNER", "Owner"),
        40 => ("MAINTAINER", "Maintainer"),
        30 => ("DEVELOPER", "Developer"),
        20 => ("REPORTER", "Reporter"),
        15 => ("PLANNER", "Planner"),
        10 => ("GUEST", "Guest"),
        5 => ("MINIMAL_ACCESS", "Minimal Access"),
        _ => ("NO_ACCESS", "No access"),
    };
    json::child(out, node, |field, out| match field.name.as_str() {
        "integerValue" => json::integer(out, level.into()),
        "stringValue" => json::plain(out, name),
        _ => json::plain(out, human),
    });
}
