//! Users, in all the shapes GitLab's schema gives them.

use super::executor::Run;
use super::json::{self, Out};
use super::plan::Node;
use crate::world::model::{Id, MergeRequest, ReviewState, User, UserType};

/// Writes a user; null where there is none. `merge_request` is the one `mergeRequestInteraction` speaks of.
pub(super) fn write(
    run: &Run<'_>,
    node: &Node,
    out: &mut Out,
    id: Option<Id>,
    merge_request: Option<&MergeRequest>,
) {
    let Some(user) = id.and_then(|id| run.world.users.get(&id)) else { return json::null(out) };
    json::child(out, node, |field, out| match field.name.as_str() {
        "id" => json::gid(out, "User", user.id),
        "username" => json::string(out, &user.username),
        "name" => json::string(out, &user.name),
        "state" => json::plain(out, &user.state),
        "active" => json::boolean(out, user.state == "active"),
        "bot" => json::boolean(out, is_bot(user.user_type)),
        "human" => json::boolean(out, user.user_type == UserType::Human),
        "type" => json::plain(out, type_name(user.user_type)),
        "createdAt" => json::time(out, user.created_at),
        "webPath" => json::string(out, &format!("/{}", user.username)),
        "webUrl" => json::string(out, &format!("{}/{}", run.options.base_url, user.username)),
        "mergeRequestInteraction" => interaction(field, out, user, merge_request),
        _ => json::null(out),
    });
}

/// GitLab's own flag: people and the ghost are no bots.
pub(super) fn is_bot(user_type: UserType) -> bool {
    !matches!(user_type, UserType::Human | UserType::Ghost)
}

fn type_name(user_type: UserType) -> &'static str {
    match user_type {
        UserType::Human => "HUMAN",
        UserType::Ghost => "GHOST",
        UserType::ProjectBot => "PROJECT_BOT",
        UserType::ServiceAccount => "SERVICE_ACCOUNT",
        UserType::LlmBot => "LLM_BOT",
        UserType::DuoCodeReviewBot => "DUO_CODE_REVIEW_BOT",
    }
}

fn interaction(node: &Node, out: &mut Out, user: &User, merge_request: Option<&MergeRequest>) {
    let Some(merge_request) = merge_request else { return json::null(out) };
    let state = merge_request.reviewers.iter().find(|it| it.user_id == user.id).map(|it| it.state);
    json::child(out, node, |field, out| match field.name.as_str() {
        "reviewState" => json::option(out, state, |out, state| json::plain(out, state_name(state))),
        "reviewed" => json::boolean(out, state.is_some_and(is_review)),
        "approved" => json::boolean(out, merge_request.approvals.iter().any(|it| it.user_id == user.id)),
        "applicableApprovalRules" => json::raw(out, "[]"),
        _ => json::null(out),
    });
}

fn is_review(state: ReviewState) -> bool {
    !matches!(state, ReviewState::Unreviewed | ReviewState::ReviewStarted)
}

fn state_name(state: ReviewState) -> &'static str {
    match state {
        ReviewState::Unreviewed => "UNREVIEWED",
        ReviewState::Reviewed => "REVIEWED",
        ReviewState::RequestedChanges => "REQUESTED_CHANGES",
        ReviewState::Approved => "APPROVED",
        ReviewState::Unapproved => "UNAPPROVED",
        ReviewState::ReviewStarted => "REVIEW_STARTED",
    }
}
