//! A merge request as REST lists it.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{ASSIGNEES_TABLE, AssigneeRow, LABELS_TABLE, LabelLinkRow, PARENT, RestRow};
use crate::milestones::RestMilestone;
use crate::users::UserBasic;
use crate::{List, Origin, Pending, Rows, approval_rules};

#[derive(Deserialize)]
struct MergeRequest<'a> {
    id: i64,
    iid: i64,
    #[serde(borrow)]
    title: Cow<'a, str>,
    #[serde(borrow)]
    state: Cow<'a, str>,
    #[serde(default)]
    draft: Option<bool>,
    /// The name of `draft` before GitLab 13.
    #[serde(default)]
    work_in_progress: Option<bool>,
    #[serde(borrow, default)]
    author: Option<UserBasic<'a>>,
    #[serde(borrow, default)]
    assignees: Vec<UserBasic<'a>>,
    #[serde(borrow, default)]
    merge_user: Option<UserBasic<'a>>,
    /// The name of `merge_user` before GitLab 14.7.
    #[serde(borrow, default)]
    merged_by: Option<UserBasic<'a>>,
    #[serde(borrow, default)]
    closed_by: Option<UserBasic<'a>>,
    #[serde(borrow)]
    source_branch: Cow<'a, str>,
    #[serde(borrow)]
    target_branch: Cow<'a, str>,
    #[serde(default)]
    source_project_id: Option<i64>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[serde(default)]
    merged_at: Option<DateTime<Utc>>,
    #[serde(default)]
    closed_at: Option<DateTime<Utc>>,
    #[serde(borrow, default)]
    sha: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    merge_commit_sha: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    squash_commit_sha: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    milestone: Option<RestMilestone<'a>>,
    #[serde(default)]
    user_notes_count: i64,
    #[serde(borrow, default)]
    labels: Vec<Label<'a>>,
}

/// A label with its details, or its bare name where GitLab did not heed `with_labels_details`.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Label<'a> {
    Detailed {
        id: i64,
        #[serde(borrow)]
        name: Cow<'a, str>,
    },
    Name(#[serde(borrow)] Cow<'a, str>),
}

pub(super) fn read(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let it: MergeRequest = serde_json::from_str(element)?;
    let id = origin.id(it.id);
    let below = origin.merge_request(it.id);
    write_row(origin, &it, out)?;
    write_labels(&below, &it.labels, out);
    for assignee in &it.assignees {
        let user_id = assignee.store(origin, out);
        out.push(&AssigneeRow { project_id: origin.project_id(), merge_request_id: id, user_id });
    }
    out.complete(&ASSIGNEES_TABLE, PARENT, &[origin.project_id(), id]);
    out.touched.push((origin.project_id(), id));
    for list in [List::Notes, List::Approvals, List::Reviewers] {
        out.pending.push(Pending { list, project: origin.project, parent: it.id, iid: it.iid });
    }
    approval_rules::ask(&below, it.iid, out);
    Ok(())
}

fn write_row(origin: &Origin, it: &MergeRequest, out: &mut Rows) -> serde_json::Result<()> {
    let user_id = it.author.as_ref().map(|user| user.store(origin, out));
    // GitLab also names the person who set an open merge request to merge by itself.
    let merged = (it.state == "merged").then_some(it.merge_user.as_ref().or(it.merged_by.as_ref())).flatten();
    let merged_by_user_id = merged.map(|user| user.store(origin, out));
    let closed_by_user_id = it.closed_by.as_ref().map(|user| user.store(origin, out));
    let milestone_id = it.milestone.as_ref().map(|milestone| milestone.store(origin, out)).transpose()?;
    out.push(&RestRow {
        project_id: origin.project_id(),
        id: origin.id(it.id),
        source_id: it.id,
        iid: it.iid,
        title: &it.title,
        state: &it.state,
        draft: it.draft.or(it.work_in_progress),
        user_id,
        source_branch: &it.source_branch,
        target_branch: &it.target_branch,
        source_project_id: it.source_project_id.map(|project| origin.id(project)),
        created_at: it.created_at,
        updated_at: it.updated_at,
        merged_at: it.merged_at,
        closed_at: it.closed_at,
        sha: it.sha.as_deref(),
        merge_commit_sha: it.merge_commit_sha.as_deref(),
        squash_commit_sha: it.squash_commit_sha.as_deref(),
        merged_by_user_id,
        closed_by_user_id,
        milestone_id,
        user_notes_count: it.user_notes_count,
    });
    Ok(())
}

/// Bare names say nothing about ids: they are matched with the project's labels when they are written.
fn write_labels(below: &Origin, labels: &[Label], out: &mut Rows) {
    let parent = [below.project_id(), below.merge_request_id()];
    let mut detailed = true;
    for label in labels {
        match label {
            Label::Detailed { id, name } => out.push(&LabelLinkRow {
                project_id: parent[0],
                merge_request_id: parent[1],
                label_id: below.id(*id),
                name,
            }),
            Label::Name(name) => {
                detailed = false;
                out.named_labels.push((parent[0], parent[1], name.to_string()));
            }
        }
    }
    if detailed {
        out.complete(&LABELS_TABLE, PARENT, &parent);
    }
}
