//! What GraphQL answers about projects and groups.

use catalogue::{Connection, Gid};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::standing::{Issues, MergeRequests, Pipelines, Standing};

/// The role from which on GitLab shows everything that is imported.
const REPORTER: i64 = 20;

#[derive(Deserialize)]
pub(super) struct Groups<'a> {
    #[serde(borrow)]
    pub(super) groups: Option<Connection<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProjectNode<'a> {
    pub(super) id: Gid,
    #[serde(borrow)]
    pub(super) labels: Option<Connection<'a>>,
    #[serde(borrow)]
    pub(super) project_members: Option<Connection<'a>>,
    #[serde(borrow)]
    pub(super) milestones: Option<Connection<'a>>,
    pub(super) merge_requests: Option<Newest>,
    pub(super) issues: Option<Newest>,
    #[serde(borrow)]
    pub(super) pipelines: Option<Connection<'a>>,
    #[serde(borrow)]
    pub(super) child_pipelines: Option<Connection<'a>>,
    pub(super) statistics: Option<Statistics>,
    pub(super) max_access_level: Option<AccessLevel>,
    pub(super) pipeline_counts: Option<Counts>,
    pub(super) child_pipeline_counts: Option<Counts>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccessLevel {
    pub(super) integer_value: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct Counts {
    pub(super) running: Option<i64>,
}

/// Null below the role of a Reporter. GitLab counts in floating point.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Statistics {
    pub(super) commit_count: f64,
}

#[derive(Deserialize)]
pub(super) struct Newest {
    pub(super) count: i64,
    pub(super) nodes: Vec<Option<Moved>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Moved {
    pub(super) updated_at: DateTime<Utc>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GroupNode<'a> {
    pub(super) id: Gid,
    #[serde(borrow)]
    pub(super) group_members: Option<Connection<'a>>,
    #[serde(borrow)]
    pub(super) labels: Option<Connection<'a>>,
    #[serde(borrow)]
    pub(super) projects: Option<Connection<'a>>,
}

#[derive(Deserialize)]
pub(super) struct ProjectId {
    pub(super) id: Gid,
}

/// How a project stands.
pub(super) fn standing(node: &ProjectNode) -> Standing {
    let merge_requests =
        node.merge_requests.as_ref().map(|it| MergeRequests { total: it.count, newest: newest(&it.nodes) });
    let issues = node.issues.as_ref().map(|it| Issues { total: it.count, newest: newest(&it.nodes) });
    let any = |it: &Connection| !it.nodes.is_empty();
    let level = node.max_access_level.as_ref().and_then(|it| it.integer_value);
    let pipelines = node.pipelines.as_ref().map(|it| Pipelines {
        listed: any(it),
        children: node.child_pipelines.as_ref().is_some_and(any),
        doubtful: level.is_none_or(|it| it < REPORTER),
    });
    let counts = [&node.pipeline_counts, &node.child_pipeline_counts].into_iter().flatten();
    let running = counts.filter_map(|it| it.running).any(|it| it > 0);
    let commits = node.statistics.as_ref().map(|it| it.commit_count as i64);
    Standing { merge_requests, issues, pipelines, running, commits }
}

fn newest(nodes: &[Option<Moved>]) -> Option<DateTime<Utc>> {
    nodes.first().and_then(Option::as_ref).map(|it| it.updated_at)
}
