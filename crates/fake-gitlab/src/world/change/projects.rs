//! Groups and projects: created, renamed, moved, archived, deleted.

use std::collections::{BTreeMap, BTreeSet};

use crate::world::event::Change;
use crate::world::model::{Group, Id, Label, Milestone, Namespace, Owner, Project, World};

impl World {
    /// Creates a group without members.
    pub fn create_group(&mut self, parent_id: Option<Id>, name: &str, path: &str, visibility: &str) -> Id {
        let now = self.tick();
        self.ids.group += 1;
        let id = self.ids.group;
        let group = Group {
            id,
            parent_id,
            name: name.to_owned(),
            path: path.to_owned(),
            visibility: visibility.to_owned(),
            created_at: now,
            members: BTreeMap::new(),
            shared_projects: BTreeSet::new(),
            invited_groups: BTreeMap::new(),
        };
        self.groups.insert(id, group);
        self.raise_group(id, Change::Created, None);
        id
    }

    /// Renames a group and its path. Paths of everything below follow; the old project paths answer 301.
    pub fn rename_group(&mut self, group_id: Id, name: &str, path: &str) {
        self.tick();
        let below: Vec<Id> = self.projects_below(group_id);
        for id in below {
            self.remember_path(id);
        }
        let old_paths = (self.groups[&group_id].path.clone(), self.group_full_path(group_id));
        let group = self.groups.get_mut(&group_id).expect("the group exists");
        group.name = name.to_owned();
        group.path = path.to_owned();
        if old_paths.0 != path {
            self.raise_group(group_id, Change::Updated, Some(old_paths));
        }
    }

    fn projects_below(&self, group_id: Id) -> Vec<Id> {
        let below = |project: &&Project| self.project_groups(project).contains(&group_id);
        self.projects.values().filter(below).map(|project| project.id).collect()
    }

    fn remember_path(&mut self, project_id: Id) {
        let path = self.project_full_path(&self.projects[&project_id]);
        let project = self.projects.get_mut(&project_id).expect("the project exists");
        project.old_paths.push(path);
    }

    /// Creates a project with an empty repository.
    pub fn create_project(&mut self, namespace: Namespace, name: &str, path: &str, visibility: &str) -> Id {
        let now = self.tick();
        self.ids.project += 1;
        let id = self.ids.project;
        let project = Project {
            id,
            namespace,
            name: name.to_owned(),
            path: path.to_owned(),
            description: None,
            default_branch: None,
            visibility: visibility.to_owned(),
            archived: false,
            topics: Vec::new(),
            empty_repo: true,
            forked_from: None,
            merge_requests_access_level: "enabled".to_owned(),
            builds_access_level: "enabled".to_owned(),
            public_jobs: true,
            issues_access_level: "enabled".to_owned(),
            repository_access_level: "enabled".to_owned(),
            resets_approvals_on_push: id % 2 == 0,
            invited_groups: BTreeMap::new(),
            marked_for_deletion_on: None,
            created_at: now,
            updated_at: now,
            last_activity_at: now,
            members: BTreeMap::new(),
            old_paths: Vec::new(),
            next_iid: 1,
            next_milestone_iid: 1,
            next_issue_iid: 1,
            issue_ids: Vec::new(),
        };
        self.projects.insert(id, project);
        self.raise_presence(id, Change::Created);
        id
    }

    /// Changes a project's own columns.
    pub(super) fn edit_project(&mut self, project_id: Id, change: impl FnOnce(&mut Project)) {
        let now = self.tick();
        let before = self.projects[&project_id].clone();
        let path = self.project_full_path(&before);
        let project = self.projects.get_mut(&project_id).expect("the project exists");
        project.updated_at = now;
        change(project);
        self.raise_project(project_id, &before, path);
    }

    /// Renames a project and its path; the old path answers 301.
    pub fn rename_project(&mut self, project_id: Id, name: &str, path: &str) {
        self.remember_path(project_id);
        self.edit_project(project_id, |project| {
            project.name = name.to_owned();
            project.path = path.to_owned();
        });
    }

    /// Describes a project.
    pub fn describe_project(&mut self, project_id: Id, description: &str, topics: &[&str]) {
        self.edit_project(project_id, |project| {
            project.description = Some(description.to_owned());
            project.topics = topics.iter().map(|&topic| topic.to_owned()).collect();
        });
    }

    /// Archives a project or takes it back.
    pub fn archive_project(&mut self, project_id: Id, archived: bool) {
        self.edit_project(project_id, |it| it.archived = archived);
    }

    /// Switches merge requests: disabled, private or enabled.
    pub fn set_merge_requests_access(&mut self, project_id: Id, level: &str) {
        self.edit_project(project_id, |it| it.merge_requests_access_level = level.to_owned());
    }

    /// Switches issues: disabled, private or enabled.
    pub fn set_issues_access(&mut self, project_id: Id, level: &str) {
        self.edit_project(project_id, |it| it.issues_access_level = level.to_owned());
    }

    /// Switches the repository: disabled, private or enabled. Merge requests and pipelines are never more open than
    /// it is, and do not come back by themselves.
    pub fn set_repository_access(&mut self, project_id: Id, level: &str) {
        self.edit_project(project_id, |project| {
            project.repository_access_level = level.to_owned();
            for other in [&mut project.merge_requests_access_level, &mut project.builds_access_level] {
                if level == "disabled" || (level == "private" && other == "enabled") {
                    level.clone_into(other);
                }
            }
        });
    }

    /// Moves a project into another group. What its merge requests and issues carry of labels and milestones of groups it
    /// leaves is copied into the project, and neither moves.
    pub fn transfer_project(&mut self, project_id: Id, group_id: Id) {
        self.remember_path(project_id);
        self.edit_project(project_id, |it| it.namespace = Namespace::Group(group_id));
        let owners = self.owners_above(project_id);
        let merge_requests: Vec<Id> =
            self.merge_requests.values().filter(|mr| mr.project_id == project_id).map(|mr| mr.id).collect();
        for id in merge_requests {
            self.take_labels_along(id, project_id, &owners);
            self.take_milestone_along(id, project_id, &owners);
        }
        self.take_issues_along(project_id, &owners);
    }

    fn take_labels_along(&mut self, merge_request_id: Id, project_id: Id, owners: &[Owner]) {
        let before = self.merge_requests[&merge_request_id].label_ids.clone();
        let mut after = Vec::with_capacity(before.len());
        for id in before {
            let label = self.labels[&id].clone();
            let kept = if owners.contains(&label.owner) { id } else { self.same_label(project_id, &label) };
            if !after.contains(&kept) {
                after.push(kept);
            }
        }
        self.merge_request_mut(merge_request_id).label_ids = after;
    }

    pub(super) fn same_label(&mut self, project_id: Id, label: &Label) -> Id {
        let same = self.labels_of_project(project_id).into_iter().find(|other| other.title == label.title);
        match same.map(|other| other.id) {
            Some(id) => id,
            None => self.create_label(Owner::Project(project_id), &label.title, &label.color),
        }
    }

    fn take_milestone_along(&mut self, merge_request_id: Id, project_id: Id, owners: &[Owner]) {
        let Some(id) = self.merge_requests[&merge_request_id].milestone_id else { return };
        let milestone = self.milestones[&id].clone();
        if !owners.contains(&milestone.owner) {
            let kept = self.same_milestone(project_id, &milestone);
            self.merge_request_mut(merge_request_id).milestone_id = Some(kept);
        }
    }

    pub(super) fn same_milestone(&mut self, project_id: Id, milestone: &Milestone) -> Id {
        let same = self.milestones_of_project(project_id).into_iter().find(|m| m.title == milestone.title);
        match same.map(|other| other.id) {
            Some(id) => id,
            None => self.create_milestone(Owner::Project(project_id), &milestone.title),
        }
    }

    /// Marks a project for deletion: its path gets `-deletion_scheduled-<id>` and only owners still see it.
    pub fn schedule_deletion(&mut self, project_id: Id) {
        let today = self.now.date_naive();
        self.edit_project(project_id, |project| {
            project.marked_for_deletion_on = Some(today);
            project.path = format!("{}-deletion_scheduled-{project_id}", project.path);
            project.name = format!("{}-deletion_scheduled-{project_id}", project.name);
        });
    }

    /// Takes the mark for deletion back.
    pub fn restore_project(&mut self, project_id: Id) {
        let mark = format!("-deletion_scheduled-{project_id}");
        self.edit_project(project_id, |project| {
            project.marked_for_deletion_on = None;
            project.path = project.path.replace(&mark, "");
            project.name = project.name.replace(&mark, "");
        });
    }

    /// Deletes a project for good, with all that lies in it.
    pub fn delete_project(&mut self, project_id: Id) {
        if self.projects.contains_key(&project_id) {
            self.raise_presence(project_id, Change::Removed);
        }
        self.projects.remove(&project_id);
        self.repositories.remove(&project_id);
        self.issues.retain(|_, issue| issue.project_id != project_id);
        self.labels.retain(|_, label| label.owner != Owner::Project(project_id));
        self.milestones.retain(|_, milestone| milestone.owner != Owner::Project(project_id));
        let gone: Vec<Id> =
            self.merge_requests.values().filter(|mr| mr.project_id == project_id).map(|mr| mr.id).collect();
        for id in gone {
            self.delete_merge_request(id);
        }
        self.forget_ci(project_id);
        self.forget_project(project_id);
    }

    fn forget_project(&mut self, project_id: Id) {
        for group in self.groups.values_mut() {
            group.shared_projects.remove(&project_id);
        }
        for mr in self.merge_requests.values_mut() {
            if mr.source_project_id == Some(project_id) {
                mr.source_project_id = None;
            }
        }
        for project in self.projects.values_mut() {
            if project.forked_from == Some(project_id) {
                project.forked_from = None;
            }
        }
    }
}
