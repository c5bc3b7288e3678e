//! Merge requests with what hangs on them: <https://docs.gitlab.com/api/merge_requests/>.
//!
//! GraphQL brings a page of merge requests with labels, assignees, reviewers, approvals, notes and diff statistics
//! in one request. REST brings what GraphQL lacks (squash commit, who closed it, milliseconds); the lists below a
//! merge request it brings by requests of their own, which are left as pending.

mod graphql;
mod rest;

use chrono::{DateTime, Utc};

pub use graphql::{
    LIST_QUERIES, MERGE_REQUESTS_QUERY, OPEN_MERGE_REQUESTS_QUERY, OpenMergeRequest, read_open,
};
pub(crate) use graphql::{Label as AttachedLabel, assignee, label};
pub(crate) use rest::Label as RestLabel;

use crate::row::row;
use crate::{
    Connector, Cursor, Reader, Resource, Scope, Source, Table, approvals, milestones, notes, reviewers, users,
};

/// Merge requests.
pub static MERGE_REQUESTS: Resource = Resource {
    name: "merge_requests",
    connector: Connector::Gitlab,
    scope: Scope::Project,
    cursor: Cursor::UpdatedAt,
    tables: &[
        &TABLE,
        &LABELS_TABLE,
        &ASSIGNEES_TABLE,
        &reviewers::TABLE,
        &approvals::TABLE,
        &notes::TABLE,
        &milestones::TABLE,
        &users::TABLE,
    ],
    readers: &[
        Reader {
            name: "graphql",
            source: Source::Graphql { document: &MERGE_REQUESTS_QUERY, connection: "mergeRequests" },
            read: graphql::read,
            sample: include_str!("../samples/merge_requests.graphql.json"),
        },
        Reader {
            name: "rest",
            source: Source::Rest {
                path: "projects/{project}/merge_requests",
                params: &[("state", "all"), ("scope", "all"), ("with_labels_details", "true")],
            },
            read: rest::read,
            sample: include_str!("../samples/merge_requests.rest.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests",
};

/// Where merge requests are stored.
pub static TABLE: Table = Table {
    name: "gitlab_merge_requests",
    key: &["project_id", "id"],
    version: Some("updated_at"),
    // A merge is not undone, and the GraphQL of old versions does not tell whose it was.
    fill: &["merged_by_user_id"],
};

/// Labels on merge requests.
pub static LABELS_TABLE: Table = Table {
    name: "gitlab_merge_request_labels",
    key: &["project_id", "merge_request_id", "label_id"],
    version: None,
    fill: &[],
};

/// Assignees of merge requests.
pub static ASSIGNEES_TABLE: Table = Table {
    name: "gitlab_merge_request_assignees",
    key: &["project_id", "merge_request_id", "user_id"],
    version: None,
    fill: &[],
};

/// The columns that name a merge request in the tables below it.
pub const PARENT: &[&str] = &["project_id", "merge_request_id"];

row! {
    RestRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, iid: i64, title: &'a str, state: &'a str, draft: Option<bool>,
        user_id: Option<i64>, source_branch: &'a str, target_branch: &'a str, source_project_id: Option<i64>,
        created_at: DateTime<Utc>, updated_at: DateTime<Utc>,
        merged_at: Option<DateTime<Utc>>, closed_at: Option<DateTime<Utc>>,
        sha: Option<&'a str>, merge_commit_sha: Option<&'a str>, squash_commit_sha: Option<&'a str>,
        merged_by_user_id: Option<i64>, closed_by_user_id: Option<i64>, milestone_id: Option<i64>,
        user_notes_count: i64,
    }
}

row! {
    GraphqlRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, iid: i64, title: &'a str, state: &'a str, draft: Option<bool>,
        user_id: Option<i64>, source_branch: &'a str, target_branch: &'a str, source_project_id: Option<i64>,
        created_at: DateTime<Utc>, updated_at: DateTime<Utc>,
        merged_at: Option<DateTime<Utc>>, closed_at: Option<DateTime<Utc>>,
        sha: Option<&'a str>, merge_commit_sha: Option<&'a str>,
        merged_by_user_id: Option<i64>, milestone_id: Option<i64>, user_notes_count: Option<i64>,
        additions: Option<i64>, deletions: Option<i64>, changed_files: Option<i64>,
    }
}

row! { LabelLinkRow<'a> in LABELS_TABLE { project_id: i64, merge_request_id: i64, label_id: i64, name: &'a str } }

row! { AssigneeRow in ASSIGNEES_TABLE { project_id: i64, merge_request_id: i64, user_id: i64 } }
