//! Labels of groups and projects, and on merge requests.

use super::fresh;
use crate::world::model::{Id, Label, Owner, World};

impl World {
    /// Creates a label.
    pub fn create_label(&mut self, owner: Owner, title: &str, color: &str) -> Id {
        let now = self.tick();
        self.ids.label += 1;
        let id = self.ids.label;
        let label = Label {
            id,
            owner,
            title: title.to_owned(),
            color: color.to_owned(),
            description: None,
            created_at: now,
            updated_at: now,
        };
        self.labels.insert(id, label);
        id
    }

    /// Renames a label. Merge requests that carry it do not move.
    pub fn rename_label(&mut self, label_id: Id, title: &str) {
        let now = self.tick();
        let label = self.labels.get_mut(&label_id).expect("the label exists");
        label.title = title.to_owned();
        label.updated_at = now;
    }

    /// Gives a label another colour.
    pub fn recolor_label(&mut self, label_id: Id, color: &str) {
        let now = self.tick();
        let label = self.labels.get_mut(&label_id).expect("the label exists");
        label.color = color.to_owned();
        label.updated_at = now;
    }

    /// Deletes a label, also from the merge requests and issues that carry it, without moving them.
    pub fn delete_label(&mut self, label_id: Id) {
        self.labels.remove(&label_id);
        for mr in self.merge_requests.values_mut() {
            mr.label_ids.retain(|id| *id != label_id);
        }
        for issue in self.issues.values_mut() {
            issue.label_ids.retain(|id| *id != label_id);
        }
    }

    /// Puts labels on a merge request: `added ~123 label`.
    pub fn add_labels(&mut self, merge_request_id: Id, by: Id, label_ids: &[Id]) {
        let mr = self.merge_request_mut(merge_request_id);
        let added = fresh(label_ids, &mr.label_ids);
        mr.label_ids.extend_from_slice(&added);
        if !added.is_empty() {
            self.system_note(merge_request_id, by, "label", format!("added {}", references(&added)));
        }
    }

    /// Takes a label off a merge request.
    pub fn remove_label(&mut self, merge_request_id: Id, by: Id, label_id: Id) {
        let mr = self.merge_request_mut(merge_request_id);
        mr.label_ids.retain(|id| *id != label_id);
        self.system_note(merge_request_id, by, "label", format!("removed {}", references(&[label_id])));
    }

    /// Labels a project can use: its own and those of the groups above it.
    pub fn labels_of_project(&self, project_id: Id) -> Vec<&Label> {
        let owners = self.owners_above(project_id);
        self.labels.values().filter(|label| owners.contains(&label.owner)).collect()
    }

    /// The project and the groups above it, as owners of labels and milestones.
    pub fn owners_above(&self, project_id: Id) -> Vec<Owner> {
        let groups = self.project_groups(&self.projects[&project_id]).into_iter().map(Owner::Group);
        std::iter::once(Owner::Project(project_id)).chain(groups).collect()
    }
}

fn references(label_ids: &[Id]) -> String {
    let names: Vec<String> = label_ids.iter().map(|id| format!("~{id}")).collect();
    let plural = if label_ids.len() == 1 { "" } else { "s" };
    format!("{} label{plural}", names.join(" "))
}
