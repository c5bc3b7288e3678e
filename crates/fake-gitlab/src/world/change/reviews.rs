//! Approvals, reviewers and their states.

use super::{fresh, sentence};
use crate::world::model::{Approval, Id, ReviewState, Reviewer, World};

impl World {
    /// Approves; the system note is created a few milliseconds after the approval.
    pub fn approve(&mut self, merge_request_id: Id, user_id: Id) {
        let created_at = self.tick();
        let mr = self.merge_request_mut(merge_request_id);
        if mr.approvals.iter().any(|approval| approval.user_id == user_id) {
            return;
        }
        mr.approvals.push(Approval { user_id, created_at });
        self.set_review_state(merge_request_id, user_id, ReviewState::Approved);
        self.system_note(merge_request_id, user_id, "approved", "approved this merge request".to_owned());
    }

    /// Takes the approval back.
    pub fn unapprove(&mut self, merge_request_id: Id, user_id: Id) {
        let mr = self.merge_request_mut(merge_request_id);
        let before = mr.approvals.len();
        mr.approvals.retain(|approval| approval.user_id != user_id);
        if mr.approvals.len() == before {
            return;
        }
        self.set_review_state(merge_request_id, user_id, ReviewState::Unapproved);
        self.system_note(merge_request_id, user_id, "unapproved", "unapproved this merge request".to_owned());
    }

    /// Removes all approvals without a note, as GitLab does on a push where the project asks for it.
    pub fn reset_approvals(&mut self, merge_request_id: Id) {
        self.take_approvals(merge_request_id, self.merge_requests[&merge_request_id].author_id);
    }

    /// The same because of somebody's push.
    pub(super) fn take_approvals(&mut self, merge_request_id: Id, by: Id) {
        let before = self.merge_requests[&merge_request_id].clone();
        let mr = self.merge_request_mut(merge_request_id);
        mr.approvals.clear();
        for reviewer in &mut mr.reviewers {
            if reviewer.state == ReviewState::Approved {
                reviewer.state = ReviewState::Unapproved;
            }
        }
        self.raise_reset(merge_request_id, by, before);
    }

    /// Requests changes: the reviewer's state and a system note.
    pub fn request_changes(&mut self, merge_request_id: Id, user_id: Id) {
        self.tick();
        self.set_review_state(merge_request_id, user_id, ReviewState::RequestedChanges);
        self.system_note(merge_request_id, user_id, "requested_changes", "requested changes".to_owned());
    }

    /// Moves a reviewer's state; nothing else moves. Users who are not reviewers have none.
    pub fn set_review_state(&mut self, merge_request_id: Id, user_id: Id, state: ReviewState) {
        let reviewers = &mut self.merge_request_mut(merge_request_id).reviewers;
        if let Some(reviewer) = reviewers.iter_mut().find(|reviewer| reviewer.user_id == user_id) {
            reviewer.state = state;
        }
    }

    /// Asks users for a review.
    pub fn request_review(&mut self, merge_request_id: Id, by: Id, user_ids: &[Id]) {
        let created_at = self.tick();
        let mr = self.merge_request_mut(merge_request_id);
        let known: Vec<Id> = mr.reviewers.iter().map(|reviewer| reviewer.user_id).collect();
        let added = fresh(user_ids, &known);
        for &user_id in &added {
            mr.reviewers.push(Reviewer { user_id, state: ReviewState::Unreviewed, created_at });
        }
        if !added.is_empty() {
            let body = format!("requested review from {}", self.mentions(&added));
            self.system_note(merge_request_id, by, "reviewer", body);
        }
    }

    /// Takes the request for a review back.
    pub fn remove_reviewer(&mut self, merge_request_id: Id, by: Id, user_id: Id) {
        self.merge_request_mut(merge_request_id).reviewers.retain(|reviewer| reviewer.user_id != user_id);
        let body = format!("removed review request for {}", self.mentions(&[user_id]));
        self.system_note(merge_request_id, by, "reviewer", body);
    }

    /// Assigns users.
    pub fn assign(&mut self, merge_request_id: Id, by: Id, user_ids: &[Id]) {
        let mr = self.merge_request_mut(merge_request_id);
        let added = fresh(user_ids, &mr.assignee_ids);
        mr.assignee_ids.extend_from_slice(&added);
        if !added.is_empty() {
            let body = format!("assigned to {}", self.mentions(&added));
            self.system_note(merge_request_id, by, "assignee", body);
        }
    }

    /// Takes an assignment back.
    pub fn unassign(&mut self, merge_request_id: Id, by: Id, user_id: Id) {
        self.merge_request_mut(merge_request_id).assignee_ids.retain(|id| *id != user_id);
        let body = format!("unassigned {}", self.mentions(&[user_id]));
        self.system_note(merge_request_id, by, "assignee", body);
    }

    fn mentions(&self, user_ids: &[Id]) -> String {
        let names: Vec<String> = user_ids.iter().map(|id| format!("@{}", self.username(*id))).collect();
        sentence(&names)
    }
}
