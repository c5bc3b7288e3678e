//! Commits of merge requests: <https://docs.gitlab.com/api/merge_requests/#retrieve-merge-request-commits>.
//!
//! GraphQL brings a page of merge requests with the commits of each. By REST, and where there are more than fit, the
//! commits of a merge request are read on their own. The head of each is kept: a push that does not move `updated_at`
//! is known by it.

mod graphql;
mod head;
mod rest;

use chrono::{DateTime, Utc};

use crate::row::row;
use crate::{Connector, Cursor, Document, Reader, Resource, Scope, Source, Table};

pub use head::Head;
pub(crate) use rest::read as from_rest;

/// Merge requests, as far as their commits go.
pub static MERGE_REQUEST_COMMITS: Resource = Resource {
    name: "merge_request_commits",
    connector: Connector::GitlabCommits,
    scope: Scope::Project,
    cursor: Cursor::UpdatedAt,
    tables: &[&TABLE, &HEADS_TABLE],
    readers: &[
        Reader {
            name: "graphql",
            source: Source::Graphql { document: &MERGE_REQUEST_COMMITS_QUERY, connection: "mergeRequests" },
            read: graphql::read,
            sample: include_str!("../samples/merge_request_commits.graphql.json"),
        },
        Reader {
            name: "rest",
            source: Source::Rest {
                path: "projects/{project}/merge_requests",
                params: &[("state", "all"), ("scope", "all")],
            },
            read: head::read,
            sample: include_str!("../samples/merge_request_commits.rest.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/merge_requests/#retrieve-merge-request-commits",
};

/// The commits of one merge request, where they do not fit beside it.
pub static COMMITS_OF_MERGE_REQUEST: Resource = Resource {
    name: "commits_of_merge_request",
    connector: Connector::GitlabCommits,
    scope: Scope::MergeRequest,
    cursor: Cursor::Parent,
    tables: &[&TABLE],
    readers: &[Reader {
        name: "rest",
        source: Source::Rest { path: "projects/{project}/merge_requests/{iid}/commits", params: &[] },
        read: rest::read,
        sample: include_str!("../samples/commits_of_merge_request.rest.json"),
    }],
    documentation: "https://docs.gitlab.com/api/merge_requests/#retrieve-merge-request-commits",
};

/// Pages of merge requests with their commits.
pub static MERGE_REQUEST_COMMITS_QUERY: Document = Document {
    name: "mergeRequestCommits",
    text: include_str!("merge_request_commits/merge_request_commits.graphql"),
};

/// Where commits of merge requests are stored.
pub static TABLE: Table = Table {
    name: "gitlab_merge_request_commits",
    key: &["project_id", "merge_request_id", "sha"],
    version: None,
    fill: &[],
};

/// Where it is kept in which commit each merge request ended when its commits were read.
pub static HEADS_TABLE: Table = Table {
    name: "weir.merge_request_heads",
    key: &["project_id", "id"],
    version: Some("updated_at"),
    fill: &[],
};

row! {
    CommitRow<'a> in TABLE {
        project_id: i64, merge_request_id: i64, sha: &'a str, author_name: Option<&'a str>,
        author_email: Option<&'a str>, authored_at: Option<DateTime<Utc>>, committed_at: Option<DateTime<Utc>>,
        title: Option<&'a str>,
    }
}

row! {
    HeadRow<'a> in HEADS_TABLE {
        project_id: i64, id: i64, iid: i64, state: &'a str, sha: Option<&'a str>, updated_at: DateTime<Utc>,
    }
}
