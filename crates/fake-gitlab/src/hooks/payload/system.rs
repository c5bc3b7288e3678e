//! Events of the instance and of groups: projects, groups, members, users.

use serde_json::{Value, json};

use super::Scene;
use super::parts::{iso, namespace_name};
use crate::world::event::{Change, GroupMoved, MemberMoved, ProjectMoved};
use crate::world::model::{Id, Member, Namespace, Owner, Project, User};

impl Scene<'_> {
    /// `project_create` and the like.
    pub(super) fn project_event(&self, moved: &ProjectMoved) -> Value {
        let project = &moved.project;
        let mut body = json!({
            "event_name": project_event_name(moved),
            "created_at": iso(project.created_at),
            "updated_at": iso(project.updated_at),
            "name": project.name,
            "path": project.path,
            "path_with_namespace": moved.path,
            "project_id": project.id,
            "owner_name": namespace_name(self.world, project.namespace),
            "owner_email": "",
            "owners": self.owners(project),
            "project_visibility": project.visibility,
        });
        if let Some(old) = &moved.old_path {
            body["old_path_with_namespace"] = json!(old);
        }
        if let Namespace::Group(id) = project.namespace {
            body["project_namespace_id"] = json!(id);
        }
        body
    }

    fn owners(&self, project: &Project) -> Vec<Value> {
        let owner = |id: Id| {
            let user = self.world.users.get(&id)?;
            Some(json!({ "name": user.name, "email": self.world.email(id) }))
        };
        match project.namespace {
            Namespace::User(id) => owner(id).into_iter().collect(),
            Namespace::Group(id) => {
                let members = self.world.groups.get(&id).into_iter().flat_map(|it| it.members.values());
                members.filter(|it| it.access_level >= 50).filter_map(|it| owner(it.user_id)).collect()
            }
        }
    }

    /// `group_create` and the like.
    pub(super) fn group_event(&self, moved: &GroupMoved) -> Value {
        let group = &moved.group;
        let name = match moved.change {
            Change::Created => "group_create",
            Change::Updated => "group_rename",
            Change::Removed => "group_destroy",
        };
        let mut body = json!({
            "event_name": name,
            "created_at": iso(group.created_at),
            "updated_at": iso(self.at),
            "name": group.name,
            "path": group.path,
            "full_path": moved.full_path,
            "group_id": group.id,
            "owner_name": null,
            "owner_email": null,
        });
        if let Some((path, full_path)) = &moved.old_paths {
            body["old_path"] = json!(path);
            body["old_full_path"] = json!(full_path);
        }
        body
    }

    /// `subgroup_create` and `subgroup_destroy`, for hooks of the groups above.
    pub(super) fn subgroup_event(&self, moved: &GroupMoved) -> Option<Value> {
        let parent = self.world.groups.get(moved.above.first()?)?;
        let name = match moved.change {
            Change::Created => "subgroup_create",
            Change::Removed => "subgroup_destroy",
            Change::Updated => return None,
        };
        let group = &moved.group;
        Some(json!({
            "event_name": name,
            "created_at": iso(group.created_at),
            "updated_at": iso(self.at),
            "name": group.name,
            "path": group.path,
            "full_path": moved.full_path,
            "group_id": group.id,
            "parent_group_id": parent.id,
            "parent_name": parent.name,
            "parent_path": parent.path,
            "parent_full_path": self.world.group_full_path(parent.id),
        }))
    }

    /// `user_add_to_team`, `user_add_to_group` and the like; none where the user or the place is gone.
    pub(super) fn member_moved(&self, moved: &MemberMoved) -> Option<Value> {
        let user = self.world.users.get(&moved.member.user_id)?;
        let mut body = json!({
            "created_at": iso(moved.member.created_at),
            "updated_at": iso(self.at),
            "user_username": user.username,
            "user_name": user.name,
            "user_email": "[REDACTED]",
            "user_id": user.id,
        });
        let place = match moved.place {
            Owner::Group(id) => self.in_group(id, moved)?,
            Owner::Project(id) => self.in_project(id, moved)?,
        };
        if let (Value::Object(body), Value::Object(place)) = (&mut body, place) {
            body.extend(place);
        }
        Some(body)
    }

    fn in_group(&self, id: Id, moved: &MemberMoved) -> Option<Value> {
        let group = self.world.groups.get(&id)?;
        Some(json!({
            "event_name": member_event_name(moved.change, "group"),
            "group_name": group.name,
            "group_path": group.path,
            "group_id": id,
            "group_access": access_word(&moved.member),
            "group_plan": null,
            "expires_at": moved.member.expires_at.map(|day| format!("{day}T00:00:00Z")),
        }))
    }

    fn in_project(&self, id: Id, moved: &MemberMoved) -> Option<Value> {
        let project = self.world.projects.get(&id)?;
        Some(json!({
            "event_name": member_event_name(moved.change, "team"),
            "access_level": access_word(&moved.member),
            "project_id": id,
            "project_name": project.name,
            "project_path": project.path,
            "project_path_with_namespace": self.world.project_full_path(project),
            "project_visibility": project.visibility,
        }))
    }

    /// `user_create`.
    pub(super) fn user_created(&self, user: &User) -> Value {
        json!({
            "event_name": "user_create",
            "created_at": iso(user.created_at),
            "updated_at": iso(user.created_at),
            "name": user.name,
            "email": self.world.email(user.id),
            "username": user.username,
            "user_id": user.id,
        })
    }
}

/// A project that moved to another namespace is not called renamed.
fn project_event_name(moved: &ProjectMoved) -> &'static str {
    match moved.change {
        Change::Created => "project_create",
        Change::Removed => "project_destroy",
        Change::Updated if moved.transferred => "project_transfer",
        Change::Updated if moved.old_path.is_some() => "project_rename",
        Change::Updated => "project_update",
    }
}

fn member_event_name(change: Change, place: &str) -> String {
    match change {
        Change::Created => format!("user_add_to_{place}"),
        Change::Updated => format!("user_update_for_{place}"),
        Change::Removed => format!("user_remove_from_{place}"),
    }
}

/// A level as a word.
fn access_word(member: &Member) -> &'static str {
    match member.access_level {
        50.. => "Owner",
        40.. => "Maintainer",
        30.. => "Developer",
        20.. => "Reporter",
        15.. => "Planner",
        10.. => "Guest",
        _ => "Minimal Access",
    }
}
