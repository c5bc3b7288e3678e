//! Reviews: a person's comments of one sitting, and a person's verdict on a merge request.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{Row, Sight, action, at_or_null, row};
use crate::world::model::{Id, MergeRequest, Note, ReviewState, Time};

/// Comments further apart than this belong to two sittings.
const SITTING_SECONDS: i64 = 1_800;

/// A review, before it is a row.
pub(super) struct Review {
    id: Id,
    pub user_id: Id,
    pub created_at: Option<Time>,
    updated_at: Option<Time>,
    pub approved: bool,
    review_type: &'static str,
    comment_count: usize,
}

impl Review {
    pub(super) fn row(&self, mr: &MergeRequest) -> Row {
        row(json!({
            "project_id": mr.project_id,
            "id": self.id,
            "merge_request_id": mr.id,
            "user_id": self.user_id,
            "created_at": at_or_null(self.created_at),
            "updated_at": at_or_null(self.updated_at),
            "approved": self.approved,
            "review_type": self.review_type,
            "comment_count": self.comment_count,
            "time_since_request": self.created_at.map(|time| seconds_between(mr.created_at, time)),
        }))
    }
}

/// Whole seconds from one second to another, never negative.
pub(super) fn seconds_between(from: Time, to: Time) -> i64 {
    (to.timestamp() - from.timestamp()).max(0)
}

impl Sight<'_> {
    pub(super) fn reviews(&self, mr: &MergeRequest, notes: &[&Note]) -> Vec<Review> {
        let mut reviews = sittings(mr, notes);
        reviews.extend(self.verdicts(mr, notes));
        reviews
    }

    fn verdicts(&self, mr: &MergeRequest, notes: &[&Note]) -> Vec<Review> {
        let mut users: BTreeSet<Id> = mr.approvals.iter().map(|approval| approval.user_id).collect();
        users.extend(mr.reviewers.iter().map(|reviewer| reviewer.user_id));
        users.extend(notes.iter().filter(|note| says(note, "approved")).map(|note| note.author_id));
        users.into_iter().enumerate().filter_map(|(n, user)| self.verdict(mr, notes, user, n)).collect()
    }

    fn verdict(&self, mr: &MergeRequest, notes: &[&Note], user_id: Id, number: usize) -> Option<Review> {
        let requested =
            mr.reviewers.iter().any(|it| it.user_id == user_id && it.state == ReviewState::RequestedChanges);
        let approved = mr.approvals.iter().any(|it| it.user_id == user_id);
        let (review_type, created_at, updated_at) = if approved {
            let time = self.approved_at(mr, notes, user_id).0;
            ("approved", time, time)
        } else if requested {
            let time = last(notes, user_id, "requested_changes").map(|note| note.created_at);
            ("changes_requested", time, time)
        } else {
            let given = last(notes, user_id, "approved")?.created_at;
            let withdrawn = last(notes, user_id, "unapproved").map(|note| note.created_at);
            ("unapproved", Some(given), Some(given).max(withdrawn))
        };
        let id = -(mr.id * 1_000 + number as Id);
        Some(Review { id, user_id, created_at, updated_at, approved, review_type, comment_count: 0 })
    }

    /// When a standing approval was given, and where that comes from.
    pub(super) fn approved_at(
        &self,
        mr: &MergeRequest,
        notes: &[&Note],
        user_id: Id,
    ) -> (Option<Time>, Option<&'static str>) {
        if !self.reading.graphql && self.reading.approvals_have_time {
            let approval = mr.approvals.iter().find(|approval| approval.user_id == user_id);
            return (approval.map(|approval| approval.created_at), approval.map(|_| "approvals"));
        }
        let mut verdicts = notes
            .iter()
            .rev()
            .filter(|note| note.author_id == user_id && (says(note, "approved") || says(note, "unapproved")));
        let standing = verdicts.next().filter(|note| says(note, "approved"));
        (standing.map(|note| note.created_at), standing.map(|_| "note"))
    }
}

fn says(note: &Note, word: &str) -> bool {
    action(note, false) == Some(word)
}

fn last<'a>(notes: &[&'a Note], user_id: Id, word: &str) -> Option<&'a Note> {
    notes.iter().rev().copied().find(|note| note.author_id == user_id && says(note, word))
}

/// One review per user and sitting, from the notes in their order.
fn sittings(mr: &MergeRequest, notes: &[&Note]) -> Vec<Review> {
    let mut done = Vec::new();
    let mut open: BTreeMap<Id, (Review, i64)> = BTreeMap::new();
    for note in notes.iter().filter(|note| !note.system && note.author_id != mr.author_id) {
        let second = note.created_at.timestamp();
        match open.get_mut(&note.author_id) {
            Some((review, before)) if second - *before <= SITTING_SECONDS => {
                review.comment_count += 1;
                review.updated_at = Some(note.updated_at);
                *before = second;
            }
            _ => done.extend(open.insert(note.author_id, (first(note), second)).map(|(review, _)| review)),
        }
    }
    done.extend(open.into_values().map(|(review, _)| review));
    done
}

fn first(note: &Note) -> Review {
    Review {
        id: note.id,
        user_id: note.author_id,
        created_at: Some(note.created_at),
        updated_at: Some(note.updated_at),
        approved: false,
        review_type: "commented",
        comment_count: 1,
    }
}
