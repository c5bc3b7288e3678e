//! One merge request.

use super::connection;
use super::executor::Run;
use super::json::{self, Out};
use super::plan::Node;
use super::{Edition, commit, label, merge_requests, milestone, note, project, user};
use crate::world::model::{DiffStats, Id, MergeRequest, MergeRequestState, ReviewState};

/// Writes a merge request; null where there is none or the user may not read it.
pub(super) fn write(run: &Run<'_>, node: &Node, out: &mut Out, id: Option<Id>) {
    let found = id.and_then(|id| run.world.merge_requests.get(&id)).filter(|it| readable(run, it));
    let Some(merge_request) = found else { return json::null(out) };
    json::child(out, node, |field, out| scalar(run, field, out, merge_request));
}

fn readable(run: &Run<'_>, it: &MergeRequest) -> bool {
    let project = run.world.projects.get(&it.project_id);
    project
        .is_some_and(|project| run.sight.sees_project(project.id) && merge_requests::readable(run, project))
}

fn scalar(run: &Run<'_>, field: &Node, out: &mut Out, it: &MergeRequest) {
    match field.name.as_str() {
        "id" => json::gid(out, "MergeRequest", it.id),
        "iid" => json::quoted(out, it.iid),
        "title" | "name" => json::string(out, &it.title),
        "description" => json::option(out, it.description.as_deref(), json::string),
        "state" => json::plain(out, state_name(it.state)),
        "draft" => json::boolean(out, it.draft),
        "createdAt" => json::time(out, it.created_at),
        "updatedAt" => json::time(out, it.updated_at),
        "mergedAt" => json::option(out, it.merged_at, json::time),
        "closedAt" => json::option(out, it.closed_at, json::time),
        "preparedAt" => json::time(out, it.created_at),
        "diffHeadSha" => json::option(out, it.sha.as_deref(), json::string),
        "mergeCommitSha" => json::option(out, it.merge_commit_sha.as_deref(), json::string),
        "sourceBranch" => json::string(out, &it.source_branch),
        "targetBranch" => json::string(out, &it.target_branch),
        "projectId" | "targetProjectId" => json::integer(out, it.project_id),
        "sourceProjectId" => json::option(out, it.source_project_id, json::integer),
        "hidden" => json::boolean(out, false),
        "autoMergeEnabled" => {
            json::boolean(out, it.state == MergeRequestState::Opened && it.merge_user_id.is_some());
        }
        "commitCount" => json::integer(out, it.commits.len() as i64),
        "reference" => json::string(out, &reference(run, field, it)),
        "webPath" => json::string(out, &web_path(run, it)),
        "webUrl" => json::string(out, &format!("{}{}", run.options.base_url, web_path(run, it))),
        "userNotesCount" => json::integer(out, note::user_notes(run, it).count() as i64),
        "userDiscussionsCount" => json::integer(out, note::discussion_count(run, it, |_| true)),
        "resolvableDiscussionsCount" => {
            json::integer(out, note::discussion_count(run, it, |it| it.resolvable))
        }
        "resolvedDiscussionsCount" => {
            json::integer(out, note::discussion_count(run, it, |it| it.resolvable && it.resolved));
        }
        _ => object(run, field, out, it),
    }
}

fn object(run: &Run<'_>, field: &Node, out: &mut Out, it: &MergeRequest) {
    match field.name.as_str() {
        "author" => user::write(run, field, out, Some(it.author_id), Some(it)),
        "mergeUser" => user::write(run, field, out, it.merge_user_id, None),
        "milestone" => milestone::write(run, field, out, it.milestone_id),
        "project" | "targetProject" => project::write(run, field, out, Some(it.project_id)),
        "sourceProject" => project::write(run, field, out, it.source_project_id),
        "diffStatsSummary" => json::option(out, it.diff_stats, |out, stats| diff_stats(field, out, stats)),
        "labels" => label::list(run, field, out, it.label_ids.clone()),
        "assignees" => people(run, field, out, it, it.assignee_ids.clone()),
        "reviewers" => people(run, field, out, it, it.reviewers.iter().map(|it| it.user_id).collect()),
        "participants" => people(run, field, out, it, participants(run, it)),
        "commenters" => {
            people(run, field, out, it, distinct(note::user_notes(run, it).map(|it| it.author_id)))
        }
        "notes" => note::list(run, field, out, it),
        "discussions" => note::discussions(run, field, out, it),
        "commits" => commit::list(run, field, out, it, true),
        "commitsWithoutMergeCommits" => commit::list(run, field, out, it, false),
        _ => approval(run, field, out, it),
    }
}

fn approval(run: &Run<'_>, field: &Node, out: &mut Out, it: &MergeRequest) {
    match field.name.as_str() {
        // Without a rule that requires approvals a licensed GitLab calls everything approved.
        "approved" => json::boolean(out, run.options.edition == Edition::Premium || !it.approvals.is_empty()),
        "approvedBy" => people(run, field, out, it, it.approvals.iter().map(|it| it.user_id).collect()),
        "approvalsRequired" | "approvalsLeft" => json::integer(out, 0),
        "changeRequesters" => {
            let requesting = it.reviewers.iter().filter(|it| it.state == ReviewState::RequestedChanges);
            people(run, field, out, it, requesting.map(|it| it.user_id).collect());
        }
        "approvalState" => json::child(out, field, |part, out| match part.name.as_str() {
            "approvalRulesOverwritten" => json::boolean(out, false),
            _ => json::raw(out, "[]"),
        }),
        _ => json::null(out),
    }
}

fn people(run: &Run<'_>, node: &Node, out: &mut Out, it: &MergeRequest, ids: Vec<Id>) {
    connection::list(run, node, out, ids, |node, out, id| user::write(run, node, out, Some(*id), Some(it)));
}

fn participants(run: &Run<'_>, it: &MergeRequest) -> Vec<Id> {
    let named = it.assignee_ids.iter().copied().chain(it.reviewers.iter().map(|it| it.user_id));
    let wrote = note::user_notes(run, it).map(|it| it.author_id);
    distinct(std::iter::once(it.author_id).chain(named).chain(wrote))
}

fn distinct(ids: impl Iterator<Item = Id>) -> Vec<Id> {
    let mut seen = std::collections::BTreeSet::new();
    ids.filter(|id| seen.insert(*id)).collect()
}

fn diff_stats(node: &Node, out: &mut Out, stats: DiffStats) {
    json::child(out, node, |field, out| match field.name.as_str() {
        "additions" => json::integer(out, stats.additions),
        "deletions" => json::integer(out, stats.deletions),
        "changes" => json::integer(out, stats.additions + stats.deletions),
        _ => json::integer(out, stats.file_count),
    });
}

fn state_name(state: MergeRequestState) -> &'static str {
    match state {
        MergeRequestState::Opened => "opened",
        MergeRequestState::Closed => "closed",
        MergeRequestState::Locked => "locked",
        MergeRequestState::Merged => "merged",
    }
}

fn reference(run: &Run<'_>, node: &Node, it: &MergeRequest) -> String {
    let full = node.flag("full") == Some(true);
    format!("{}!{}", if full { run.index.project_path(it.project_id) } else { "" }, it.iid)
}

/// Where the merge request's page is, without the host.
pub(super) fn web_path(run: &Run<'_>, it: &MergeRequest) -> String {
    format!("/{}/-/merge_requests/{}", run.index.project_path(it.project_id), it.iid)
}
