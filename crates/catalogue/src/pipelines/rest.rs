//! A pipeline as REST tells it: few fields in the list, all of them one by one.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::Error as _;

use super::{ListedRow, PipelineRow, merge_request_of};
use crate::users::UserBasic;
use crate::{List, Origin, Pending, Rows};

#[derive(Deserialize)]
struct Pipeline<'a> {
    id: i64,
    /// Not in GitLab before 12.
    #[serde(default)]
    iid: i64,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow, default)]
    source: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    r#ref: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    sha: Option<Cow<'a, str>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Detail<'a> {
    #[serde(default)]
    tag: Option<bool>,
    #[serde(borrow, default)]
    yaml_errors: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    user: Option<UserBasic<'a>>,
    #[serde(default)]
    started_at: Option<DateTime<Utc>>,
    #[serde(default)]
    finished_at: Option<DateTime<Utc>>,
    #[serde(default)]
    committed_at: Option<DateTime<Utc>>,
    #[serde(default)]
    duration: Option<i64>,
    #[serde(default)]
    queued_duration: Option<i64>,
    /// A number as text.
    #[serde(borrow, default)]
    coverage: Option<Cow<'a, str>>,
}

/// An element of the list: the rest, and the jobs, are read on their own.
pub(super) fn read_listed(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let it: Pipeline = serde_json::from_str(element)?;
    let (merge_request_iid, merge_request_pipeline_type) = merge_request_of(it.r#ref.as_deref());
    out.push(&ListedRow {
        project_id: origin.project_id(),
        id: origin.id(it.id),
        source_id: it.id,
        iid: it.iid,
        name: it.name.as_deref(),
        status: &it.status,
        source: it.source.as_deref(),
        r#ref: it.r#ref.as_deref(),
        sha: it.sha.as_deref(),
        created_at: it.created_at,
        updated_at: it.updated_at,
        merge_request_iid,
        merge_request_pipeline_type,
    });
    for list in [List::Pipeline, List::Jobs] {
        out.pending.push(Pending { list, project: origin.project, parent: it.id, iid: it.iid });
    }
    Ok(())
}

/// A pipeline alone.
pub(crate) fn read_whole(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let it: Pipeline = serde_json::from_str(element)?;
    let more: Detail = serde_json::from_str(element)?;
    let (merge_request_iid, merge_request_pipeline_type) = merge_request_of(it.r#ref.as_deref());
    let user_id = more.user.as_ref().map(|user| user.store(origin, out));
    let coverage = more.coverage.as_deref().map(str::parse).transpose().map_err(serde_json::Error::custom)?;
    out.push(&PipelineRow {
        project_id: origin.project_id(),
        id: origin.id(it.id),
        source_id: it.id,
        iid: it.iid,
        name: it.name.as_deref(),
        status: &it.status,
        source: it.source.as_deref(),
        r#ref: it.r#ref.as_deref(),
        sha: it.sha.as_deref(),
        user_id,
        tag: more.tag,
        yaml_errors: more.yaml_errors.as_deref(),
        coverage,
        created_at: it.created_at,
        updated_at: it.updated_at,
        started_at: more.started_at,
        finished_at: more.finished_at,
        committed_at: more.committed_at,
        duration_seconds: more.duration,
        queued_duration_seconds: more.queued_duration,
        merge_request_iid,
        merge_request_pipeline_type,
    });
    Ok(())
}
