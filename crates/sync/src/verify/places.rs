//! The first two probes: groups, and the projects in them.

use gitlab_client::{Answer, Client, ErrorKind, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::words::{curl, nothing_to_read};
use super::{Probe, TRIES, Verification, failed, give_up, passed};
use crate::Failure;
use crate::fetch::elements;

#[derive(Deserialize)]
struct Id {
    id: i64,
}

/// A project, and what is switched on in it.
#[derive(Debug, Deserialize)]
pub(super) struct Project {
    pub(super) id: i64,
    #[serde(default)]
    pub(super) merge_requests_access_level: Option<String>,
    #[serde(default)]
    pub(super) builds_access_level: Option<String>,
    #[serde(default)]
    pub(super) environments_access_level: Option<String>,
    #[serde(default)]
    pub(super) repository_access_level: Option<String>,
    #[serde(default)]
    pub(super) empty_repo: bool,
}

fn parsed<T: DeserializeOwned>(answer: &Answer) -> Vec<T> {
    elements(&answer.body).iter().filter_map(|it| serde_json::from_str(it.get()).ok()).collect()
}

pub(super) async fn groups(client: &Client, report: &mut Verification) -> Result<Vec<i64>, Failure> {
    let path = "groups?min_access_level=10&per_page=20";
    let request = Request::new("groups").query("min_access_level", 10).query("per_page", 20);
    match client.get(&request).await {
        Ok(answer) => {
            let ids: Vec<i64> = parsed::<Id>(&answer).into_iter().map(|it| it.id).collect();
            report.probes.push(passed("groups", format!("{} groups in sight", ids.len()), client, path));
            Ok(ids)
        }
        // A project's token sees no group; its project is found by membership.
        Err(error) if matches!(error.kind, ErrorKind::NotFound) => {
            report.probes.push(failed("groups", &error, client, path));
            Ok(Vec::new())
        }
        Err(error) => Err(give_up("groups", &error, client, path, report)),
    }
}

/// Projects of the groups; those of the token's own memberships where the groups hold none.
pub(super) async fn projects(
    client: &Client,
    groups: &[i64],
    report: &mut Verification,
) -> Result<Vec<Project>, Failure> {
    let mut found = Vec::new();
    for group in groups.iter().take(TRIES) {
        let path = format!("groups/{group}/projects?include_subgroups=true&with_shared=false&per_page=20");
        let request = Request::new("groups/{group}/projects").value(group);
        let request =
            request.query("include_subgroups", true).query("with_shared", false).query("per_page", 20);
        match client.get(&request).await {
            Ok(answer) => {
                found.extend(parsed::<Project>(&answer));
                let detail = format!("{} projects in group {group}", found.len());
                report.probes.push(passed("projects", detail, client, &path));
            }
            Err(error) => report.probes.push(failed("projects", &error, client, &path)),
        }
        // A few, because not every project has everything switched on.
        if found.len() >= TRIES {
            break;
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    members(client, report).await
}

async fn members(client: &Client, report: &mut Verification) -> Result<Vec<Project>, Failure> {
    let path = "projects?membership=true&per_page=20";
    let request = Request::new("projects").query("membership", true).query("per_page", 20);
    let answer = match client.get(&request).await {
        Ok(answer) => answer,
        Err(error) => return Err(give_up("projects", &error, client, path, report)),
    };
    let found: Vec<Project> = parsed(&answer);
    if found.is_empty() {
        let mut failure = nothing_to_read(client.base_url());
        failure.curl = Some(curl(client.base_url(), path));
        report.probes.push(Probe {
            name: "projects",
            ok: false,
            detail: "no project in sight".to_owned(),
            curl: curl(client.base_url(), path),
        });
        return Err(failure);
    }
    report.probes.push(passed("projects", format!("{} projects by membership", found.len()), client, path));
    Ok(found)
}
