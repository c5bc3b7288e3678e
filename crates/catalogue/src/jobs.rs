//! Jobs of pipelines, every attempt, and the jobs that trigger other pipelines (bridges):
//! <https://docs.gitlab.com/api/jobs/>.

mod failure;
mod graphql;
mod rest;

use chrono::{DateTime, Utc};

use crate::row::row;
use crate::{Connector, Cursor, Document, Reader, Resource, Scope, Source, Table, users};

pub use graphql::{Reasons, from_graphql, reasons};

/// Jobs of one pipeline.
pub static JOBS: Resource = Resource {
    name: "jobs",
    connector: Connector::GitlabPipelines,
    scope: Scope::Pipeline,
    cursor: Cursor::Parent,
    tables: &[&TABLE, &users::TABLE],
    readers: &[
        Reader {
            name: "rest",
            source: Source::Rest {
                path: "projects/{project}/pipelines/{pipeline}/jobs",
                params: &[("include_retried", "true")],
            },
            read: rest::read,
            sample: include_str!("../samples/jobs.rest.json"),
        },
        Reader {
            name: "graphql",
            source: Source::Graphql { document: &JOBS_QUERY, connection: "jobs" },
            read: graphql::read,
            sample: include_str!("../samples/jobs.graphql.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/jobs/",
};

/// Bridges of one pipeline: REST lists them apart.
pub static BRIDGES: Resource = Resource {
    name: "bridges",
    connector: Connector::GitlabPipelines,
    scope: Scope::Pipeline,
    cursor: Cursor::Parent,
    tables: &[&TABLE, &users::TABLE],
    readers: &[Reader {
        name: "rest",
        source: Source::Rest {
            path: "projects/{project}/pipelines/{pipeline}/bridges",
            params: &[("include_retried", "true")],
        },
        read: rest::read_bridge,
        sample: include_str!("../samples/bridges.rest.json"),
    }],
    documentation: "https://docs.gitlab.com/api/jobs/#list-all-trigger-jobs-for-a-pipeline",
};

/// The jobs of one pipeline, where they do not fit beside it.
pub static JOBS_QUERY: Document = Document { name: "jobs", text: include_str!("jobs/list_jobs.graphql") };

/// Where jobs are stored.
pub static TABLE: Table = Table {
    name: "gitlab_jobs",
    key: &["project_id", "id"],
    version: None,
    fill: &["failure_reason", "retried"],
};

row! {
    GraphqlRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, pipeline_id: i64, name: Option<&'a str>, stage: Option<&'a str>,
        kind: &'static str, status: &'a str, retried: Option<bool>, allow_failure: bool,
        failure_reason: Option<&'a str>, r#ref: Option<&'a str>, tag: Option<bool>, coverage: Option<f64>,
        runner_id: Option<i64>, runner_type: Option<&'a str>, tags: Option<&'a [std::borrow::Cow<'a, str>]>,
        created_at: DateTime<Utc>, started_at: Option<DateTime<Utc>>, finished_at: Option<DateTime<Utc>>,
        erased_at: Option<DateTime<Utc>>, duration_seconds: Option<i64>, queued_duration_seconds: Option<i64>,
        downstream_project_id: Option<i64>, downstream_pipeline_id: Option<i64>,
    }
}

row! {
    RestRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, pipeline_id: i64, name: Option<&'a str>, stage: Option<&'a str>,
        kind: &'static str, status: &'a str, allow_failure: bool, failure_reason: Option<&'a str>,
        r#ref: Option<&'a str>, tag: Option<bool>, coverage: Option<f64>, runner_id: Option<i64>,
        runner_type: Option<&'a str>, tags: Option<&'a [std::borrow::Cow<'a, str>]>, created_at: DateTime<Utc>,
        started_at: Option<DateTime<Utc>>, finished_at: Option<DateTime<Utc>>, erased_at: Option<DateTime<Utc>>,
        duration_seconds: Option<i64>, queued_duration_seconds: Option<i64>,
        downstream_project_id: Option<i64>, downstream_pipeline_id: Option<i64>, user_id: Option<i64>,
    }
}

/// GitLab tells some durations with a fraction and others cut: whole seconds are what every reader knows. A duration that
/// is not over yet grows with every answer and is left out: until a job ends, or for ever where it never began.
pub(crate) fn whole_seconds(seconds: f64) -> i64 {
    seconds as i64
}
