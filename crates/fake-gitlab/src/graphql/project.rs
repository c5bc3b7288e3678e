//! Projects.

use super::executor::Run;
use super::json::{self, Out};
use super::plan::Node;
use super::{
    ci, commit, group, issue, issues, label, member, merge_request, merge_requests, milestone, query,
};
use crate::world::model::{Id, Namespace, Project};

/// Writes a project; null where there is none or it is out of sight.
pub(super) fn write(run: &Run<'_>, node: &Node, out: &mut Out, id: Option<Id>) {
    let visible = id.filter(|id| run.sight.sees_project(*id));
    let Some(project) = visible.and_then(|id| run.world.projects.get(&id)) else { return json::null(out) };
    json::child(out, node, |field, out| self::field(run, field, out, project));
}

fn field(run: &Run<'_>, field: &Node, out: &mut Out, project: &Project) {
    match field.name.as_str() {
        "id" => json::gid(out, "Project", project.id),
        "name" => json::string(out, &project.name),
        "path" => json::string(out, &project.path),
        "fullPath" => json::string(out, run.index.project_path(project.id)),
        "nameWithNamespace" => json::string(out, &name_with_namespace(run, project)),
        "description" => json::option(out, project.description.as_deref(), json::string),
        "visibility" => json::string(out, &project.visibility),
        "archived" => json::boolean(out, project.archived),
        "topics" => json::array(out, &project.topics, |out, topic| json::string(out, topic)),
        "tagList" => json::string(out, &project.topics.join(", ")),
        "createdAt" => json::time(out, project.created_at),
        "updatedAt" => json::time(out, project.updated_at),
        "lastActivityAt" => json::time(out, project.last_activity_at),
        "markedForDeletion" => json::boolean(out, project.marked_for_deletion_on.is_some()),
        "maxAccessLevel" => member::access_level(field, out, run.sight.access_level(project.id)),
        "markedForDeletionOn" => json::option(out, project.marked_for_deletion_on, json::date),
        "isForked" => json::boolean(out, project.forked_from.is_some()),
        "forkedFrom" => write(run, field, out, project.forked_from),
        "webUrl" => json::string(out, &web_url(run, project.id)),
        "group" => group::write(run, field, out, group_id(project)),
        "namespace" => namespace(run, field, out, project),
        "repository" => repository(run, field, out, project),
        "jobsEnabled" => json::boolean(out, project.builds_access_level != "disabled"),
        "mergeRequestsEnabled" => json::boolean(out, merge_requests::readable(run, project)),
        "mergeRequestsAccessLevel" => feature_access(field, out, &project.merge_requests_access_level),
        "issuesEnabled" => json::boolean(out, issues::readable(run, project)),
        "issuesAccessLevel" => feature_access(field, out, &project.issues_access_level),
        "statistics" => statistics(run, field, out, project),
        _ => list_field(run, field, out, project),
    }
}

fn list_field(run: &Run<'_>, field: &Node, out: &mut Out, project: &Project) {
    match field.name.as_str() {
        "mergeRequests" => merge_requests::write(run, field, out, project),
        "mergeRequest" => merge_request::write(run, field, out, numbered(run, field, project)),
        "openMergeRequestsCount" => {
            let count = merge_requests::readable(run, project).then(|| run.index.opened(project.id) as i64);
            json::option(out, count, json::integer);
        }
        "label" => query::label_titled(run, field, out, &label::of_project(run, project, true)),
        "labels" => {
            let with_ancestors = field.flag("includeAncestorGroups") == Some(true);
            label::list(run, field, out, label::of_project(run, project, with_ancestors));
        }
        "milestones" => milestone::list(run, field, out, milestone::of_project(run, field, project)),
        "projectMembers" => member::of_project(run, field, out, project),
        "issues" => issues::write(run, field, out, project),
        "issue" => issue::write(run, field, out, issues::numbered(run, field, project)),
        "openIssuesCount" => json::option(out, issues::open(run, project), json::integer),
        "pipeline" | "pipelineCounts" | "pipelines" => ci::of_project(run, field, out, project),
        _ => json::null(out),
    }
}

fn numbered(run: &Run<'_>, node: &Node, project: &Project) -> Option<Id> {
    run.index.merge_request(project.id, node.text("iid")?.parse().ok()?)
}

fn group_id(project: &Project) -> Option<Id> {
    match project.namespace {
        Namespace::Group(id) => Some(id),
        Namespace::User(_) => None,
    }
}

/// Where the project's page is.
pub(super) fn web_url(run: &Run<'_>, id: Id) -> String {
    format!("{}/{}", run.options.base_url, run.index.project_path(id))
}

fn name_with_namespace(run: &Run<'_>, project: &Project) -> String {
    format!("{} / {}", namespace_name(run, project), project.name)
}

fn namespace_name(run: &Run<'_>, project: &Project) -> String {
    match project.namespace {
        Namespace::Group(id) => group::full_name(run, id),
        Namespace::User(id) => run.world.users.get(&id).map(|user| user.name.clone()).unwrap_or_default(),
    }
}

fn namespace(run: &Run<'_>, node: &Node, out: &mut Out, project: &Project) {
    match project.namespace {
        Namespace::Group(id) => group_namespace(run, node, out, id),
        Namespace::User(id) => user_namespace(run, node, out, id),
    }
}

fn group_namespace(run: &Run<'_>, node: &Node, out: &mut Out, id: Id) {
    let Some(group) = run.world.groups.get(&id) else { return json::null(out) };
    json::child(out, node, |field, out| match field.name.as_str() {
        "id" => json::gid(out, "Group", id),
        "name" => json::string(out, &group.name),
        "path" => json::string(out, &group.path),
        "fullPath" => json::string(out, run.index.group_path(id)),
        "fullName" => json::string(out, &group::full_name(run, id)),
        "visibility" => json::string(out, &group.visibility),
        "webUrl" => json::string(out, &group::web_url(run, id)),
        _ => json::null(out),
    });
}

/// Namespaces of users are numbered from here, away from those of groups.
const USER_NAMESPACES: Id = 900_000;

fn user_namespace(run: &Run<'_>, node: &Node, out: &mut Out, id: Id) {
    let Some(user) = run.world.users.get(&id) else { return json::null(out) };
    json::child(out, node, |field, out| match field.name.as_str() {
        "id" => json::gid(out, "Namespaces::UserNamespace", USER_NAMESPACES + id),
        "name" | "fullName" => json::string(out, &user.name),
        "path" | "fullPath" => json::string(out, &user.username),
        "visibility" => json::plain(out, "public"),
        "webUrl" => json::string(out, &format!("{}/{}", run.options.base_url, user.username)),
        _ => json::null(out),
    });
}

fn repository(run: &Run<'_>, node: &Node, out: &mut Out, project: &Project) {
    json::child(out, node, |field, out| match field.name.as_str() {
        "empty" => json::boolean(out, project.empty_repo),
        "exists" => json::boolean(out, true),
        "tree" => tree(run, field, out, project),
        _ => {
            let visible = project.default_branch.as_deref().filter(|_| run.sight.sees_code(project.id));
            json::option(out, visible, json::string);
        }
    });
}

/// The tree of the default branch, of which only the last commit is known; null where GitLab shows no code.
fn tree(run: &Run<'_>, node: &Node, out: &mut Out, project: &Project) {
    let branch = project.default_branch.as_deref();
    let asked = node.text("ref").filter(|name| *name != "HEAD").or(branch);
    let repository = run.world.repositories.get(&project.id).filter(|_| run.sight.sees_code(project.id));
    let head = repository.and_then(|it| it.get(it.head.as_deref()?)).filter(|_| asked == branch);
    json::child(out, node, |field, out| commit::write(run, field, out, project.id, head));
}

/// Null below Reporter, as internal notes are. GitLab counts in floating point.
fn statistics(run: &Run<'_>, node: &Node, out: &mut Out, project: &Project) {
    if !run.sight.sees_internal_notes(project.id) {
        return json::null(out);
    }
    let count = run.world.repositories.get(&project.id).map_or(0, |it| it.commit_count());
    json::child(out, node, |_, out| json::raw(out, &format!("{count}.0")));
}

fn feature_access(node: &Node, out: &mut Out, level: &str) {
    let (number, name) = match level {
        "disabled" => (0, "DISABLED"),
        "private" => (10, "PRIVATE"),
        _ => (20, "ENABLED"),
    };
    json::child(out, node, |field, out| match field.name.as_str() {
        "integerValue" => json::integer(out, number),
        _ => json::plain(out, name),
    });
}
