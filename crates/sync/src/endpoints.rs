//! What may be asked of GitLab: the endpoints of the catalogue and those of verification. The client refuses the rest,
//! so that source code cannot be read by mistake.

use catalogue::{RESOURCES, Source};
use gitlab_client::EndpointRule;

/// Endpoints that tell about the instance, the token, and single groups and projects.
const ABOUT: &[&str] = &[
    "version",
    "user",
    "personal_access_tokens/self",
    "groups/{group}",
    "groups/{group}/descendant_groups",
    "groups/{group}/projects",
    "projects/{project}",
    "projects/{project}/merge_requests/{iid}",
    "projects/{project}/issues/{iid}",
    "projects/{project}/deployments/{deployment}",
    "projects/{project}/jobs/{job}",
];

/// Every endpoint that the connectors of this version use.
pub fn allowed_endpoints() -> Vec<EndpointRule> {
    let rest = RESOURCES.iter().flat_map(|it| it.readers).filter_map(|reader| match &reader.source {
        Source::Rest { path, .. } => Some(*path),
        Source::Graphql { .. } => None,
    });
    let mut rules: Vec<EndpointRule> = ABOUT.iter().copied().chain(rest).map(EndpointRule::get).collect();
    rules.push(EndpointRule::graphql());
    rules
}
