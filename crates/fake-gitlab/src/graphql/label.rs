//! Labels of projects and groups.

use super::connection;
use super::executor::Run;
use super::index::self_and_ancestors;
use super::json::{self, Out};
use super::plan::Node;
use crate::world::model::{Id, Namespace, Owner, Project};

/// Writes a label; null where there is none.
pub(super) fn write(run: &Run<'_>, node: &Node, out: &mut Out, id: Option<Id>) {
    let Some(label) = id.and_then(|id| run.world.labels.get(&id)) else { return json::null(out) };
    json::child(out, node, |field, out| match field.name.as_str() {
        "id" => json::gid(out, kind(label.owner), label.id),
        "title" => json::string(out, &label.title),
        "color" => json::string(out, &label.color),
        "textColor" => json::plain(out, "#FFFFFF"),
        "description" => json::option(out, label.description.as_deref(), json::string),
        "createdAt" => json::time(out, label.created_at),
        "updatedAt" => json::time(out, label.updated_at),
        "archived" | "lockOnMerge" => json::boolean(out, false),
        _ => json::null(out),
    });
}

fn kind(owner: Owner) -> &'static str {
    match owner {
        Owner::Group(_) => "GroupLabel",
        Owner::Project(_) => "ProjectLabel",
    }
}

/// The labels of a project: its own, and those of the groups above it where they are asked for.
pub(super) fn of_project(run: &Run<'_>, project: &Project, with_ancestors: bool) -> Vec<Id> {
    let mut ids = run.index.labels(Owner::Project(project.id)).to_vec();
    if let (Namespace::Group(group), true) = (project.namespace, with_ancestors) {
        ids.extend(of_ancestors(run, group));
    }
    ids
}

fn of_ancestors(run: &Run<'_>, group: Id) -> Vec<Id> {
    let groups = self_and_ancestors(run.world, group);
    groups.into_iter().flat_map(|id| run.index.labels(Owner::Group(id))).copied().collect()
}

/// The labels of a group as its arguments ask: with ancestors, with descendants, with those of its projects.
pub(super) fn of_group(run: &Run<'_>, node: &Node, group: Id) -> Vec<Id> {
    let mut ids = run.index.labels(Owner::Group(group)).to_vec();
    if node.flag("includeAncestorGroups") == Some(true) {
        ids = of_ancestors(run, group);
    }
    let below = node.flag("includeDescendantGroups") == Some(true);
    let groups = if below { run.index.self_and_descendants(group) } else { vec![group] };
    for below in &groups[1..] {
        ids.extend(run.index.labels(Owner::Group(*below)));
    }
    if node.flag("onlyGroupLabels") != Some(true) {
        let projects = groups.iter().flat_map(|id| run.index.projects_of(*id));
        ids.extend(projects.flat_map(|id| run.index.labels(Owner::Project(*id))));
    }
    ids
}

/// Writes a connection of labels by title.
pub(super) fn list(run: &Run<'_>, node: &Node, out: &mut Out, ids: Vec<Id>) {
    let term = node.text("searchTerm").map(str::to_lowercase);
    let mut labels: Vec<_> = ids.iter().filter_map(|id| run.world.labels.get(id)).collect();
    labels.retain(|it| node.text("title").is_none_or(|title| it.title == title));
    labels.retain(|it| term.as_ref().is_none_or(|term| it.title.to_lowercase().contains(term)));
    labels.sort_unstable_by(|a, b| (&a.title, a.id).cmp(&(&b.title, b.id)));
    connection::list(run, node, out, labels, |node, out, label| write(run, node, out, Some(label.id)));
}
