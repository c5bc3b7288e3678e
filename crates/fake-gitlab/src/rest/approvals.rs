//! Approvals and reviewers of a merge request.

use serde_json::{Map, Value, json};

use super::entities::Millis;
use super::entities::merge_request::state as state_word;
use super::entities::user::UserBasic;
use super::{Answer, Ask, Reply};
use crate::settings::Edition;
use crate::world::model::{Approval, MergeRequest, ReviewState};

/// `GET /projects/:id/merge_requests/:iid/approvals`: short on CE and Free, longer with Premium.
pub fn show(ask: &Ask<'_>) -> Answer {
    let mr = ask.merge_request()?;
    let mine = mr.approvals.iter().any(|approval| approval.user_id == ask.viewer.user_id);
    let approved_by: Vec<Value> = mr.approvals.iter().map(|approval| approver(ask, approval)).collect();
    let mut body = json!({
        "user_has_approved": mine,
        "user_can_approve": false,
        // With Premium nothing is required here, so that GitLab calls it approved from the start.
        "approved": ask.settings.edition == Edition::Premium || !approved_by.is_empty(),
        "approved_by": approved_by,
    });
    if let (Edition::Premium, Value::Object(body)) = (ask.settings.edition, &mut body) {
        body.extend(premium(mr));
    }
    Ok(Reply::object(&body))
}

fn approver(ask: &Ask<'_>, approval: &Approval) -> Value {
    let user = UserBasic::of(ask.world, approval.user_id);
    match ask.settings.approvals_have_time() {
        true => json!({ "user": user, "approved_at": Millis(approval.created_at) }),
        false => json!({ "user": user }),
    }
}

fn premium(mr: &MergeRequest) -> Map<String, Value> {
    let more = json!({
        "id": mr.id,
        "iid": mr.iid,
        "project_id": mr.project_id,
        "title": mr.title,
        "description": mr.description,
        "state": state_word(mr.state),
        "created_at": Millis(mr.created_at),
        "updated_at": Millis(mr.updated_at),
        "merge_status": "can_be_merged",
        "approvals_required": 0,
        "approvals_left": 0,
        "require_password_to_approve": false,
        "suggested_approvers": [],
        "approvers": [],
        "approver_groups": [],
        "has_approval_rules": false,
        "merge_request_approvers_available": true,
        "multiple_approval_rules_available": true,
        "invalid_approvers_rules": [],
        "approval_rules_left": [],
    });
    if let Value::Object(more) = more { more } else { Map::new() }
}

/// The state of a review in REST's words.
pub fn review_state(state: ReviewState) -> &'static str {
    match state {
        ReviewState::Unreviewed => "unreviewed",
        ReviewState::Reviewed => "reviewed",
        ReviewState::RequestedChanges => "requested_changes",
        ReviewState::Approved => "approved",
        ReviewState::Unapproved => "unapproved",
        ReviewState::ReviewStarted => "review_started",
    }
}

/// `GET /projects/:id/merge_requests/:iid/reviewers`
pub fn reviewers(ask: &Ask<'_>) -> Answer {
    let mr = ask.merge_request()?;
    let declared = [super::params::path("id", "id"), super::params::path("merge_request_iid", "iid")];
    let rows: Vec<_> = mr.reviewers.iter().collect();
    let page = ask.page(rows.len())?;
    ask.paged(&declared, page, &rows, |reviewer| {
        json!({
            "user": UserBasic::of(ask.world, reviewer.user_id),
            "state": review_state(reviewer.state),
            "created_at": Millis(reviewer.created_at),
        })
    })
}
