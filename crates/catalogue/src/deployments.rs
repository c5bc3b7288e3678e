//! Deployments: <https://docs.gitlab.com/api/deployments/>.
//!
//! A deployment is made by a job, or by the API for what is deployed elsewhere. GraphQL answers them for one project in
//! a request and no more, so REST, which does the same, is the only reader.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::row::row;
use crate::users::UserBasic;
use crate::{Connector, Cursor, List, Origin, Pending, Reader, Resource, Rows, Scope, Source, Table, users};

/// Deployments.
pub static DEPLOYMENTS: Resource = Resource {
    name: "deployments",
    connector: Connector::GitlabDeployments,
    scope: Scope::Project,
    cursor: Cursor::UpdatedAt,
    tables: &[&TABLE, &users::TABLE],
    readers: &[Reader {
        name: "rest",
        source: Source::Rest { path: "projects/{project}/deployments", params: &[] },
        read: from_rest,
        sample: include_str!("../samples/deployments.rest.json"),
    }],
    documentation: "https://docs.gitlab.com/api/deployments/",
};

/// Where deployments are stored.
pub static TABLE: Table =
    Table { name: "gitlab_deployments", key: &["project_id", "id"], version: Some("updated_at"), fill: &[] };

/// The state of a deployment that brought merge requests to its environment.
const SUCCESS: &str = "success";

row! {
    DeploymentRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, iid: i64, environment: Option<&'a str>,
        environment_id: Option<i64>, status: &'a str, r#ref: Option<&'a str>, sha: Option<&'a str>,
        user_id: Option<i64>, job_id: Option<i64>, created_at: DateTime<Utc>, updated_at: Option<DateTime<Utc>>,
        finished_at: Option<DateTime<Utc>>,
    }
}

#[derive(Deserialize)]
struct Deployment<'a> {
    id: i64,
    iid: i64,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow, default)]
    r#ref: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    sha: Option<Cow<'a, str>>,
    created_at: DateTime<Utc>,
    /// Old versions do not tell it.
    #[serde(default)]
    updated_at: Option<DateTime<Utc>>,
    #[serde(borrow, default)]
    user: Option<UserBasic<'a>>,
    #[serde(borrow, default)]
    environment: Option<Environment<'a>>,
    /// None where the API made the deployment, or its job was deleted.
    #[serde(default)]
    deployable: Option<Deployable>,
}

#[derive(Deserialize)]
struct Environment<'a> {
    id: i64,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Deployable {
    id: i64,
    #[serde(default)]
    finished_at: Option<DateTime<Utc>>,
}

fn from_rest(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let it: Deployment = serde_json::from_str(element)?;
    let user_id = it.user.as_ref().map(|user| user.store(origin, out));
    out.push(&DeploymentRow {
        project_id: origin.project_id(),
        id: origin.id(it.id),
        source_id: it.id,
        iid: it.iid,
        environment: it.environment.as_ref().and_then(|it| it.name.as_deref()),
        environment_id: it.environment.as_ref().map(|it| origin.id(it.id)),
        status: &it.status,
        r#ref: it.r#ref.as_deref(),
        sha: it.sha.as_deref(),
        user_id,
        job_id: it.deployable.as_ref().map(|job| origin.id(job.id)),
        created_at: it.created_at,
        updated_at: it.updated_at,
        finished_at: it.deployable.as_ref().and_then(|job| job.finished_at),
    });
    if origin.deployment_merge_requests && it.status == SUCCESS {
        let list = List::DeploymentMergeRequests;
        out.pending.push(Pending { list, project: origin.project, parent: it.id, iid: it.iid });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Instance;

    fn read(origin: Origin, deployment: &Value) -> Rows {
        let mut rows = Rows::default();
        from_rest(&origin.project(7), &deployment.to_string(), &mut rows).unwrap();
        rows
    }

    fn deployment(status: &str) -> Value {
        json!({
            "id": 9, "iid": 1, "status": status,
            "created_at": "2024-01-01T00:00:00.000Z", "updated_at": "2024-01-01T00:00:01.000Z",
        })
    }

    #[test]
    fn a_deployment_without_job_user_or_environment_is_stored_with_its_status_as_it_is() {
        let rows = read(Origin::instance(Instance(0)), &deployment("completed"));
        let stored: Value = serde_json::from_str(&rows.batches[0].json()).unwrap();
        assert_eq!(stored[0]["status"], "completed");
        assert_eq!(stored[0]["job_id"], Value::Null);
        assert_eq!(stored[0]["environment_id"], Value::Null);
    }

    #[test]
    fn only_a_successful_deployment_asks_for_merge_requests_and_only_where_they_are_wanted() {
        let plain = Origin::instance(Instance(0));
        let wanted = Origin { deployment_merge_requests: true, ..plain };
        assert!(read(plain, &deployment("success")).pending.is_empty());
        assert!(read(wanted, &deployment("failed")).pending.is_empty());
        let asked = read(wanted, &deployment("success")).pending;
        assert_eq!(asked.iter().map(|it| (it.project, it.parent)).collect::<Vec<_>>(), [(7, 9)]);
    }
}
