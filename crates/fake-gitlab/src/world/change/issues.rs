//! The life of an issue. What changes its own columns always moves `updated_at`; labels, assignees, severity and
//! comments touch it, which does nothing within a minute.

use chrono::NaiveDate;

use super::{TOUCH_INTERVAL, fresh};
use crate::world::issue::{Issue, IssueType, Severity};
use crate::world::model::{Id, Owner, World};

/// An issue to be opened.
#[derive(Debug, Clone)]
pub struct NewIssue {
    /// Where.
    pub project_id: Id,
    /// Who opens it.
    pub author_id: Id,
    /// Title.
    pub title: String,
    /// Text, which may name merge requests, issues and pages.
    pub description: Option<String>,
    /// What kind.
    pub issue_type: IssueType,
}

impl World {
    /// Opens an issue with the next number of its project.
    pub fn open_issue(&mut self, new: NewIssue) -> Id {
        let now = self.tick();
        self.ids.issue += 1 + (self.ids.ticks % 3) as i64;
        let id = self.ids.issue;
        let project = self.projects.get_mut(&new.project_id).expect("the project exists");
        let iid = project.next_issue_iid;
        project.next_issue_iid += 1;
        project.issue_ids.push(id);
        let issue = Issue {
            id,
            iid,
            project_id: new.project_id,
            issue_type: new.issue_type,
            title: new.title,
            description: new.description,
            confidential: false,
            severity: Severity::Unknown,
            author_id: new.author_id,
            assignee_ids: Vec::new(),
            label_ids: Vec::new(),
            milestone_id: None,
            due_date: None,
            created_at: now,
            updated_at: now,
            closed_at: None,
            closed_by_id: None,
            user_notes_count: 0,
        };
        self.issues.insert(id, issue);
        self.raise_issue(id, None);
        id
    }

    /// Moves an issue to another project: there it has the next number and the day it was opened, and the one that is left
    /// is closed.
    pub fn move_issue(&mut self, issue_id: Id, project_id: Id, by: Id) -> Id {
        let moved = self.issues[&issue_id].clone();
        self.close_issue(issue_id, by);
        let id = self.open_issue(NewIssue {
            project_id,
            author_id: moved.author_id,
            title: moved.title,
            description: moved.description,
            issue_type: moved.issue_type,
        });
        self.edit_issue(id, |it| it.created_at = moved.created_at);
        id
    }

    /// Changes columns of an issue: `updated_at` always moves.
    pub fn edit_issue(&mut self, issue_id: Id, change: impl FnOnce(&mut Issue)) {
        let now = self.tick();
        let issue = self.issue_mut(issue_id);
        let before = issue.clone();
        change(issue);
        issue.updated_at = now;
        self.raise_issue(issue_id, Some(before));
    }

    /// Changes what lies beside an issue: `updated_at` moves unless it is less than a minute old.
    fn touch_issue(&mut self, issue_id: Id, change: impl FnOnce(&mut Issue)) {
        let now = self.tick();
        let issue = self.issue_mut(issue_id);
        let before = issue.clone();
        change(issue);
        if now - issue.updated_at > TOUCH_INTERVAL {
            issue.updated_at = now;
        }
        self.raise_issue(issue_id, Some(before));
    }

    fn issue_mut(&mut self, issue_id: Id) -> &mut Issue {
        self.issues.get_mut(&issue_id).expect("the issue exists")
    }

    /// Renames it.
    pub fn retitle_issue(&mut self, issue_id: Id, title: &str) {
        self.edit_issue(issue_id, |it| title.clone_into(&mut it.title));
    }

    /// Changes the text.
    pub fn describe_issue(&mut self, issue_id: Id, description: &str) {
        self.edit_issue(issue_id, |it| it.description = Some(description.to_owned()));
    }

    /// Closes it.
    pub fn close_issue(&mut self, issue_id: Id, by: Id) {
        let now = self.now;
        self.edit_issue(issue_id, |it| (it.closed_at, it.closed_by_id) = (Some(now), Some(by)));
    }

    /// Opens it again; GitLab forgets who closed it and when.
    pub fn reopen_issue(&mut self, issue_id: Id) {
        self.edit_issue(issue_id, |it| (it.closed_at, it.closed_by_id) = (None, None));
    }

    /// Hides it from guests, or shows it.
    pub fn set_issue_confidential(&mut self, issue_id: Id, confidential: bool) {
        self.edit_issue(issue_id, |it| it.confidential = confidential);
    }

    /// Makes an issue an incident, or something else.
    pub fn set_issue_type(&mut self, issue_id: Id, issue_type: IssueType) {
        self.edit_issue(issue_id, |it| it.issue_type = issue_type);
    }

    /// Sets or removes the milestone.
    pub fn set_issue_milestone(&mut self, issue_id: Id, milestone_id: Option<Id>) {
        self.edit_issue(issue_id, |it| it.milestone_id = milestone_id);
    }

    /// Sets or removes the due date.
    pub fn set_issue_due_date(&mut self, issue_id: Id, due_date: Option<NaiveDate>) {
        self.edit_issue(issue_id, |it| it.due_date = due_date);
    }

    /// Says how bad an incident is.
    pub fn set_issue_severity(&mut self, issue_id: Id, severity: Severity) {
        self.touch_issue(issue_id, |it| it.severity = severity);
    }

    /// Puts labels on it.
    pub fn label_issue(&mut self, issue_id: Id, label_ids: &[Id]) {
        self.touch_issue(issue_id, |it| it.label_ids.extend(fresh(label_ids, &it.label_ids)));
    }

    /// Takes a label off.
    pub fn unlabel_issue(&mut self, issue_id: Id, label_id: Id) {
        self.touch_issue(issue_id, |it| it.label_ids.retain(|id| *id != label_id));
    }

    /// Assigns users.
    pub fn assign_issue(&mut self, issue_id: Id, user_ids: &[Id]) {
        self.touch_issue(issue_id, |it| it.assignee_ids.extend(fresh(user_ids, &it.assignee_ids)));
    }

    /// Takes an assignment back.
    pub fn unassign_issue(&mut self, issue_id: Id, user_id: Id) {
        self.touch_issue(issue_id, |it| it.assignee_ids.retain(|id| *id != user_id));
    }

    /// A comment. The world keeps only how many there are.
    pub fn comment_on_issue(&mut self, issue_id: Id) {
        self.touch_issue(issue_id, |it| it.user_notes_count += 1);
    }

    /// Deletes an issue. What remains is a gap in the numbers.
    pub fn delete_issue(&mut self, issue_id: Id) {
        let Some(issue) = self.issues.remove(&issue_id) else { return };
        if let Some(project) = self.projects.get_mut(&issue.project_id) {
            project.issue_ids.retain(|id| *id != issue_id);
        }
    }

    /// Copies labels and milestones of groups that a moved project leaves; its issues do not move.
    pub(super) fn take_issues_along(&mut self, project_id: Id, owners: &[Owner]) {
        for id in self.projects[&project_id].issue_ids.clone() {
            let issue = self.issues[&id].clone();
            let mut labels = Vec::with_capacity(issue.label_ids.len());
            for label_id in issue.label_ids {
                let label = self.labels[&label_id].clone();
                let kept = owners.contains(&label.owner);
                labels.push(if kept { label_id } else { self.same_label(project_id, &label) });
            }
            let milestone = issue.milestone_id.map(|id| self.milestones[&id].clone());
            let milestone = milestone.map(|it| match owners.contains(&it.owner) {
                true => it.id,
                false => self.same_milestone(project_id, &it),
            });
            let issue = self.issue_mut(id);
            (issue.label_ids, issue.milestone_id) = (fresh(&labels, &[]), milestone);
        }
    }
}
