//! Milestones of projects and groups.

use super::executor::Run;
use super::index::self_and_ancestors;
use super::json::{self, Out};
use super::plan::Node;
use super::{connection, group, project, query};
use crate::world::model::{Id, Milestone, Namespace, Owner, Project};

/// Writes a milestone; null where there is none.
pub(super) fn write(run: &Run<'_>, node: &Node, out: &mut Out, id: Option<Id>) {
    let Some(milestone) = id.and_then(|id| run.world.milestones.get(&id)) else { return json::null(out) };
    let (of_group, of_project) = match milestone.owner {
        Owner::Group(id) => (Some(id), None),
        Owner::Project(id) => (None, Some(id)),
    };
    json::child(out, node, |field, out| match field.name.as_str() {
        "id" => json::gid(out, "Milestone", milestone.id),
        "iid" => json::quoted(out, milestone.iid),
        "title" => json::string(out, &milestone.title),
        "state" => json::plain(out, &milestone.state),
        "startDate" => json::option(out, milestone.start_date, json::date),
        "dueDate" => json::option(out, milestone.due_date, json::date),
        "createdAt" => json::time(out, milestone.created_at),
        "updatedAt" => json::time(out, milestone.updated_at),
        "expired" => {
            json::boolean(out, milestone.due_date.is_some_and(|due| due < run.world.now.date_naive()))
        }
        "upcoming" => {
            json::boolean(out, milestone.start_date.is_some_and(|start| start > run.world.now.date_naive()))
        }
        "group" => group::write(run, field, out, of_group),
        "project" => project::write(run, field, out, of_project),
        "groupMilestone" => json::boolean(out, of_group.is_some()),
        "projectMilestone" => json::boolean(out, of_project.is_some()),
        "subgroupMilestone" => json::boolean(out, of_group.is_some_and(|id| is_subgroup(run, id))),
        "webPath" => json::string(out, &web_path(run, milestone)),
        _ => json::null(out),
    });
}

fn is_subgroup(run: &Run<'_>, group: Id) -> bool {
    run.world.groups.get(&group).is_some_and(|it| it.parent_id.is_some())
}

fn web_path(run: &Run<'_>, milestone: &Milestone) -> String {
    match milestone.owner {
        Owner::Group(id) => format!("/groups/{}/-/milestones/{}", run.index.group_path(id), milestone.iid),
        Owner::Project(id) => format!("/{}/-/milestones/{}", run.index.project_path(id), milestone.iid),
    }
}

/// A project's own milestones, and those of the groups above where `includeAncestors` asks for them.
pub(super) fn of_project(run: &Run<'_>, node: &Node, project: &Project) -> Vec<Id> {
    let mut ids = run.index.milestones(Owner::Project(project.id)).to_vec();
    if let (Namespace::Group(group), Some(true)) = (project.namespace, node.flag("includeAncestors")) {
        ids.extend(of_groups(run, &self_and_ancestors(run.world, group)));
    }
    ids
}

/// A group's own milestones, with those above or below it where they are asked for.
pub(super) fn of_group(run: &Run<'_>, node: &Node, group: Id) -> Vec<Id> {
    let mut groups = vec![group];
    if node.flag("includeAncestors") == Some(true) {
        groups = self_and_ancestors(run.world, group);
    }
    if node.flag("includeDescendants") == Some(true) {
        groups.extend(run.index.self_and_descendants(group).into_iter().skip(1));
    }
    of_groups(run, &groups)
}

fn of_groups(run: &Run<'_>, groups: &[Id]) -> Vec<Id> {
    groups.iter().flat_map(|id| run.index.milestones(Owner::Group(*id))).copied().collect()
}

/// Writes a connection of milestones, the next due first and those without a date last.
pub(super) fn list(run: &Run<'_>, node: &Node, out: &mut Out, ids: Vec<Id>) {
    let Some(wanted) = query::gids(run, node, "Milestone") else { return json::null(out) };
    let mut found: Vec<_> = ids.iter().filter_map(|id| run.world.milestones.get(id)).collect();
    found.retain(|it| wanted.as_ref().is_none_or(|wanted| wanted.contains(&it.id)));
    found.retain(|it| node.text("state").is_none_or(|state| it.state == state));
    found.retain(|it| node.text("title").is_none_or(|title| it.title == title));
    found.sort_unstable_by_key(|it| (it.due_date.is_none(), it.due_date, it.id));
    connection::list(run, node, out, found, |node, out, it| write(run, node, out, Some(it.id)));
}
