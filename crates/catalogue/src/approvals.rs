//! Who approved a merge request, and when:
//! <https://docs.gitlab.com/api/merge_request_approvals/#get-configuration>.
//!
//! GraphQL tells who; newer REST also tells when. Where nobody tells when, the time comes from the note that GitLab
//! writes on an approval, once the rows are stored.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::gid::Only;
use crate::merge_requests::{LIST_QUERIES, PARENT};
use crate::row::row;
use crate::users::UserBasic;
use crate::{Connector, Cursor, Origin, Reader, Resource, Rows, Scope, Source, Table, users};

/// Approvals.
pub static APPROVALS: Resource = Resource {
    name: "approvals",
    connector: Connector::Gitlab,
    scope: Scope::MergeRequest,
    cursor: Cursor::Parent,
    tables: &[&TABLE, &users::TABLE],
    readers: &[
        Reader {
            name: "rest",
            source: Source::Rest { path: "projects/{project}/merge_requests/{iid}/approvals", params: &[] },
            read: from_rest,
            sample: include_str!("../samples/approvals.rest.json"),
        },
        Reader {
            name: "graphql",
            source: Source::Graphql { document: &LIST_QUERIES[4].1, connection: "approvedBy" },
            read: from_graphql,
            sample: include_str!("../samples/approvals.graphql.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/merge_request_approvals/",
};

/// Where approvals are stored.
pub static TABLE: Table = Table {
    name: "gitlab_merge_request_approvals",
    key: &["project_id", "merge_request_id", "user_id"],
    version: None,
    fill: &[],
};

row! { ApprovalRow in TABLE { project_id: i64, merge_request_id: i64, user_id: i64 } }

row! {
    TimedRow<'a> in TABLE {
        project_id: i64, merge_request_id: i64, user_id: i64, approved_at: DateTime<Utc>, approved_at_source: &'a str,
    }
}

#[derive(Deserialize)]
struct Approvals<'a> {
    #[serde(borrow)]
    approved_by: Vec<ApprovedBy<'a>>,
}

#[derive(Deserialize)]
struct ApprovedBy<'a> {
    #[serde(borrow)]
    user: UserBasic<'a>,
    #[serde(default)]
    approved_at: Option<DateTime<Utc>>,
}

/// The element is the whole answer: it holds the complete list.
fn from_rest(below: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let approvals: Approvals = serde_json::from_str(element)?;
    let (project_id, merge_request_id) = (below.project_id(), below.merge_request_id());
    for approval in &approvals.approved_by {
        let user_id = approval.user.store(below, out);
        match approval.approved_at {
            Some(approved_at) => out.push(&TimedRow {
                project_id,
                merge_request_id,
                user_id,
                approved_at,
                approved_at_source: "approvals",
            }),
            None => out.push(&ApprovalRow { project_id, merge_request_id, user_id }),
        }
    }
    out.complete(&TABLE, PARENT, &[project_id, merge_request_id]);
    Ok(())
}

pub(crate) fn from_graphql(below: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let user: Only = serde_json::from_str(element)?;
    let user_id = users::stub(below, &user.id, out);
    let (project_id, merge_request_id) = (below.project_id(), below.merge_request_id());
    out.push(&ApprovalRow { project_id, merge_request_id, user_id });
    Ok(())
}
