//! The last probes: what a connector imports, in a project where it is switched on.

use catalogue::Connector;
use gitlab_client::{Answer, Client, Error, ErrorKind, Request};
use serde::Deserialize;

use super::places::Project;
use super::words::{curl, failure};
use super::{TRIES, Verification, failed, passed};
use crate::Failure;
use crate::fetch::elements;

/// What a connector reads first, and where.
struct Reach {
    name: &'static str,
    /// GitLab's words for it.
    what: &'static str,
    template: &'static str,
    params: &'static [(&'static str, &'static str)],
    /// Whether a project has it at all.
    is_on: fn(&Project) -> bool,
    /// What is imported from below the first of the list.
    below: Option<Below>,
}

/// A list below one element, which GitLab names by its iid.
struct Below {
    name: &'static str,
    template: &'static str,
}

fn reach(connector: Connector) -> Reach {
    match connector {
        Connector::Gitlab => Reach {
            name: "merge_requests",
            what: "merge requests",
            template: "projects/{project}/merge_requests",
            params: &[("order_by", "created_at"), ("sort", "desc"), ("per_page", "1")],
            is_on: |it| on(&it.merge_requests_access_level),
            below: None,
        },
        Connector::GitlabPipelines => Reach {
            name: "pipelines",
            what: "pipelines",
            template: "projects/{project}/pipelines",
            params: &[("per_page", "1")],
            is_on: |it| on(&it.builds_access_level),
            below: None,
        },
        Connector::GitlabCommits => Reach {
            name: "merge_requests",
            what: "merge requests with their commits",
            template: "projects/{project}/merge_requests",
            params: &[("order_by", "created_at"), ("sort", "desc"), ("per_page", "1")],
            is_on: |it| on(&it.merge_requests_access_level) && on(&it.repository_access_level),
            below: Some(Below {
                name: "merge_request_commits",
                template: "projects/{project}/merge_requests/{iid}/commits",
            }),
        },
        Connector::GitlabCommitsTrunk => Reach {
            name: "commits",
            what: "commits",
            template: "projects/{project}/repository/commits",
            params: &[("per_page", "1")],
            is_on: |it| on(&it.repository_access_level) && !it.empty_repo,
            below: None,
        },
        Connector::GitlabDeployments => Reach {
            name: "deployments",
            what: "deployments",
            template: "projects/{project}/deployments",
            params: &[("per_page", "1")],
            is_on: |it| on(&it.builds_access_level) && on(&it.environments_access_level),
            below: None,
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
    let mut listed = false;
    for project in projects.iter().filter(|it| (reach.is_on)(it)).take(TRIES) {
        match read(client, &reach, project.id, report).await {
            Ok(Told::Whole) => return Ok(()),
            Ok(Told::NothingBelow) => listed = true,
            Err(refusal) => last = Some(refusal),
        }
    }
    match last {
        Some((error, path)) => Err(refused(&reach, &error, client, &path)),
        // Nothing was refused: what is imported may come yet.
        None if listed => Ok(()),
        None => Err(nowhere_on(&reach, client, projects)),
    }
}

/// How much a project tells about what may be read.
enum Told {
    /// All that the connector reads was read.
    Whole,
    /// The list can be read, and nothing is in it below which one could look.
    NothingBelow,
}

/// Reads one project's list, and below the first of it. A refusal comes with the path that was refused.
async fn read(
    client: &Client,
    reach: &Reach,
    project: i64,
    report: &mut Verification,
) -> Result<Told, (Error, String)> {
    let request = Request::new(reach.template).value(project);
    let request = reach.params.iter().fold(request, |request, (name, value)| request.query(*name, value));
    let place = format!("project {project}");
    let answer = ask(client, reach.name, &request, path(reach, project), &place, report).await?;
    let Some(below) = &reach.below else { return Ok(Told::Whole) };
    let Some(iid) = first_iid(&answer) else { return Ok(Told::NothingBelow) };
    let request = Request::new(below.template).value(project).value(iid).query("per_page", 1);
    let path = below.template.replace("{project}", &project.to_string()).replace("{iid}", &iid.to_string());
    let place = format!("merge request {iid} of {place}");
    ask(client, below.name, &request, format!("{path}?per_page=1"), &place, report).await?;
    Ok(Told::Whole)
}

/// One request, noted as a probe.
async fn ask(
    client: &Client,
    name: &'static str,
    request: &Request,
    path: String,
    place: &str,
    report: &mut Verification,
) -> Result<Answer, (Error, String)> {
    match client.get(request).await {
        Ok(answer) => {
            report.probes.push(passed(name, format!("readable in {place}"), client, &path));
            Ok(answer)
        }
        Err(error) => {
            report.probes.push(failed(name, &error, client, &path));
            Err((error, path))
        }
    }
}

#[derive(Deserialize)]
struct Iid {
    iid: i64,
}

fn first_iid(answer: &Answer) -> Option<i64> {
    let found = elements(&answer.body);
    Some(serde_json::from_str::<Iid>(found.first()?.get()).ok()?.iid)
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
