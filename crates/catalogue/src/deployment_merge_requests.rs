//! The merge requests that GitLab itself links to a deployment, those that were merged since the last successful one to
//! the same environment: <https://docs.gitlab.com/api/deployments/>.
//!
//! They cost a request per deployment, so they are read only where they are asked for.

use serde::Deserialize;

use crate::row::row;
use crate::{Connector, Cursor, Origin, Reader, Resource, Rows, Scope, Source, Table};

/// Links between deployments and merge requests.
pub static DEPLOYMENT_MERGE_REQUESTS: Resource = Resource {
    name: "deployment_merge_requests",
    connector: Connector::GitlabDeployments,
    scope: Scope::Deployment,
    cursor: Cursor::Parent,
    tables: &[&TABLE],
    readers: &[Reader {
        name: "rest",
        source: Source::Rest {
            path: "projects/{project}/deployments/{deployment}/merge_requests",
            params: &[("order_by", "created_at"), ("sort", "asc")],
        },
        read,
        sample: include_str!("../samples/deployment_merge_requests.rest.json"),
    }],
    documentation: "https://docs.gitlab.com/api/deployments/#list-of-merge-requests-associated-with-a-deployment",
};

/// Where the links are stored.
pub static TABLE: Table = Table {
    name: "gitlab_deployment_merge_requests",
    key: &["project_id", "deployment_id", "merge_request_id"],
    version: None,
    fill: &[],
};

/// The columns that name the deployment above a link.
pub const PARENT: &[&str] = &["project_id", "deployment_id"];

row! {
    LinkRow in TABLE { project_id: i64, deployment_id: i64, merge_request_id: i64 }
}

#[derive(Deserialize)]
struct MergeRequest {
    id: i64,
}

/// A merge request, of which nothing but its number is kept here.
pub(crate) fn read(below: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let it: MergeRequest = serde_json::from_str(element)?;
    out.push(&LinkRow {
        project_id: below.project_id(),
        deployment_id: below.deployment_id(),
        merge_request_id: below.id(it.id),
    });
    Ok(())
}
