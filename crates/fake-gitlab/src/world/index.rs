//! Lookups made from the world once per change of it, so that no request scans everything.

mod ci;

use std::collections::HashMap;

pub use ci::{CiIndex, PipelineEntry, ProjectCi};

use super::model::{Id, MergeRequestState, Namespace, Owner, Time, World};

/// What a listing needs to know of a merge request to filter and order it.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// GitLab's id.
    pub id: Id,
    /// Number within the project.
    pub iid: i64,
    /// State, for the `state` filter.
    pub state: MergeRequestState,
    /// When it was opened.
    pub created_at: Time,
    /// When it last moved.
    pub updated_at: Time,
}

/// The merge requests of one project.
#[derive(Debug, Default)]
pub struct ProjectIndex {
    /// Oldest first; equal times highest id first, as GitLab breaks ties.
    pub by_updated: Vec<Entry>,
    /// Oldest first; equal times highest id first.
    pub by_created: Vec<Entry>,
    /// Id of each number.
    pub by_iid: HashMap<i64, Id>,
}

/// All lookups.
#[derive(Debug, Default)]
pub struct Index {
    /// Full path in lower case, as GitLab compares paths.
    pub groups_by_path: HashMap<String, Id>,
    /// Full path in lower case.
    pub projects_by_path: HashMap<String, Id>,
    /// Former full paths in lower case.
    pub old_paths: HashMap<String, Id>,
    /// Groups directly below a group.
    pub subgroups: HashMap<Id, Vec<Id>>,
    /// Projects directly in a group.
    pub group_projects: HashMap<Id, Vec<Id>>,
    /// Labels by the group or project that owns them.
    pub labels: HashMap<Owner, Vec<Id>>,
    /// Milestones by the group or project that owns them.
    pub milestones: HashMap<Owner, Vec<Id>>,
    /// Merge requests by project.
    pub projects: HashMap<Id, ProjectIndex>,
    /// Pipelines, jobs, environments and deployments by project.
    pub ci: CiIndex,
}

impl Index {
    /// Reads the whole world once.
    pub fn of(world: &World) -> Self {
        let mut index = Self { ci: CiIndex::of(world), ..Self::default() };
        index.add_groups(world);
        index.add_projects(world);
        for label in world.labels.values() {
            index.labels.entry(label.owner).or_default().push(label.id);
        }
        for milestone in world.milestones.values() {
            index.milestones.entry(milestone.owner).or_default().push(milestone.id);
        }
        index.add_merge_requests(world);
        index
    }

    fn add_groups(&mut self, world: &World) {
        for group in world.groups.values() {
            self.groups_by_path.insert(world.group_full_path(group.id).to_lowercase(), group.id);
            if let Some(parent) = group.parent_id {
                self.subgroups.entry(parent).or_default().push(group.id);
            }
        }
    }

    fn add_projects(&mut self, world: &World) {
        for project in world.projects.values() {
            self.projects_by_path.insert(world.project_full_path(project).to_lowercase(), project.id);
            for path in &project.old_paths {
                self.old_paths.insert(path.to_lowercase(), project.id);
            }
            if let Namespace::Group(group) = project.namespace {
                self.group_projects.entry(group).or_default().push(project.id);
            }
            self.projects.insert(project.id, ProjectIndex::default());
        }
    }

    fn add_merge_requests(&mut self, world: &World) {
        for mr in world.merge_requests.values() {
            let entry = Entry {
                id: mr.id,
                iid: mr.iid,
                state: mr.state,
                created_at: mr.created_at,
                updated_at: mr.updated_at,
            };
            let project = self.projects.entry(mr.project_id).or_default();
            project.by_updated.push(entry);
            project.by_iid.insert(mr.iid, mr.id);
        }
        for project in self.projects.values_mut() {
            project.by_created = project.by_updated.clone();
            project.by_created.sort_by_key(|entry| (entry.created_at, -entry.id));
            project.by_updated.sort_by_key(|entry| (entry.updated_at, -entry.id));
        }
    }

    /// All groups below a group, not itself, in order of id.
    pub fn descendants(&self, group_id: Id) -> Vec<Id> {
        let mut found = Vec::new();
        let mut open = vec![group_id];
        while let Some(next) = open.pop() {
            let below = self.subgroups.get(&next).map(Vec::as_slice).unwrap_or_default();
            found.extend_from_slice(below);
            open.extend_from_slice(below);
        }
        found.sort_unstable();
        found
    }
}
