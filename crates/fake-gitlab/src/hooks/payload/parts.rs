//! What bodies have in common: times, people, projects, labels, commits.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::Scene;
use crate::world::git::Commit;
use crate::world::model::{Id, Label, Namespace, Owner, Project, Time, World};

/// `2025-08-05 21:48:25 UTC`, as most bodies have it.
pub(super) fn utc(time: Time) -> Value {
    json!(time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

pub(super) fn utc_or_null(time: Option<Time>) -> Value {
    time.map_or(Value::Null, utc)
}

/// `2012-07-21T07:30:54Z`, as events of the instance have it.
pub(super) fn iso(time: Time) -> Value {
    json!(time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// A moved value in `changes`.
pub(super) fn moved(previous: impl Into<Value>, current: impl Into<Value>) -> Value {
    json!({ "previous": previous.into(), "current": current.into() })
}

/// A visibility as a number.
pub(super) fn visibility_level(visibility: &str) -> i64 {
    match visibility {
        "public" => 20,
        "internal" => 10,
        _ => 0,
    }
}

impl<'a> Scene<'a> {
    /// Somebody, or null where the account is gone.
    pub(super) fn user(&self, id: Option<Id>) -> Value {
        let Some(user) = id.and_then(|id| self.world.users.get(&id)) else { return Value::Null };
        json!({
            "id": user.id,
            "name": user.name,
            "username": user.username,
            "avatar_url": avatar(user.id),
            "email": "[REDACTED]",
        })
    }

    pub(super) fn users(&self, ids: impl IntoIterator<Item = Id>) -> Vec<Value> {
        ids.into_iter().map(|id| self.user(Some(id))).filter(|it| !it.is_null()).collect()
    }

    /// A project with the names that remained of older versions.
    pub(super) fn project(&self, project: &Project) -> Value {
        let mut body = self.short_project(project);
        let (web, ssh, http) = addresses(self.world, project);
        for (name, value) in [("homepage", &web), ("url", &ssh), ("ssh_url", &ssh), ("http_url", &http)] {
            body[name] = json!(value);
        }
        body
    }

    /// A project as pipelines and jobs show it.
    pub(super) fn short_project(&self, project: &Project) -> Value {
        let (web, ssh, http) = addresses(self.world, project);
        json!({
            "id": project.id,
            "name": project.name,
            "description": project.description,
            "web_url": web,
            "avatar_url": null,
            "git_ssh_url": ssh,
            "git_http_url": http,
            "namespace": namespace_name(self.world, project.namespace),
            "visibility_level": visibility_level(&project.visibility),
            "path_with_namespace": self.world.project_full_path(project),
            "default_branch": project.default_branch,
            "ci_config_path": "",
        })
    }

    /// `repository`, which is a project in few words.
    pub(super) fn repository(&self, project: &Project) -> Value {
        let (web, ssh, _) = addresses(self.world, project);
        json!({ "name": project.name, "url": ssh, "description": project.description, "homepage": web })
    }

    /// The same with addresses, as pushes and jobs have it.
    pub(super) fn long_repository(&self, project: &Project) -> Value {
        let (_, ssh, http) = addresses(self.world, project);
        let mut body = self.repository(project);
        body["git_http_url"] = json!(http);
        body["git_ssh_url"] = json!(ssh);
        body["visibility_level"] = json!(visibility_level(&project.visibility));
        body
    }

    pub(super) fn project_url(&self, project: &Project) -> String {
        addresses(self.world, project).0
    }

    pub(super) fn labels(&self, ids: &[Id]) -> Vec<Value> {
        ids.iter().filter_map(|id| self.world.labels.get(id)).map(label).collect()
    }

    /// A commit as it stands in merge requests and pipelines.
    pub(super) fn commit(&self, project: &Project, commit: &Commit) -> Value {
        json!({
            "id": commit.sha,
            "message": commit.message,
            "title": commit.title(),
            "timestamp": commit.committer.at.to_rfc3339_opts(SecondsFormat::Secs, false),
            "url": format!("{}/-/commit/{}", self.project_url(project), commit.sha),
            "author": { "name": commit.author.name, "email": commit.author.email },
        })
    }
}

fn avatar(user_id: Id) -> String {
    format!("https://secure.gravatar.com/avatar/{user_id:032x}?s=80&d=identicon")
}

/// The addresses of a project: in a browser, by SSH and by HTTP.
fn addresses(world: &World, project: &Project) -> (String, String, String) {
    let path = world.project_full_path(project);
    let host = world.url.split("://").nth(1).unwrap_or_default();
    (format!("{}/{path}", world.url), format!("git@{host}:{path}.git"), format!("{}/{path}.git", world.url))
}

pub(super) fn namespace_name(world: &World, namespace: Namespace) -> String {
    match namespace {
        Namespace::Group(id) => world.groups.get(&id).map(|it| it.name.clone()),
        Namespace::User(id) => world.users.get(&id).map(|it| it.name.clone()),
    }
    .unwrap_or_default()
}

fn label(label: &Label) -> Value {
    let (project_id, group_id, kind) = match label.owner {
        Owner::Project(id) => (Some(id), None, "ProjectLabel"),
        Owner::Group(id) => (None, Some(id), "GroupLabel"),
    };
    json!({
        "id": label.id,
        "title": label.title,
        "color": label.color,
        "project_id": project_id,
        "created_at": utc(label.created_at),
        "updated_at": utc(label.updated_at),
        "template": false,
        "description": label.description,
        "type": kind,
        "group_id": group_id,
    })
}
