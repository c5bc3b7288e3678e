//! The last probe: what a connector imports, in a project where it is switched on.

use catalogue::Connector;
use gitlab_client::{Client, ErrorKind, Request};

use super::places::Project;
use super::words::{curl, failure};
use super::{TRIES, Verification, failed, passed};
use crate::Failure;

/// What a connector reads first, and where.
struct Reach {
    name: &'static str,
    /// GitLab's words for it.
    what: &'static str,
    template: &'static str,
    params: &'static [(&'static str, &'static str)],
    /// Whether a project has it at all.
    is_on: fn(&Project) -> bool,
}

fn reach(connector: Connector) -> Reach {
    match connector {
        Connector::Gitlab => Reach {
            name: "merge_requests",
            what: "merge requests",
            template: "projects/{project}/merge_requests",
            params: &[("order_by", "created_at"), ("sort", "desc"), ("per_page", "1")],
            is_on: |it| on(&it.merge_requests_access_level),
        },
        Connector::GitlabPipelines => Reach {
            name: "pipelines",
            what: "pipelines",
            template: "projects/{project}/pipelines",
            params: &[("per_page", "1")],
            is_on: |it| on(&it.builds_access_level),
        },
        Connector::GitlabCommits => Reach {
            name: "commits",
            what: "merge requests, where their commits are",
            template: "projects/{project}/merge_requests",
            params: &[("order_by", "created_at"), ("sort", "desc"), ("per_page", "1")],
            is_on: |it| on(&it.merge_requests_access_level) && on(&it.repository_access_level),
        },
        Connector::GitlabCommitsTrunk => Reach {
            name: "commits",
            what: "commits",
            template: "projects/{project}/repository/commits",
            params: &[("per_page", "1")],
            is_on: |it| on(&it.repository_access_level) && !it.empty_repo,
        },
        Connector::GitlabDeployments => Reach {
            name: "deployments",
            what: "deployments",
            template: "projects/{project}/deployments",
            params: &[("per_page", "1")],
            is_on: |it| on(&it.builds_access_level) && on(&it.environments_access_level),
        },
    }
}

/// An old GitLab does not tell: then it is tried.
fn on(level: &Option<String>) -> bool {
    level.as_deref() != Some("disabled")
}

/// Tries some projects until one can be read.
pub(super) async fn check(
    client: &Client,
    connector: Connector,
    projects: &[Project],
    report: &mut Verification,
) -> Result<(), Failure> {
    let reach = reach(connector);
    let mut last = None;
    for project in projects.iter().filter(|it| (reach.is_on)(it)).take(TRIES) {
        let path = path(&reach, project.id);
        match client.get(&request(&reach, project.id)).await {
            Ok(_) => {
                let detail = format!("readable in project {}", project.id);
                report.probes.push(passed(reach.name, detail, client, &path));
                return Ok(());
            }
            Err(error) => {
                report.probes.push(failed(reach.name, &error, client, &path));
                last = Some((error, path));
            }
        }
    }
    Err(match last {
        Some((error, path)) => refused(&reach, &error, client, &path),
        None => nowhere_on(&reach, client, projects),
    })
}

fn request(reach: &Reach, project: i64) -> Request {
    let request = Request::new(reach.template).value(project);
    reach.params.iter().fold(request, |request, (name, value)| request.query(*name, value))
}

fn path(reach: &Reach, project: i64) -> String {
    let params: Vec<String> = reach.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}?{}", reach.template.replace("{project}", &project.to_string()), params.join("&"))
}

fn refused(reach: &Reach, error: &gitlab_client::Error, client: &Client, path: &str) -> Failure {
    let mut failure = failure(error, client.base_url(), Some(path));
    if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Forbidden { .. }) {
        failure.code = "invalid_permissions";
        if failure.reason != "scope_missing" {
            failure.reason = "role_too_low".to_owned();
            failure.message = format!(
                "The token sees projects but may not read their {}: give its user the role Reporter or higher (Developer is the usual choice).",
                reach.what
            );
        }
    }
    failure
}

/// The token may read, and no project it sees has any.
fn nowhere_on(reach: &Reach, client: &Client, projects: &[Project]) -> Failure {
    let message = format!(
        "None of the {} projects looked at has {} switched on. Switch them on in one (Settings > General > Visibility), or give the token a project that has them.",
        projects.len(),
        reach.what
    );
    let mut failure = Failure::new("no_resources", "feature_disabled", message);
    failure.curl = projects.first().map(|it| curl(client.base_url(), &path(reach, it.id)));
    failure
}
