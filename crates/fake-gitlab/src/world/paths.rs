//! Full paths of groups and projects, made from the tree on demand, so that a rename moves everything below.

use super::model::{Id, Namespace, Project, World};

impl World {
    /// The group and the groups above it, nearest first.
    pub fn group_and_ancestors(&self, group_id: Id) -> Vec<Id> {
        let mut chain = Vec::new();
        let mut next = Some(group_id);
        while let Some(group) = next.and_then(|id| self.groups.get(&id)) {
            chain.push(group.id);
            next = group.parent_id;
        }
        chain
    }

    /// The groups that hold the project, nearest first; none in a user's namespace.
    pub fn project_groups(&self, project: &Project) -> Vec<Id> {
        match project.namespace {
            Namespace::Group(id) => self.group_and_ancestors(id),
            Namespace::User(_) => Vec::new(),
        }
    }

    /// `top/sub/group`; empty for an unknown group.
    pub fn group_full_path(&self, group_id: Id) -> String {
        self.join_chain(group_id, "/", |world, id| &world.groups[&id].path)
    }

    /// `Top / Sub / Group`, as GitLab's `full_name`.
    pub fn group_full_name(&self, group_id: Id) -> String {
        self.join_chain(group_id, " / ", |world, id| &world.groups[&id].name)
    }

    fn join_chain(&self, group_id: Id, separator: &str, part: fn(&World, Id) -> &String) -> String {
        let parts: Vec<&str> =
            self.group_and_ancestors(group_id).into_iter().rev().map(|id| part(self, id).as_str()).collect();
        parts.join(separator)
    }

    /// Path of a group or a user.
    pub fn namespace_full_path(&self, namespace: Namespace) -> String {
        match namespace {
            Namespace::Group(id) => self.group_full_path(id),
            Namespace::User(id) => self.users.get(&id).map(|user| user.username.clone()).unwrap_or_default(),
        }
    }

    /// GitLab's numeric id of a namespace. A user's namespace has its own number, made from the user's.
    pub fn namespace_id(&self, namespace: Namespace) -> Id {
        match namespace {
            Namespace::Group(id) => id,
            Namespace::User(id) => USER_NAMESPACES + id,
        }
    }

    /// GitLab's `path_with_namespace`.
    pub fn project_full_path(&self, project: &Project) -> String {
        format!("{}/{}", self.namespace_full_path(project.namespace), project.path)
    }
}

/// Namespaces of users are numbered from here, away from those of groups.
const USER_NAMESPACES: Id = 900_000;
