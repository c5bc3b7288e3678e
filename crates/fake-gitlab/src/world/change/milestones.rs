//! Milestones of groups and projects, and on merge requests.

use crate::world::model::{Id, Milestone, Owner, World};

impl World {
    /// Creates a milestone with the next number of its owner.
    pub fn create_milestone(&mut self, owner: Owner, title: &str) -> Id {
        let now = self.tick();
        let iid = self.next_milestone_iid(owner);
        self.ids.milestone += 1;
        let id = self.ids.milestone;
        let today = now.date_naive();
        let milestone = Milestone {
            id,
            iid,
            owner,
            title: title.to_owned(),
            state: "active".to_owned(),
            start_date: (iid % 2 == 1).then_some(today),
            due_date: (iid % 3 != 0).then(|| today + chrono::TimeDelta::days(21)),
            created_at: now,
            updated_at: now,
        };
        self.milestones.insert(id, milestone);
        id
    }

    fn next_milestone_iid(&mut self, owner: Owner) -> i64 {
        let highest = self.milestones.values().filter(|m| m.owner == owner).map(|m| m.iid).max().unwrap_or(0);
        let Owner::Project(id) = owner else { return highest + 1 };
        let project = self.projects.get_mut(&id).expect("the project exists");
        project.next_milestone_iid = project.next_milestone_iid.max(highest + 1) + 1;
        project.next_milestone_iid - 1
    }

    /// Renames a milestone.
    pub fn rename_milestone(&mut self, milestone_id: Id, title: &str) {
        let now = self.tick();
        let milestone = self.milestones.get_mut(&milestone_id).expect("the milestone exists");
        milestone.title = title.to_owned();
        milestone.updated_at = now;
    }

    /// Closes a milestone.
    pub fn close_milestone(&mut self, milestone_id: Id) {
        let now = self.tick();
        let milestone = self.milestones.get_mut(&milestone_id).expect("the milestone exists");
        milestone.state = "closed".to_owned();
        milestone.updated_at = now;
    }

    /// Deletes a milestone; merge requests and issues lose it without moving.
    pub fn delete_milestone(&mut self, milestone_id: Id) {
        self.milestones.remove(&milestone_id);
        for mr in self.merge_requests.values_mut() {
            if mr.milestone_id == Some(milestone_id) {
                mr.milestone_id = None;
            }
        }
        for issue in self.issues.values_mut().filter(|it| it.milestone_id == Some(milestone_id)) {
            issue.milestone_id = None;
        }
    }

    /// Sets or removes the milestone of a merge request.
    pub fn set_milestone(&mut self, merge_request_id: Id, by: Id, milestone_id: Option<Id>) {
        self.merge_request_mut(merge_request_id).milestone_id = milestone_id;
        self.save(merge_request_id);
        let body = match milestone_id {
            Some(id) => format!("changed milestone to %{id}"),
            None => "removed milestone".to_owned(),
        };
        self.system_note(merge_request_id, by, "milestone", body);
    }

    /// Milestones a project can use: its own and those of the groups above it.
    pub fn milestones_of_project(&self, project_id: Id) -> Vec<&Milestone> {
        let owners = self.owners_above(project_id);
        self.milestones.values().filter(|milestone| owners.contains(&milestone.owner)).collect()
    }
}
