//! Requested reviewers of a merge request and the state of their review:
//! <https://docs.gitlab.com/api/merge_requests/#retrieve-merge-request-reviewers>.

use std::borrow::Cow;

use serde::Deserialize;

use crate::gid::Gid;
use crate::merge_requests::LIST_QUERIES;
use crate::row::row;
use crate::users::UserBasic;
use crate::{Connector, Cursor, Origin, Reader, Resource, Rows, Scope, Source, Table, users};

/// Reviewers.
pub static REVIEWERS: Resource = Resource {
    name: "reviewers",
    connector: Connector::Gitlab,
    scope: Scope::MergeRequest,
    cursor: Cursor::Parent,
    tables: &[&TABLE, &users::TABLE],
    readers: &[
        Reader {
            name: "rest",
            source: Source::Rest { path: "projects/{project}/merge_requests/{iid}/reviewers", params: &[] },
            read: from_rest,
            sample: include_str!("../samples/reviewers.rest.json"),
        },
        Reader {
            name: "graphql",
            source: Source::Graphql { document: &LIST_QUERIES[3].1, connection: "reviewers" },
            read: from_graphql,
            sample: include_str!("../samples/reviewers.graphql.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/merge_requests/",
};

/// Where reviewers are stored.
pub static TABLE: Table = Table {
    name: "gitlab_merge_request_reviewers",
    key: &["project_id", "merge_request_id", "user_id"],
    version: None,
    fill: &[],
};

row! { ReviewerRow<'a> in TABLE { project_id: i64, merge_request_id: i64, user_id: i64, state: Option<&'a str> } }

#[derive(Deserialize)]
struct RestReviewer<'a> {
    #[serde(borrow)]
    user: UserBasic<'a>,
    #[serde(borrow, default)]
    state: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphqlReviewer<'a> {
    id: Gid,
    #[serde(borrow, default)]
    merge_request_interaction: Option<Interaction<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Interaction<'a> {
    #[serde(borrow)]
    review_state: Option<Cow<'a, str>>,
}

fn from_rest(below: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let reviewer: RestReviewer = serde_json::from_str(element)?;
    let user_id = reviewer.user.store(below, out);
    store(below, user_id, reviewer.state.as_deref(), out);
    Ok(())
}

pub(crate) fn from_graphql(below: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let reviewer: GraphqlReviewer = serde_json::from_str(element)?;
    let user_id = users::stub(below, &reviewer.id, out);
    let state = reviewer.merge_request_interaction.and_then(|it| it.review_state).map(|it| it.to_lowercase());
    store(below, user_id, state.as_deref(), out);
    Ok(())
}

fn store(below: &Origin, user_id: i64, state: Option<&str>, out: &mut Rows) {
    let (project_id, merge_request_id) = (below.project_id(), below.merge_request_id());
    out.push(&ReviewerRow { project_id, merge_request_id, user_id, state });
}
