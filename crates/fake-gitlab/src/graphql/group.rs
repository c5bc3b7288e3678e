//! Groups.

use super::executor::Run;
use super::json::{self, Out};
use super::plan::Node;
use super::{label, member, milestone, query};
use crate::world::model::{Group, Id, Project};

/// Writes a group; null where there is none or it is out of sight.
pub(super) fn write(run: &Run<'_>, node: &Node, out: &mut Out, id: Option<Id>) {
    let visible = id.filter(|id| run.sight.sees_group(*id));
    let Some(group) = visible.and_then(|id| run.world.groups.get(&id)) else { return json::null(out) };
    json::child(out, node, |field, out| match field.name.as_str() {
        "id" => json::gid(out, "Group", group.id),
        "name" => json::string(out, &group.name),
        "path" => json::string(out, &group.path),
        "fullName" => json::string(out, &full_name(run, group.id)),
        "fullPath" => json::string(out, run.index.group_path(group.id)),
        "parent" => write(run, field, out, group.parent_id),
        "visibility" => json::string(out, &group.visibility),
        "createdAt" | "updatedAt" => json::time(out, group.created_at),
        "archived" => json::boolean(out, false),
        "webUrl" => json::string(out, &web_url(run, group.id)),
        "label" => query::label_titled(
            run,
            field,
            out,
            run.index.labels(crate::world::model::Owner::Group(group.id)),
        ),
        "labels" => label::list(run, field, out, label::of_group(run, field, group.id)),
        "milestones" => milestone::list(run, field, out, milestone::of_group(run, field, group.id)),
        "groupMembers" => member::of_group(run, field, out, group.id),
        "groupMembersCount" => json::integer(out, group.members.len() as i64),
        "descendantGroups" => query::group_list(run, field, out, descendants(run, group.id)),
        "descendantGroupsCount" => json::integer(out, descendants(run, group.id).len() as i64),
        "projects" => projects(run, field, out, group.id),
        "projectsCount" => json::integer(out, run.index.projects_of(group.id).len() as i64),
        _ => json::null(out),
    });
}

/// Where the group's page is.
pub(super) fn web_url(run: &Run<'_>, id: Id) -> String {
    format!("{}/groups/{}", run.options.base_url, run.index.group_path(id))
}

/// The names of the group and its ancestors: `Acme / Platform`.
pub(super) fn full_name(run: &Run<'_>, id: Id) -> String {
    let mut names: Vec<&str> = super::index::self_and_ancestors(run.world, id)
        .iter()
        .filter_map(|id| run.world.groups.get(id))
        .map(|group| group.name.as_str())
        .collect();
    names.reverse();
    names.join(" / ")
}

fn descendants<'a>(run: &Run<'a>, id: Id) -> Vec<&'a Group> {
    let below = run.index.self_and_descendants(id).into_iter().skip(1);
    below.filter(|id| run.sight.sees_group(*id)).filter_map(|id| run.world.groups.get(&id)).collect()
}

fn projects(run: &Run<'_>, node: &Node, out: &mut Out, group: Id) {
    let Some(ids) = query::gids(run, node, "Project") else { return json::null(out) };
    let below = node.flag("includeSubgroups") == Some(true);
    let groups = if below { run.index.self_and_descendants(group) } else { vec![group] };
    let wanted = |it: &&Project| {
        run.sight.sees_project(it.id)
            && ids.as_ref().is_none_or(|ids| ids.contains(&it.id))
            && (node.flag("includeArchived") != Some(false) || !it.archived)
            && (node.flag("archivedOnly") != Some(true) || it.archived)
            && node.text("search").is_none_or(|text| it.name.to_lowercase().contains(&text.to_lowercase()))
    };
    let all =
        groups.iter().flat_map(|id| run.index.projects_of(*id)).filter_map(|id| run.world.projects.get(id));
    query::project_list(run, node, out, all.filter(wanted).collect());
}
