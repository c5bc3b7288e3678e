//! Groups, projects, people, members, labels and milestones.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Row, Sight, Tables, at, row};
use crate::rest::entities::user::is_bot;
use crate::world::model::{
    Group, Id, Label, Member, MergeRequestState, Milestone, Namespace, Owner, Project, User, UserType,
};

impl Sight<'_> {
    pub(super) fn dimensions(&self, tables: &mut Tables) {
        tables.insert("gitlab_groups", self.groups.iter().map(|group| self.group(group)).collect());
        tables.insert("gitlab_projects", self.projects.iter().map(|project| self.project(project)).collect());
        let users = self.user_ids().into_iter().filter_map(|id| self.world.users.get(&id));
        tables.insert("gitlab_users", users.map(|user| self.user(user)).collect());
        tables.insert("gitlab_group_members", self.group_members());
        tables.insert("gitlab_project_members", self.project_members());
        tables.insert("gitlab_labels", self.labels());
        tables.insert("gitlab_milestones", self.milestones());
    }

    fn group(&self, group: &Group) -> Row {
        row(json!({
            "id": group.id,
            "source_id": group.id,
            "parent_id": group.parent_id,
            "name": group.name,
            "path": group.path,
            "full_path": self.world.group_full_path(group.id),
            "visibility": group.visibility,
            "created_at": at(group.created_at),
        }))
    }

    fn project(&self, project: &Project) -> Row {
        let path = self.world.project_full_path(project);
        let group_id = match project.namespace {
            Namespace::Group(id) => Some(id),
            Namespace::User(_) => None,
        };
        row(json!({
            "id": project.id,
            "source_id": project.id,
            "group_id": group_id,
            "namespace_id": self.world.namespace_id(project.namespace),
            "namespace_full_path": self.world.namespace_full_path(project.namespace),
            "name": project.name,
            "path": project.path,
            "path_with_namespace": path,
            "description": project.description,
            "default_branch": self.world.default_branch(self.viewer, project),
            "visibility": project.visibility,
            "archived": project.archived,
            "topics": project.topics,
            "source_url": format!("{}/{path}", self.world.url),
            "empty_repo": project.empty_repo,
            "forked_from_project_id": self.world.visible_fork_parent(self.viewer, project).map(|it| it.id),
            "merge_requests_access_level": project.merge_requests_access_level,
            "issues_access_level": project.issues_access_level,
            "builds_access_level": project.builds_access_level,
            "marked_for_deletion_on": project.marked_for_deletion_on,
            "created_at": at(project.created_at),
            "last_activity_at": at(project.last_activity_at),
        }))
    }

    /// Everyone who appears somewhere.
    fn user_ids(&self) -> BTreeSet<Id> {
        let mut ids = BTreeSet::new();
        ids.extend(self.groups.iter().flat_map(|group| self.current(&group.members)).map(|it| it.user_id));
        ids.extend(self.projects.iter().flat_map(|it| self.current(&it.members)).map(|it| it.user_id));
        for mr in &self.merge_requests {
            ids.insert(mr.author_id);
            ids.extend(&mr.assignee_ids);
            ids.extend(mr.reviewers.iter().map(|reviewer| reviewer.user_id));
            ids.extend(mr.approvals.iter().map(|approval| approval.user_id));
            ids.extend(mr.merge_user_id.filter(|_| mr.state == MergeRequestState::Merged));
            ids.extend(mr.closed_by_id);
            ids.extend(self.world.visible_notes(self.viewer, mr).map(|note| note.author_id));
        }
        if self.reading.issues {
            ids.extend(self.people_of_issues());
        }
        ids.extend(self.ci_user_ids());
        ids
    }

    fn user(&self, user: &User) -> Row {
        let bot = is_bot(user.user_type);
        let (kind, rule) = match user.user_type {
            UserType::LlmBot | UserType::DuoCodeReviewBot => ("ai_bot", "duo_account"),
            UserType::ProjectBot if user.username.contains("_bot_") => ("bot", "token_bot"),
            UserType::ServiceAccount if user.username.starts_with("service_account_") => {
                ("bot", "service_account")
            }
            UserType::Ghost => ("human", "ghost"),
            _ if bot => ("bot", "bot_flag"),
            _ => ("human", "bot_flag"),
        };
        row(json!({
            "id": user.id,
            "source_id": user.id,
            "username": user.username,
            "name": user.name,
            "state": user.state,
            "bot": bot,
            "type": kind,
            "type_rule": rule,
            "source_url": format!("{}/{}", self.world.url, user.username),
        }))
    }

    /// Memberships that have not ended.
    fn current<'m>(&self, members: &'m BTreeMap<Id, Member>) -> impl Iterator<Item = &'m Member> + use<'m> {
        let today = self.world.now.date_naive();
        members.values().filter(move |member| member.expires_at.is_none_or(|day| day > today))
    }

    fn group_members(&self) -> Vec<Row> {
        let of = |group: &&Group| {
            let id = group.id;
            self.current(&group.members).map(move |it| member("group_id", id, it)).collect::<Vec<_>>()
        };
        self.groups.iter().flat_map(of).collect()
    }

    fn project_members(&self) -> Vec<Row> {
        let of = |project: &&Project| {
            let id = project.id;
            self.current(&project.members).map(move |it| member("project_id", id, it)).collect::<Vec<_>>()
        };
        self.projects.iter().flat_map(of).collect()
    }

    fn labels(&self) -> Vec<Row> {
        let mut by_owner: BTreeMap<Id, Vec<&Label>> = BTreeMap::new();
        for label in self.world.labels.values() {
            by_owner.entry(owner_id(label.owner)).or_default().push(label);
        }
        let of = |project: &&Project| {
            let owners = self.world.owners_above(project.id);
            let labels = owners.iter().filter_map(|owner| by_owner.get(&owner_id(*owner))).flatten();
            let labels = labels.filter(|label| owners.contains(&label.owner));
            labels.map(|label| self.label(project.id, label)).collect::<Vec<_>>()
        };
        self.projects.iter().flat_map(of).collect()
    }

    fn label(&self, project_id: Id, label: &Label) -> Row {
        let group_id = match label.owner {
            Owner::Group(id) => Some(id).filter(|id| self.group_ids.contains(id)),
            Owner::Project(_) => None,
        };
        row(json!({
            "project_id": project_id,
            "id": label.id,
            "source_id": label.id,
            "group_id": group_id,
            "is_project_label": matches!(label.owner, Owner::Project(_)),
            "name": label.title,
            "color": label.color,
            "description": label.description,
        }))
    }

    fn milestones(&self) -> Vec<Row> {
        let of = |project: &&Project| {
            let milestones = self.world.milestones_of_project(project.id).into_iter();
            milestones.map(|it| milestone(project.id, it)).collect::<Vec<_>>()
        };
        self.projects.iter().flat_map(of).collect()
    }
}

/// Groups as negative numbers, so that both kinds share a map.
fn owner_id(owner: Owner) -> Id {
    match owner {
        Owner::Group(id) => -id,
        Owner::Project(id) => id,
    }
}

fn member(parent: &str, parent_id: Id, member: &Member) -> Row {
    let mut row = row(json!({
        "user_id": member.user_id,
        "access_level": member.access_level,
        "created_at": at(member.created_at),
        "expires_at": member.expires_at,
    }));
    row.insert(parent.to_owned(), json!(parent_id));
    row
}

fn milestone(project_id: Id, milestone: &Milestone) -> Row {
    let group_id = match milestone.owner {
        Owner::Group(id) => json!(id),
        Owner::Project(_) => Value::Null,
    };
    row(json!({
        "project_id": project_id,
        "id": milestone.id,
        "source_id": milestone.id,
        "iid": milestone.iid,
        "group_id": group_id,
        "title": milestone.title,
        "state": milestone.state,
        "start_date": milestone.start_date,
        "due_date": milestone.due_date,
        "created_at": at(milestone.created_at),
        "updated_at": at(milestone.updated_at),
    }))
}
