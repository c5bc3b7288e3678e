//! Merge requests, with their lists, notes and reviews.

use serde_json::{Value, json};

use super::reviews::{Review, seconds_between};
use super::{Row, Sight, Tables, action, at, at_or_null, row};
use crate::rest::approvals::review_state;
use crate::rest::entities::merge_request::state;
use crate::rest::entities::note::note_type;
use crate::world::model::{Id, MergeRequest, MergeRequestState, Note, Time, UserType};

impl<'a> Sight<'a> {
    pub(super) fn merge_requests(&self, tables: &mut Tables) {
        for table in [
            "gitlab_merge_requests",
            "gitlab_merge_request_labels",
            "gitlab_merge_request_assignees",
            "gitlab_merge_request_reviewers",
            "gitlab_merge_request_approvals",
            "gitlab_merge_request_notes",
            "gitlab_reviews",
        ] {
            tables.entry(table).or_default();
        }
        for mr in &self.merge_requests {
            self.one(mr, tables);
        }
    }

    fn one(&self, mr: &'a MergeRequest, tables: &mut Tables) {
        let notes = self.notes(mr);
        let reviews = self.reviews(mr, &notes);
        let mut add = |table: &'static str, rows: Vec<Row>| tables.entry(table).or_default().extend(rows);
        add("gitlab_merge_requests", vec![self.merge_request(mr, &notes, &reviews)]);
        add("gitlab_merge_request_labels", self.label_links(mr));
        add("gitlab_merge_request_assignees", mr.assignee_ids.iter().map(|id| link(mr, *id)).collect());
        add("gitlab_merge_request_reviewers", reviewers(mr));
        add("gitlab_merge_request_approvals", self.approvals(mr, &notes));
        add("gitlab_merge_request_notes", notes.iter().map(|note| self.note(mr, note)).collect());
        add("gitlab_reviews", reviews.iter().map(|review| review.row(mr)).collect());
    }

    fn merge_request(&self, mr: &MergeRequest, notes: &[&Note], reviews: &[Review]) -> Row {
        let mut columns = self.own_columns(mr);
        columns.extend(self.derived_columns(mr, notes, reviews));
        columns
    }

    fn own_columns(&self, mr: &MergeRequest) -> Row {
        let merged = mr.state == MergeRequestState::Merged;
        let stats = mr.diff_stats.filter(|_| self.reading.graphql);
        row(json!({
            "project_id": mr.project_id,
            "id": mr.id,
            "source_id": mr.id,
            "iid": mr.iid,
            "title": mr.title,
            "state": state(mr.state),
            "draft": mr.draft,
            "user_id": mr.author_id,
            "source_branch": mr.source_branch,
            "target_branch": mr.target_branch,
            "source_project_id": mr.source_project_id,
            "created_at": at(mr.created_at),
            "updated_at": at(mr.updated_at),
            "merged_at": at_or_null(mr.merged_at),
            "closed_at": at_or_null(mr.closed_at),
            "sha": mr.sha,
            "merge_commit_sha": mr.merge_commit_sha,
            "squash_commit_sha": mr.squash_commit_sha,
            "merged_by_user_id": mr.merge_user_id.filter(|_| merged),
            "closed_by_user_id": mr.closed_by_id,
            "milestone_id": mr.milestone_id,
            "user_notes_count": self.world.user_notes_count(mr),
            "additions": stats.map(|stats| stats.additions),
            "deletions": stats.map(|stats| stats.deletions),
            "changed_files": stats.map(|stats| stats.file_count),
        }))
    }

    fn derived_columns(&self, mr: &MergeRequest, notes: &[&Note], reviews: &[Review]) -> Row {
        let counts = |review: &&Review| review.user_id != mr.author_id && self.is_human(review.user_id);
        let earliest = |approved_only: bool| {
            let wanted = reviews.iter().filter(counts).filter(|review| review.approved || !approved_only);
            wanted.filter_map(|review| review.created_at).min()
        };
        let (first_review, first_approval) = (earliest(false), earliest(true));
        let merged = mr.merged_at.filter(|_| mr.state == MergeRequestState::Merged);
        let after = |time: Option<Time>| time.map(|time| seconds_between(mr.created_at, time));
        row(json!({
            "ready_for_review": ready_for_review(mr, notes),
            "first_review_at": at_or_null(first_review),
            "first_approval_at": at_or_null(first_approval),
            "open_to_first_review": after(first_review),
            "open_to_first_approval": after(first_approval),
            "open_to_merge": after(merged),
        }))
    }

    fn is_human(&self, user_id: Id) -> bool {
        let user = self.world.users.get(&user_id);
        user.is_some_and(|user| matches!(user.user_type, UserType::Human | UserType::Ghost))
    }

    fn label_links(&self, mr: &MergeRequest) -> Vec<Row> {
        let labels = mr.label_ids.iter().filter_map(|id| self.world.labels.get(id));
        let link = |label: &crate::world::model::Label| {
            row(json!({
                "project_id": mr.project_id,
                "merge_request_id": mr.id,
                "label_id": label.id,
                "name": label.title,
            }))
        };
        labels.map(link).collect()
    }

    fn approvals(&self, mr: &MergeRequest, notes: &[&Note]) -> Vec<Row> {
        let approval = |user_id: Id| {
            let (time, source) = self.approved_at(mr, notes, user_id);
            let mut row = link(mr, user_id);
            row.insert("approved_at".to_owned(), at_or_null(time));
            row.insert("approved_at_source".to_owned(), json!(source));
            row
        };
        mr.approvals.iter().map(|it| approval(it.user_id)).collect()
    }

    fn note(&self, mr: &MergeRequest, note: &Note) -> Row {
        row(json!({
            "project_id": mr.project_id,
            "id": note.id,
            "source_id": note.id,
            "merge_request_id": mr.id,
            "user_id": note.author_id,
            "system": note.system,
            "action": action(note, self.reading.graphql),
            "type": note_type(note.note_type),
            "discussion_id": note.discussion_id,
            "resolved": note.resolvable.then_some(note.resolved),
            "internal": note.internal,
            "created_at": at(note.created_at),
            "updated_at": at(note.updated_at),
            "body": null,
        }))
    }
}

/// When it last left draft; when it was opened if it never did; null while it is a draft.
fn ready_for_review(mr: &MergeRequest, notes: &[&Note]) -> Value {
    if mr.draft {
        return Value::Null;
    }
    let ready = notes.iter().rev().find(|note| action(note, false) == Some("ready"));
    at(ready.map_or(mr.created_at, |note| note.created_at))
}

pub(super) fn link(mr: &MergeRequest, user_id: Id) -> Row {
    row(json!({ "project_id": mr.project_id, "merge_request_id": mr.id, "user_id": user_id }))
}

fn reviewers(mr: &MergeRequest) -> Vec<Row> {
    let reviewer = |it: &crate::world::model::Reviewer| {
        let mut row = link(mr, it.user_id);
        row.insert("state".to_owned(), json!(review_state(it.state)));
        row
    };
    mr.reviewers.iter().map(reviewer).collect()
}
