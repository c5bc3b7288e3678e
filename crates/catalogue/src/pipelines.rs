//! CI/CD pipelines: <https://docs.gitlab.com/api/pipelines/>.
//!
//! GraphQL brings a page of pipelines with their jobs. REST lists few fields: what is missing is read pipeline by
//! pipeline. GitLab hides child pipelines from the list unless they are asked for by their source.

mod graphql;
mod rest;

use chrono::{DateTime, Utc};

use crate::row::row;
use crate::{Connector, Cursor, Document, Reader, Resource, Scope, Source, Table, jobs, users};

pub(crate) use graphql::upper_to_lower;
pub(crate) use rest::read_whole as from_rest;

/// Pipelines.
pub static PIPELINES: Resource = Resource {
    name: "pipelines",
    connector: Connector::GitlabPipelines,
    scope: Scope::Project,
    cursor: Cursor::UpdatedAt,
    tables: &[&TABLE, &jobs::TABLE, &users::TABLE],
    readers: &[
        Reader {
            name: "graphql",
            source: Source::Graphql { document: &PIPELINES_QUERY, connection: "pipelines" },
            read: graphql::read,
            sample: include_str!("../samples/pipelines.graphql.json"),
        },
        Reader {
            name: "rest",
            source: Source::Rest { path: "projects/{project}/pipelines", params: &[] },
            read: rest::read_listed,
            sample: include_str!("../samples/pipelines.rest.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/pipelines/",
};

/// Pipelines that other pipelines of the same project have started: GitLab lists them apart.
pub static CHILD_PIPELINES: Resource = Resource {
    name: "child_pipelines",
    connector: Connector::GitlabPipelines,
    scope: Scope::Project,
    cursor: Cursor::UpdatedAt,
    tables: &[&TABLE, &jobs::TABLE, &users::TABLE],
    readers: &[
        Reader {
            name: "graphql",
            source: Source::Graphql { document: &PIPELINES_QUERY, connection: "pipelines" },
            read: graphql::read,
            sample: include_str!("../samples/child_pipelines.graphql.json"),
        },
        Reader {
            name: "rest",
            source: Source::Rest {
                path: "projects/{project}/pipelines",
                params: &[("source", CHILD_SOURCE)],
            },
            read: rest::read_listed,
            sample: include_str!("../samples/child_pipelines.rest.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/ci/pipelines/downstream_pipelines/",
};

/// The source by which child pipelines are listed.
pub const CHILD_SOURCE: &str = "parent_pipeline";

/// One pipeline with everything that REST tells of it.
pub static PIPELINE: Resource = Resource {
    name: "pipeline",
    connector: Connector::GitlabPipelines,
    scope: Scope::Pipeline,
    cursor: Cursor::Parent,
    tables: &[&TABLE, &users::TABLE],
    readers: &[Reader {
        name: "rest",
        source: Source::Rest { path: "projects/{project}/pipelines/{pipeline}", params: &[] },
        read: rest::read_whole,
        sample: include_str!("../samples/pipeline.rest.json"),
    }],
    documentation: "https://docs.gitlab.com/api/pipelines/",
};

/// Pages of pipelines with their jobs.
pub static PIPELINES_QUERY: Document =
    Document { name: "pipelines", text: include_str!("pipelines/pipelines.graphql") };

/// Running pipelines of some projects with their jobs, child pipelines among them.
pub static RUNNING_PIPELINES_QUERY: Document =
    Document { name: "runningPipelines", text: include_str!("pipelines/running_pipelines.graphql") };

/// How many pipelines of a project GitLab last changed within a window of time.
pub static COUNT_PIPELINES_QUERY: Document =
    Document { name: "countPipelines", text: include_str!("pipelines/count_pipelines.graphql") };

/// Where pipelines are stored.
pub static TABLE: Table =
    Table { name: "gitlab_pipelines", key: &["project_id", "id"], version: Some("updated_at"), fill: &[] };

/// The columns that name the pipeline above a job.
pub const PARENT: &[&str] = &["project_id", "pipeline_id"];

row! {
    /// Everything there is to know.
    PipelineRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, iid: i64, name: Option<&'a str>, status: &'a str,
        source: Option<&'a str>, r#ref: Option<&'a str>, sha: Option<&'a str>, user_id: Option<i64>, tag: Option<bool>,
        yaml_errors: Option<&'a str>, coverage: Option<f64>,
        created_at: DateTime<Utc>, updated_at: DateTime<Utc>, started_at: Option<DateTime<Utc>>,
        finished_at: Option<DateTime<Utc>>, committed_at: Option<DateTime<Utc>>, duration_seconds: Option<i64>,
        queued_duration_seconds: Option<i64>, merge_request_iid: Option<i64>,
        merge_request_pipeline_type: Option<&'static str>,
    }
}

row! {
    /// What REST's list tells.
    ListedRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, iid: i64, name: Option<&'a str>, status: &'a str,
        source: Option<&'a str>, r#ref: Option<&'a str>, sha: Option<&'a str>,
        created_at: DateTime<Utc>, updated_at: DateTime<Utc>, merge_request_iid: Option<i64>,
        merge_request_pipeline_type: Option<&'static str>,
    }
}

/// The merge request a pipeline runs for, and how: GitLab gives such pipelines a ref of their own.
///
/// `refs/merge-requests/7/head` is a detached pipeline of !7, `…/merge` runs on the merged result, `…/train` in a
/// merge train. Any other ref is a branch or a tag.
pub(crate) fn merge_request_of(r#ref: Option<&str>) -> (Option<i64>, Option<&'static str>) {
    let parts = r#ref.and_then(|it| it.strip_prefix("refs/merge-requests/")?.split_once('/'));
    let Some((iid, kind)) = parts else { return (None, None) };
    let kind = match kind {
        "head" => "detached",
        "merge" => "merged_result",
        "train" => "merge_train",
        _ => return (None, None),
    };
    match iid.parse() {
        Ok(iid) => (Some(iid), Some(kind)),
        Err(_) => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::merge_request_of;

    #[test]
    fn the_ref_tells_the_merge_request_and_the_kind_of_pipeline() {
        assert_eq!(merge_request_of(Some("refs/merge-requests/7/head")), (Some(7), Some("detached")));
        assert_eq!(merge_request_of(Some("refs/merge-requests/7/merge")), (Some(7), Some("merged_result")));
        assert_eq!(merge_request_of(Some("refs/merge-requests/7/train")), (Some(7), Some("merge_train")));
        assert_eq!(merge_request_of(Some("refs/merge-requests/x/head")), (None, None));
        assert_eq!(merge_request_of(Some("main")), (None, None));
        assert_eq!(merge_request_of(None), (None, None));
    }
}
