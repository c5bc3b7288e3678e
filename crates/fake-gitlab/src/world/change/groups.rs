//! Groups deleted, and groups invited into projects and other groups.

use std::collections::BTreeSet;

use crate::world::event::Change;
use crate::world::model::{Id, Owner, World};

impl World {
    /// Deletes a group with everything below it.
    pub fn delete_group(&mut self, group_id: Id) {
        self.tick();
        let below = |id: &Id| self.group_and_ancestors(*id).contains(&group_id);
        let groups: BTreeSet<Id> = self.groups.keys().copied().filter(below).collect();
        let inside = |id: &Id| self.project_groups(&self.projects[id]).contains(&group_id);
        let projects: Vec<Id> = self.projects.keys().copied().filter(inside).collect();
        projects.into_iter().for_each(|id| self.delete_project(id));
        groups.iter().for_each(|id| self.raise_group(*id, Change::Removed, None));
        let gone = |owner: &Owner| matches!(owner, Owner::Group(id) if groups.contains(id));
        self.labels.retain(|_, label| !gone(&label.owner));
        self.milestones.retain(|_, milestone| !gone(&milestone.owner));
        self.groups.retain(|id, _| !groups.contains(id));
        for group in self.groups.values_mut() {
            group.invited_groups.retain(|id, _| !groups.contains(id));
        }
        for project in self.projects.values_mut() {
            project.invited_groups.retain(|id, _| !groups.contains(id));
        }
    }

    /// Invites a group into a project: its members get at most this level.
    pub fn invite_group_to_project(&mut self, project_id: Id, group_id: Id, access_level: i32) {
        self.groups.get_mut(&group_id).expect("the group exists").shared_projects.insert(project_id);
        let project = self.projects.get_mut(&project_id).expect("the project exists");
        project.invited_groups.insert(group_id, access_level);
    }

    /// Takes the invitation back.
    pub fn uninvite_group_from_project(&mut self, project_id: Id, group_id: Id) {
        if let Some(group) = self.groups.get_mut(&group_id) {
            group.shared_projects.remove(&project_id);
        }
        if let Some(project) = self.projects.get_mut(&project_id) {
            project.invited_groups.remove(&group_id);
        }
    }

    /// Invites a group into another: its direct members get at most this level there and below.
    pub fn invite_group_to_group(&mut self, group_id: Id, invited_id: Id, access_level: i32) {
        let group = self.groups.get_mut(&group_id).expect("the group exists");
        group.invited_groups.insert(invited_id, access_level);
    }

    /// Takes the invitation back.
    pub fn uninvite_group_from_group(&mut self, group_id: Id, invited_id: Id) {
        if let Some(group) = self.groups.get_mut(&group_id) {
            group.invited_groups.remove(&invited_id);
        }
    }
}
