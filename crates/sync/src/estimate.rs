//! What a sync would read and cost, without reading it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use catalogue::Connector;
use gitlab_client::Client;
use serde::Serialize;
use store::Handle;

use crate::details::Since;
use crate::ending::failure;
use crate::engine::{Engine, Options, Stop};
use crate::run::engine;
use crate::standing::Standing;
use crate::{Failure, Progress, details, discovery};

/// What a first import would cost.
#[derive(Debug, Clone, Serialize)]
pub struct Estimate {
    /// Projects in sight.
    pub projects: usize,
    /// Merge requests that GitLab counts in them; none where it was not asked.
    pub merge_requests: Option<i64>,
    /// Requests expected.
    pub requests: Option<i64>,
    /// Seconds expected at the pace measured while asking.
    pub seconds: Option<f64>,
}

/// Says what a sync would read and cost, without reading it.
pub async fn dry_run(
    client: Client,
    store: impl Into<Handle>,
    options: Options,
    progress: Arc<Progress>,
) -> Result<Estimate, Failure> {
    let store = store.into();
    let began = Instant::now();
    let row = store.instance(client.base_url().as_str()).await.map_err(|it| failure(it.into()))?;
    let engine =
        engine(&client, &store, &options, &row, None, progress, Stop::default()).await.map_err(failure)?;
    let sight = discovery::discover(&engine).await.map_err(failure)?;
    let projects: Vec<i64> = sight.projects.keys().copied().collect();
    let asked: Vec<(i64, Since)> = projects.iter().map(|it| (*it, None)).collect();
    let standings = details::projects(&engine, &asked).await.map_err(failure)?;
    let merge_requests =
        engine.capabilities.graphql.then(|| standings.values().map(Standing::merge_requests).sum());
    let used = client.usage().requests.max(1);
    let requests = merge_requests.map(|count: i64| {
        let rules = if engine.approval_rules { count } else { 0 };
        // A list of environments and one of deployments, where there are any.
        let deployments =
            if engine.has(Connector::GitlabDeployments) { 2 * projects.len() as i64 } else { 0 };
        let commits = commits(&engine, count, &standings);
        let pages = |it: &Standing| it.issues.map_or(0, |it| (it.total + 99) / 100);
        let issues = if engine.options.issues { standings.values().map(pages).sum() } else { 0 };
        used.cast_signed()
            + 2 * projects.len() as i64
            + count * 3 / 100
            + rules
            + deployments
            + commits
            + issues
    });
    let pace = began.elapsed().as_secs_f64() / used as f64;
    let seconds = requests.map(|it| it as f64 * pace);
    Ok(Estimate { projects: projects.len(), merge_requests, requests, seconds })
}

/// Requests for commits: fifty merge requests in each, and a hundred commits of a default branch.
fn commits(engine: &Engine, merge_requests: i64, standings: &BTreeMap<i64, Standing>) -> i64 {
    let pages = |it: &Standing| it.commits.unwrap_or_default() / 100 + 1;
    let of_merge_requests = if engine.has(Connector::GitlabCommits) { merge_requests / 50 } else { 0 };
    let of_trunks: i64 = match engine.has(Connector::GitlabCommitsTrunk) {
        true => standings.values().map(pages).sum(),
        false => 0,
    };
    of_merge_requests + of_trunks
}
