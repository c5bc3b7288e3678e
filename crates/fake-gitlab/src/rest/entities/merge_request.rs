//! Merge requests, as lists show them. Borrowed and flat, because this is what is served most.

use serde::Serialize;

use super::Millis;
use super::user::UserBasic;
use crate::rest::labels::{LabelBasic, label_basic};
use crate::rest::milestones::{MilestoneView, milestone};
use crate::world::hash::mix;
use crate::world::model::{Id, MergeRequest, MergeRequestState, World};

/// A label as a title or, with `with_labels_details`, as an object.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum LabelForm<'a> {
    /// Its title.
    Title(&'a str),
    /// Itself.
    Details(LabelBasic<'a>),
}

/// A merge request in a list.
#[derive(Debug, Serialize)]
pub struct MergeRequestView<'a> {
    id: Id,
    iid: i64,
    project_id: Id,
    title: &'a str,
    description: Option<&'a str>,
    state: &'static str,
    created_at: Millis,
    updated_at: Millis,
    merged_by: Option<UserBasic<'a>>,
    merge_user: Option<UserBasic<'a>>,
    merged_at: Option<Millis>,
    closed_by: Option<UserBasic<'a>>,
    closed_at: Option<Millis>,
    target_branch: &'a str,
    source_branch: &'a str,
    user_notes_count: usize,
    upvotes: i64,
    downvotes: i64,
    author: Option<UserBasic<'a>>,
    assignees: Vec<UserBasic<'a>>,
    assignee: Option<UserBasic<'a>>,
    reviewers: Vec<UserBasic<'a>>,
    source_project_id: Option<Id>,
    target_project_id: Id,
    labels: Vec<LabelForm<'a>>,
    draft: bool,
    imported: bool,
    imported_from: &'static str,
    work_in_progress: bool,
    milestone: Option<MilestoneView<'a>>,
    merge_when_pipeline_succeeds: bool,
    merge_status: &'static str,
    detailed_merge_status: &'static str,
    merge_after: Option<Millis>,
    sha: Option<&'a str>,
    merge_commit_sha: Option<&'a str>,
    squash_commit_sha: Option<&'a str>,
    discussion_locked: Option<bool>,
    should_remove_source_branch: Option<bool>,
    force_remove_source_branch: Option<bool>,
    prepared_at: Option<Millis>,
    reference: String,
    references: References,
    web_url: String,
    time_stats: TimeStats,
    squash: bool,
    squash_on_merge: bool,
    task_completion_status: Tasks,
    has_conflicts: bool,
    blocking_discussions_resolved: bool,
    approvals_before_merge: Option<i64>,
}

#[derive(Debug, Serialize)]
struct References {
    short: String,
    relative: String,
    full: String,
}

#[derive(Debug, Default, Serialize)]
struct TimeStats {
    time_estimate: i64,
    total_time_spent: i64,
    human_time_estimate: Option<&'static str>,
    human_total_time_spent: Option<&'static str>,
}

#[derive(Debug, Default, Serialize)]
struct Tasks {
    count: i64,
    completed_count: i64,
}

/// The state in GitLab's words.
pub fn state(state: MergeRequestState) -> &'static str {
    match state {
        MergeRequestState::Opened => "opened",
        MergeRequestState::Closed => "closed",
        MergeRequestState::Locked => "locked",
        MergeRequestState::Merged => "merged",
    }
}

/// Whether it can be merged, in two of GitLab's ways to say it.
pub fn merge_status(mr: &MergeRequest) -> (&'static str, &'static str) {
    match mr.state {
        MergeRequestState::Closed | MergeRequestState::Merged => ("can_be_merged", "not_open"),
        _ if mr.draft => ("can_be_merged", "draft_status"),
        _ => match mix(mr.id as u64) % 4 {
            0 => ("unchecked", "unchecked"),
            1 => ("cannot_be_merged", "conflict"),
            2 => ("checking", "checking"),
            _ => ("can_be_merged", "mergeable"),
        },
    }
}

fn labels<'a>(world: &'a World, mr: &MergeRequest, details: bool) -> Vec<LabelForm<'a>> {
    let mut labels: Vec<_> = mr.label_ids.iter().filter_map(|id| world.labels.get(id)).collect();
    labels.sort_by_key(|label| &label.title);
    let form = |label| match details {
        true => LabelForm::Details(label_basic(label)),
        false => LabelForm::Title(&label.title),
    };
    labels.into_iter().map(form).collect()
}

/// Renders a merge request; `project_path` is handed in because a list shares it.
pub fn merge_request<'a>(
    world: &'a World,
    mr: &'a MergeRequest,
    project_path: &str,
    label_details: bool,
) -> MergeRequestView<'a> {
    let user = |id: Option<Id>| id.and_then(|id| UserBasic::of(world, id));
    let merged = mr.state == MergeRequestState::Merged;
    let (merge_status, detailed_merge_status) = merge_status(mr);
    let threads = mr.note_ids.iter().filter_map(|id| world.notes.get(id));
    let reference = format!("!{}", mr.iid);
    MergeRequestView {
        id: mr.id,
        iid: mr.iid,
        project_id: mr.project_id,
        title: &mr.title,
        description: mr.description.as_deref(),
        state: state(mr.state),
        created_at: Millis(mr.created_at),
        updated_at: Millis(mr.updated_at),
        merged_by: user(mr.merge_user_id.filter(|_| merged)),
        merge_user: user(mr.merge_user_id),
        merged_at: mr.merged_at.map(Millis),
        closed_by: user(mr.closed_by_id),
        closed_at: mr.closed_at.map(Millis),
        target_branch: &mr.target_branch,
        source_branch: &mr.source_branch,
        user_notes_count: world.user_notes_count(mr),
        upvotes: 0,
        downvotes: 0,
        author: user(Some(mr.author_id)),
        assignees: UserBasic::all(world, mr.assignee_ids.iter().copied()),
        assignee: user(mr.assignee_ids.first().copied()),
        reviewers: UserBasic::all(world, mr.reviewers.iter().map(|reviewer| reviewer.user_id)),
        source_project_id: mr.source_project_id,
        target_project_id: mr.project_id,
        labels: labels(world, mr, label_details),
        draft: mr.draft,
        imported: false,
        imported_from: "none",
        work_in_progress: mr.draft,
        milestone: mr.milestone_id.and_then(|id| world.milestones.get(&id)).map(|m| milestone(world, m)),
        merge_when_pipeline_succeeds: mr.merge_user_id.is_some() && !merged,
        merge_status,
        detailed_merge_status,
        merge_after: None,
        sha: mr.sha.as_deref(),
        merge_commit_sha: mr.merge_commit_sha.as_deref(),
        squash_commit_sha: mr.squash_commit_sha.as_deref(),
        discussion_locked: None,
        should_remove_source_branch: None,
        force_remove_source_branch: Some(true),
        prepared_at: Some(Millis(mr.created_at)),
        references: References {
            full: format!("{project_path}{reference}"),
            relative: reference.clone(),
            short: reference.clone(),
        },
        reference,
        web_url: format!("{}/{project_path}/-/merge_requests/{}", world.url, mr.iid),
        time_stats: TimeStats::default(),
        squash: mr.squash_commit_sha.is_some(),
        squash_on_merge: mr.squash_commit_sha.is_some(),
        task_completion_status: Tasks::default(),
        has_conflicts: merge_status == "cannot_be_merged",
        blocking_discussions_resolved: threads.into_iter().all(|note| note.resolved || !note.resolvable),
        approvals_before_merge: None,
    }
}
