//! Projects, in GitLab's short form and in full.

use serde_json::{Map, Value, json};

use super::Millis;
use crate::rest::Ask;
use crate::world::model::{Id, Namespace, Project, World};

/// GitLab's `BasicProjectDetails`: what `simple=true` gives.
pub fn basic(ask: &Ask<'_>, project: &Project) -> Value {
    let world = ask.world;
    let path = world.project_full_path(project);
    let host = world.url.split("://").nth(1).unwrap_or_default();
    let branch = world.default_branch(ask.viewer, project);
    let name = format!("{} / {}", namespace_name(world, project.namespace), project.name);
    json!({
        "id": project.id,
        "description": project.description,
        "name": project.name,
        "name_with_namespace": name,
        "path": project.path,
        "path_with_namespace": path,
        "created_at": Millis(project.created_at),
        "default_branch": branch,
        "tag_list": project.topics,
        "topics": project.topics,
        "ssh_url_to_repo": format!("git@{host}:{path}.git"),
        "http_url_to_repo": format!("{}/{path}.git", world.url),
        "web_url": format!("{}/{path}", world.url),
        "readme_url": branch.map(|branch| format!("{}/{path}/-/blob/{branch}/README.md", world.url)),
        "forks_count": world.projects.values().filter(|other| other.forked_from == Some(project.id)).count(),
        "avatar_url": null,
        "star_count": 0,
        "last_activity_at": Millis(project.last_activity_at),
        "visibility": project.visibility,
        "namespace": namespace(world, project.namespace),
    })
}

fn namespace_name(world: &World, namespace: Namespace) -> String {
    match namespace {
        Namespace::Group(id) => world.group_full_name(id),
        Namespace::User(id) => world.users.get(&id).map(|user| user.name.clone()).unwrap_or_default(),
    }
}

fn namespace(world: &World, namespace: Namespace) -> Value {
    let full_path = world.namespace_full_path(namespace);
    let (kind, name, parent_id, web_url) = match namespace {
        Namespace::Group(id) => {
            let group = &world.groups[&id];
            ("group", group.name.clone(), group.parent_id, format!("{}/groups/{full_path}", world.url))
        }
        Namespace::User(_) => {
            ("user", namespace_name(world, namespace), None, format!("{}/{full_path}", world.url))
        }
    };
    json!({
        "id": world.namespace_id(namespace),
        "name": name,
        "path": full_path.rsplit('/').next(),
        "kind": kind,
        "full_path": full_path,
        "parent_id": parent_id,
        "avatar_url": null,
        "web_url": web_url,
    })
}

/// The project in full, as lists show it.
pub fn full(ask: &Ask<'_>, project: &Project) -> Value {
    let mut body = basic(ask, project);
    if let Value::Object(body) = &mut body {
        for part in [settings(ask, project), more_settings(ask.world, project), only_of_some(ask, project)] {
            body.extend(part.as_object().cloned().unwrap_or_default());
        }
    }
    body
}

fn settings(ask: &Ask<'_>, project: &Project) -> Value {
    let enabled = |level: &str| level != "disabled";
    json!({
        "_links": links(ask, project),
        "packages_enabled": true,
        "empty_repo": project.empty_repo,
        "archived": project.archived,
        "resolve_outdated_diff_discussions": false,
        "issues_enabled": enabled(&project.issues_access_level),
        "merge_requests_enabled": enabled(&project.merge_requests_access_level),
        "wiki_enabled": true,
        "jobs_enabled": enabled(&project.builds_access_level),
        "snippets_enabled": true,
        "container_registry_enabled": true,
        "service_desk_enabled": false,
        "can_create_merge_request_in": true,
        "issues_access_level": project.issues_access_level,
        "repository_access_level": project.repository_access_level,
        "merge_requests_access_level": project.merge_requests_access_level,
        "forking_access_level": "enabled",
        "wiki_access_level": "enabled",
        "builds_access_level": project.builds_access_level,
        "snippets_access_level": "enabled",
        "environments_access_level": ask.world.environments_access(project.id),
        "releases_access_level": "enabled",
    })
}

fn more_settings(world: &World, project: &Project) -> Value {
    json!({
        "shared_runners_enabled": true,
        "group_runners_enabled": true,
        "lfs_enabled": true,
        "creator_id": project.members.keys().next(),
        "import_status": "none",
        "updated_at": Millis(project.updated_at),
        "ci_config_path": null,
        "public_jobs": project.public_jobs,
        "shared_with_groups": invited(world, world.groups_invited_to(project)),
        "only_allow_merge_if_pipeline_succeeds": false,
        "allow_merge_on_skipped_pipeline": null,
        "request_access_enabled": true,
        "only_allow_merge_if_all_discussions_are_resolved": false,
        "remove_source_branch_after_merge": true,
        "printing_merge_request_link_enabled": true,
        "merge_method": "merge",
        "squash_option": "default_off",
        "suggestion_commit_message": null,
        "auto_cancel_pending_pipelines": "enabled",
        "auto_devops_enabled": false,
        "auto_devops_deploy_strategy": "continuous",
        "autoclose_referenced_issues": true,
    })
}

/// Groups that were invited, each with the highest level its members get.
pub fn invited(world: &World, groups: impl IntoIterator<Item = (Id, i32)>) -> Vec<Value> {
    let group = |(id, level): (Id, i32)| {
        json!({
            "group_id": id,
            "group_name": world.groups[&id].name,
            "group_full_path": world.group_full_path(id),
            "group_access_level": level,
            "expires_at": null,
        })
    };
    groups.into_iter().map(group).collect()
}

fn open_issues(world: &World, project: &Project) -> usize {
    project.issue_ids.iter().filter(|id| world.issues.get(id).is_some_and(|it| it.is_open())).count()
}

/// What `statistics=true` adds, for those who may read the code.
pub fn statistics(world: &World, project: &Project) -> Value {
    let count = world.repositories.get(&project.id).map_or(0, |it| it.commit_count());
    json!({
        "commit_count": count,
        "storage_size": 0,
        "repository_size": 0,
        "wiki_size": 0,
        "lfs_objects_size": 0,
        "job_artifacts_size": 0,
        "pipeline_artifacts_size": 0,
        "packages_size": 0,
        "snippets_size": 0,
        "uploads_size": 0,
    })
}

fn links(ask: &Ask<'_>, project: &Project) -> Value {
    let own = format!("{}/api/v4/projects/{}", ask.world.url, project.id);
    json!({
        "self": own,
        "issues": format!("{own}/issues"),
        "merge_requests": format!("{own}/merge_requests"),
        "repo_branches": format!("{own}/repository/branches"),
        "labels": format!("{own}/labels"),
        "events": format!("{own}/events"),
        "members": format!("{own}/members"),
        "cluster_agents": format!("{own}/cluster_agents"),
    })
}

/// What is there only for some projects.
fn only_of_some(ask: &Ask<'_>, project: &Project) -> Value {
    let mut more = Map::new();
    more.insert("marked_for_deletion_at".to_owned(), json!(project.marked_for_deletion_on));
    more.insert("marked_for_deletion_on".to_owned(), json!(project.marked_for_deletion_on));
    if project.issues_access_level != "disabled" {
        more.insert("open_issues_count".to_owned(), json!(open_issues(ask.world, project)));
    }
    if let Some(parent) = ask.world.visible_fork_parent(ask.viewer, project) {
        more.insert("forked_from_project".to_owned(), basic(ask, parent));
    }
    if let Some(owner) = user_namespace(ask, project) {
        more.insert("owner".to_owned(), owner);
    }
    Value::Object(more)
}

fn user_namespace(ask: &Ask<'_>, project: &Project) -> Option<Value> {
    let Namespace::User(id) = project.namespace else { return None };
    serde_json::to_value(super::user::UserBasic::of(ask.world, id)?).ok()
}
