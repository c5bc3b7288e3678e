//! A merge request as GraphQL answers it, with the lists below it.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{AssigneeRow, GraphqlRow, LabelLinkRow, PARENT};
use crate::gid::{Gid, Only};
use crate::{Connection, Document, List, Origin, Pending, Rows, approval_rules, users};

/// A page of a project's merge requests with everything that hangs on them.
pub static MERGE_REQUESTS_QUERY: Document =
    Document { name: "mergeRequests", text: include_str!("merge_requests.graphql") };

/// Approvals and reviewers of the open merge requests of many projects: what changes without moving `updated_at`.
pub static OPEN_MERGE_REQUESTS_QUERY: Document =
    Document { name: "openMergeRequests", text: include_str!("open_merge_requests.graphql") };

/// One list of one merge request, for lists that did not fit into the page.
pub static LIST_QUERIES: [(List, Document); 5] = [
    (List::Notes, Document { name: "notes", text: include_str!("list_notes.graphql") }),
    (List::Labels, Document { name: "labels", text: include_str!("list_labels.graphql") }),
    (List::Assignees, Document { name: "assignees", text: include_str!("list_assignees.graphql") }),
    (List::Reviewers, Document { name: "reviewers", text: include_str!("list_reviewers.graphql") }),
    (List::Approvals, Document { name: "approvedBy", text: include_str!("list_approvals.graphql") }),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MergeRequest<'a> {
    id: Gid,
    #[serde(borrow)]
    iid: Cow<'a, str>,
    #[serde(borrow)]
    title: Cow<'a, str>,
    #[serde(borrow)]
    state: Cow<'a, str>,
    draft: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    merged_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    #[serde(borrow)]
    diff_head_sha: Option<Cow<'a, str>>,
    #[serde(borrow)]
    merge_commit_sha: Option<Cow<'a, str>>,
    #[serde(borrow)]
    source_branch: Cow<'a, str>,
    #[serde(borrow)]
    target_branch: Cow<'a, str>,
    source_project_id: Option<i64>,
    user_notes_count: Option<i64>,
    author: Option<Only>,
    #[serde(default)]
    merge_user: Option<Only>,
    milestone: Option<Only>,
    #[serde(default)]
    diff_stats_summary: Option<DiffStats>,
    #[serde(borrow, default)]
    labels: Option<Connection<'a>>,
    #[serde(borrow, default)]
    assignees: Option<Connection<'a>>,
    #[serde(borrow, default)]
    reviewers: Option<Connection<'a>>,
    #[serde(borrow, default)]
    approved_by: Option<Connection<'a>>,
    #[serde(borrow, default)]
    notes: Option<Connection<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DiffStats {
    additions: i64,
    deletions: i64,
    file_count: i64,
}

pub(super) fn read(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let it: MergeRequest = serde_json::from_str(element)?;
    let iid = it.iid.parse().map_err(serde::de::Error::custom)?;
    let below = origin.merge_request(it.id.id);
    write_row(origin, &it, iid, out);
    out.touched.push((below.project_id(), below.merge_request_id()));
    let lists = [
        (List::Labels, &it.labels),
        (List::Assignees, &it.assignees),
        (List::Reviewers, &it.reviewers),
        (List::Approvals, &it.approved_by),
        (List::Notes, &it.notes),
    ];
    approval_rules::ask(&below, iid, out);
    write_lists(&below, iid, &lists, it.user_notes_count, out)
}

/// One merge request of [`OPEN_MERGE_REQUESTS_QUERY`]: its approvals and reviewers. Gives its iid and head commit.
pub fn read_open(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<OpenMergeRequest> {
    let it: Open = serde_json::from_str(element)?;
    let iid = it.iid.parse().map_err(serde::de::Error::custom)?;
    let below = origin.merge_request(it.id.id);
    out.touched.push((below.project_id(), below.merge_request_id()));
    let lists = [(List::Reviewers, &it.reviewers), (List::Approvals, &it.approved_by)];
    approval_rules::ask(&below, iid, out);
    write_lists(&below, iid, &lists, None, out)?;
    Ok(OpenMergeRequest {
        id: below.merge_request_id(),
        iid,
        updated_at: it.updated_at,
        sha: it.diff_head_sha,
    })
}

/// What tells whether an open merge request has to be read again whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenMergeRequest {
    /// Weir's id.
    pub id: i64,
    /// Its number within the project.
    pub iid: i64,
    /// When GitLab last moved it.
    pub updated_at: DateTime<Utc>,
    /// Its head commit.
    pub sha: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Open<'a> {
    id: Gid,
    #[serde(borrow)]
    iid: Cow<'a, str>,
    updated_at: DateTime<Utc>,
    diff_head_sha: Option<String>,
    #[serde(borrow, default)]
    reviewers: Option<Connection<'a>>,
    #[serde(borrow, default)]
    approved_by: Option<Connection<'a>>,
}

fn write_row(origin: &Origin, it: &MergeRequest, iid: i64, out: &mut Rows) {
    let user_id = it.author.as_ref().map(|user| users::stub(origin, &user.id, out));
    let merged = it.merge_user.as_ref().filter(|_| it.state == "merged");
    let merged_by_user_id = merged.map(|user| users::stub(origin, &user.id, out));
    let stats = it.diff_stats_summary.as_ref();
    out.push(&GraphqlRow {
        project_id: origin.project_id(),
        id: origin.id(it.id.id),
        source_id: it.id.id,
        iid,
        title: &it.title,
        state: &it.state,
        draft: Some(it.draft),
        user_id,
        source_branch: &it.source_branch,
        target_branch: &it.target_branch,
        source_project_id: it.source_project_id.map(|project| origin.id(project)),
        created_at: it.created_at,
        updated_at: it.updated_at,
        merged_at: it.merged_at,
        closed_at: it.closed_at,
        sha: it.diff_head_sha.as_deref(),
        merge_commit_sha: it.merge_commit_sha.as_deref(),
        merged_by_user_id,
        milestone_id: it.milestone.as_ref().map(|milestone| origin.id(milestone.id.id)),
        user_notes_count: it.user_notes_count,
        additions: stats.map(|it| it.additions),
        deletions: stats.map(|it| it.deletions),
        changed_files: stats.map(|it| it.file_count),
    });
}

fn write_lists(
    below: &Origin,
    iid: i64,
    lists: &[(List, &Option<Connection>)],
    comments: Option<i64>,
    out: &mut Rows,
) -> serde_json::Result<()> {
    for (list, connection) in lists {
        match connection {
            Some(connection) => write_list(*list, below, iid, connection, comments, out)?,
            // This GitLab's schema lacks the list, or it did not answer it: it is read on its own.
            None => out.pending.push(Pending {
                list: *list,
                project: below.project,
                parent: below.merge_request,
                iid,
            }),
        }
    }
    Ok(())
}

/// A list that did not fit stays open: it is read whole by requests of its own.
fn write_list(
    list: List,
    below: &Origin,
    iid: i64,
    connection: &Connection,
    comments: Option<i64>,
    out: &mut Rows,
) -> serde_json::Result<()> {
    for node in &connection.nodes {
        list.read_node(below, node.get(), out)?;
    }
    if connection.page_info.has_next_page {
        out.pending.push(Pending { list, project: below.project, parent: below.merge_request, iid });
    } else {
        let parent = [below.project_id(), below.merge_request_id()];
        out.complete_of(list.table(), PARENT, &parent, comments.filter(|_| list == List::Notes));
    }
    Ok(())
}

/// A label as it hangs on something.
#[derive(Deserialize)]
pub(crate) struct Label<'a> {
    pub(crate) id: Gid,
    #[serde(borrow)]
    pub(crate) title: Cow<'a, str>,
}

pub(crate) fn label(below: &Origin, node: &str, out: &mut Rows) -> serde_json::Result<()> {
    let label: Label = serde_json::from_str(node)?;
    out.push(&LabelLinkRow {
        project_id: below.project_id(),
        merge_request_id: below.merge_request_id(),
        label_id: below.id(label.id.id),
        name: &label.title,
    });
    Ok(())
}

pub(crate) fn assignee(below: &Origin, node: &str, out: &mut Rows) -> serde_json::Result<()> {
    let user: Only = serde_json::from_str(node)?;
    let user_id = users::stub(below, &user.id, out);
    out.push(&AssigneeRow {
        project_id: below.project_id(),
        merge_request_id: below.merge_request_id(),
        user_id,
    });
    Ok(())
}
