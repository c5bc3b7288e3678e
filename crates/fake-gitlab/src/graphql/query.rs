//! The root fields.

use std::collections::BTreeSet;

use super::connection::{self, Page};
use super::cursor::Cursor;
use super::executor::Run;
use super::json::{self, Out};
use super::plan::Node;
use super::{Edition, group, label, merge_request, note, project, user};
use crate::world::model::{Group, Id, Namespace, Project, User, UserType};

pub(super) fn field(run: &Run<'_>, node: &Node, out: &mut Out) {
    match node.name.as_str() {
        "currentUser" => user::write(run, node, out, run.sight.user_id(), None),
        "group" => {
            group::write(run, node, out, node.text("fullPath").and_then(|path| run.index.group_at(path)))
        }
        "groups" => groups(run, node, out),
        "mergeRequest" => merge_request::write(run, node, out, gid(node, "id", "MergeRequest")),
        "metadata" => metadata(run, node, out),
        "note" => note::write_by_id(run, node, out, node.text("id").and_then(last_part)),
        "project" => {
            project::write(run, node, out, node.text("fullPath").and_then(|path| run.index.project_at(path)))
        }
        "projects" => projects(run, node, out),
        "queryComplexity" => query_complexity(run, node, out),
        "user" => user::write(run, node, out, one_user(run, node), None),
        "users" => users(run, node, out),
        _ => json::null(out),
    }
}

fn metadata(run: &Run<'_>, node: &Node, out: &mut Out) {
    json::child(out, node, |field, out| match field.name.as_str() {
        "version" => json::string(out, &run.options.version),
        "revision" => json::string(out, &run.options.revision),
        "enterprise" => json::boolean(out, run.options.edition != Edition::Ce),
        _ => json::child(out, field, |kas, out| match kas.name.as_str() {
            "enabled" => json::boolean(out, false),
            _ => json::null(out),
        }),
    });
}

fn query_complexity(run: &Run<'_>, node: &Node, out: &mut Out) {
    json::child(out, node, |field, out| match field.name.as_str() {
        "score" => json::integer(out, run.score as i64),
        _ => json::integer(out, run.limit as i64),
    });
}

/// The number at the end of a global id.
fn last_part(gid: &str) -> Option<Id> {
    gid.rsplit('/').next()?.parse().ok()
}

fn gid(node: &Node, argument: &str, kind: &str) -> Option<Id> {
    parse_gid(node.text(argument)?, kind)
}

fn parse_gid(text: &str, kind: &str) -> Option<Id> {
    text.strip_prefix("gid://gitlab/")?.strip_prefix(kind)?.strip_prefix('/')?.parse().ok()
}

/// A list of global ids; Some(None) where the argument is not given, None with an error where one is malformed.
pub(super) fn gids(run: &Run<'_>, node: &Node, kind: &str) -> Option<Option<BTreeSet<Id>>> {
    let Some(texts) = node.texts("ids") else { return Some(None) };
    let mut ids = BTreeSet::new();
    for text in texts {
        match parse_gid(text, kind) {
            Some(id) => ids.insert(id),
            None => return run.fail(node, &format!("\"{text}\" is not a valid GitLab ID.")),
        };
    }
    Some(Some(ids))
}

/// Everything of a map, or only what the ids name.
pub(super) fn pick<'a, T>(
    map: &'a std::collections::BTreeMap<Id, T>,
    ids: Option<&BTreeSet<Id>>,
) -> Vec<&'a T> {
    match ids {
        Some(ids) => ids.iter().filter_map(|id| map.get(id)).collect(),
        None => map.values().collect(),
    }
}

/// Writes a connection of projects, newest id first unless `sort` says `id_asc`.
pub(super) fn project_list(run: &Run<'_>, node: &Node, out: &mut Out, found: Vec<&Project>) {
    let ascending = node.text("sort") == Some("id_asc");
    let at = |it: &Project| Cursor { value: if ascending { it.id } else { -it.id }, id: it.id };
    let mut all: Vec<_> = found.into_iter().map(|it| (at(it), it.id)).collect();
    all.sort_unstable();
    let count = all.len();
    let page = Page::cut(run, node, "id_order", all);
    connection::write(
        run,
        node,
        out,
        page,
        || count,
        |node, out, id| project::write(run, node, out, Some(*id)),
    );
}

fn projects(run: &Run<'_>, node: &Node, out: &mut Out) {
    let Some(ids) = gids(run, node, "Project") else { return json::null(out) };
    let mut found = pick(&run.world.projects, ids.as_ref());
    found.retain(|it| run.sight.sees_project(it.id) && wanted(run, node, it));
    project_list(run, node, out, found);
}

fn wanted(run: &Run<'_>, node: &Node, it: &Project) -> bool {
    let path = run.index.project_path(it.id);
    let archived = match node.text("archived") {
        Some("ONLY") => it.archived,
        Some("EXCLUDE") => !it.archived,
        _ => true,
    };
    let active = node
        .flag("active")
        .is_none_or(|active| active != (it.archived || it.marked_for_deletion_on.is_some()));
    archived
        && active
        && (node.flag("membership") != Some(true) || run.sight.is_member(it.id))
        && (node.flag("personal") != Some(true)
            || matches!(it.namespace, Namespace::User(id) if Some(id) == run.sight.user_id()))
        && (node.flag("withMergeRequestsEnabled") != Some(true)
            || it.merge_requests_access_level != "disabled")
        && node
            .texts("fullPaths")
            .is_none_or(|paths| paths.iter().any(|wanted| wanted.eq_ignore_ascii_case(path)))
        && node
            .texts("topics")
            .is_none_or(|topics| topics.iter().all(|topic| it.topics.iter().any(|has| has == topic)))
        && node
            .text("namespacePath")
            .is_none_or(|space| path.rsplit_once('/').is_some_and(|(above, _)| above == space))
        && node.text("search").is_none_or(|text| contains(&it.name, text) || contains(path, text))
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

fn groups(run: &Run<'_>, node: &Node, out: &mut Out) {
    let Some(ids) = gids(run, node, "Group") else { return json::null(out) };
    let parent = node.text("parentPath").map(|path| run.index.group_at(path));
    let wanted = |it: &&Group| {
        run.sight.sees_group(it.id)
            && (node.flag("topLevelOnly") != Some(true) || it.parent_id.is_none())
            && parent.is_none_or(|parent| parent.is_some() && it.parent_id == parent)
            && node
                .text("search")
                .is_none_or(|text| contains(&it.name, text) || contains(run.index.group_path(it.id), text))
    };
    group_list(run, node, out, pick(&run.world.groups, ids.as_ref()).into_iter().filter(wanted).collect());
}

/// Writes a connection of groups by name.
pub(super) fn group_list(run: &Run<'_>, node: &Node, out: &mut Out, mut found: Vec<&Group>) {
    found.sort_unstable_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    connection::list(run, node, out, found, |node, out, it| group::write(run, node, out, Some(it.id)));
}

fn one_user(run: &Run<'_>, node: &Node) -> Option<Id> {
    let by_name = |name: &str| run.world.users.values().find(|it| it.username.eq_ignore_ascii_case(name));
    gid(node, "id", "User").or_else(|| node.text("username").and_then(by_name).map(|it| it.id))
}

fn users(run: &Run<'_>, node: &Node, out: &mut Out) {
    if run.sight.user_id().is_none() {
        let message = "The resource that you are attempting to access does not exist or you don't have permission to \
                       perform this action";
        run.fail::<()>(node, message);
        return json::null(out);
    }
    let Some(ids) = gids(run, node, "User") else { return json::null(out) };
    let ascending = node.text("sort").is_some_and(|sort| sort.to_ascii_uppercase().ends_with("_ASC"));
    let at = |it: &User| Cursor { value: if ascending { it.id } else { -it.id }, id: it.id };
    let found = pick(&run.world.users, ids.as_ref());
    let mut all: Vec<_> =
        found.into_iter().filter(|it| user_wanted(node, it)).map(|it| (at(it), it.id)).collect();
    all.sort_unstable();
    let count = all.len();
    let page = Page::cut(run, node, "id_order", all);
    connection::write(
        run,
        node,
        out,
        page,
        || count,
        |node, out, id| user::write(run, node, out, Some(*id), None),
    );
}

fn user_wanted(node: &Node, it: &User) -> bool {
    let named = |names: Vec<&str>| names.iter().any(|name| name.eq_ignore_ascii_case(&it.username));
    node.texts("usernames").is_none_or(named)
        && node.flag("active").is_none_or(|active| active == (it.state == "active"))
        && node.flag("humans").is_none_or(|humans| humans == (it.user_type == UserType::Human))
        && node.text("search").is_none_or(|text| contains(&it.username, text) || contains(&it.name, text))
}

/// One label of a list by its exact title.
pub(super) fn label_titled(run: &Run<'_>, node: &Node, out: &mut Out, ids: &[Id]) {
    let titled =
        |id: &&Id| run.world.labels.get(id).is_some_and(|it| Some(it.title.as_str()) == node.text("title"));
    label::write(run, node, out, ids.iter().find(titled).copied());
}
