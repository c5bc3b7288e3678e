//! A pipeline with its jobs as GraphQL answers it.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::Error as _;

use super::{PARENT, PipelineRow, merge_request_of};
use crate::gid::{Gid, Only};
use crate::{Connection, List, Origin, Pending, Rows, jobs, users};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pipeline<'a> {
    id: Gid,
    #[serde(borrow)]
    iid: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow, default)]
    source: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    r#ref: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    ref_path: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    sha: Option<Cow<'a, str>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    committed_at: Option<DateTime<Utc>>,
    duration: Option<i64>,
    queued_duration: Option<f64>,
    coverage: Option<f64>,
    #[serde(borrow, default)]
    yaml_error_messages: Option<Cow<'a, str>>,
    user: Option<Only>,
    #[serde(borrow, default)]
    jobs: Option<Connection<'a>>,
    #[serde(borrow, default)]
    failed: Option<Connection<'a>>,
}

pub(super) fn read(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let it: Pipeline = serde_json::from_str(element)?;
    let iid = it.iid.parse().map_err(serde_json::Error::custom)?;
    write_row(origin, &it, iid, out);
    write_jobs(&origin.pipeline(it.id.id), iid, &it, out)
}

fn write_row(origin: &Origin, it: &Pipeline, iid: i64, out: &mut Rows) {
    let (merge_request_iid, merge_request_pipeline_type) = merge_request_of(it.r#ref.as_deref());
    let user_id = it.user.as_ref().map(|user| users::stub(origin, &user.id, out));
    out.push(&PipelineRow {
        project_id: origin.project_id(),
        id: origin.id(it.id.id),
        source_id: it.id.id,
        iid,
        name: it.name.as_deref(),
        status: &upper_to_lower(&it.status),
        source: it.source.as_deref().map(upper_to_lower).as_deref(),
        r#ref: it.r#ref.as_deref(),
        sha: it.sha.as_deref(),
        user_id,
        // A pipeline of a merge request has a ref of its own, and the path of a branch.
        tag: it.ref_path.as_deref().map(|path| path.starts_with("refs/tags/")),
        yaml_errors: it.yaml_error_messages.as_deref(),
        coverage: it.coverage,
        created_at: it.created_at,
        updated_at: it.updated_at,
        started_at: it.started_at,
        finished_at: it.finished_at,
        committed_at: it.committed_at,
        duration_seconds: it.duration,
        queued_duration_seconds: it.queued_duration.map(jobs::whole_seconds),
        merge_request_iid,
        merge_request_pipeline_type,
    });
}

/// Jobs that did not fit, or that this GitLab did not answer, are read by requests of their own.
fn write_jobs(below: &Origin, iid: i64, it: &Pipeline, out: &mut Rows) -> serde_json::Result<()> {
    let (Some(list), Some(failed)) = (&it.jobs, &it.failed) else {
        pending(below, iid, out);
        return Ok(());
    };
    let reasons = jobs::reasons(&failed.nodes)?;
    for node in &list.nodes {
        jobs::from_graphql(below, node.get(), Some(&reasons), out)?;
    }
    if list.page_info.has_next_page
        || failed.page_info.has_next_page
        || !list.is_whole()
        || !failed.is_whole()
    {
        pending(below, iid, out);
    } else {
        out.complete(&jobs::TABLE, PARENT, &[below.project_id(), below.pipeline_id()]);
    }
    Ok(())
}

fn pending(below: &Origin, iid: i64, out: &mut Rows) {
    out.pending.push(Pending { list: List::Jobs, project: below.project, parent: below.pipeline, iid });
}

/// GraphQL writes statuses and sources in capitals, REST does not.
pub(crate) fn upper_to_lower(word: &str) -> String {
    word.to_ascii_lowercase()
}
