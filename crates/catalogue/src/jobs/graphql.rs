//! Jobs and bridges as GraphQL tells them.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::failure::reason;
use super::{GraphqlRow, whole_seconds};
use crate::gid::{Gid, Only};
use crate::pipelines::upper_to_lower;
use crate::{Origin, Rows};

/// Why jobs failed, by GitLab's id of the job.
pub type Reasons<'a> = HashMap<i64, Cow<'a, str>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job<'a> {
    id: Gid,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    stage: Option<Stage<'a>>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(default)]
    retried: Option<bool>,
    allow_failure: bool,
    #[serde(borrow, default)]
    ref_name: Option<Cow<'a, str>>,
    created_by_tag: Option<bool>,
    coverage: Option<f64>,
    #[serde(borrow, default)]
    runner: Option<Runner<'a>>,
    #[serde(borrow, default)]
    tags: Option<Vec<Cow<'a, str>>>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    #[serde(default)]
    erased_at: Option<DateTime<Utc>>,
    duration: Option<i64>,
    queued_duration: Option<f64>,
    downstream_pipeline: Option<Downstream>,
    #[serde(borrow, default)]
    detailed_status: Option<DetailedStatus<'a>>,
}

#[derive(Deserialize)]
struct Stage<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Runner<'a> {
    id: Gid,
    #[serde(borrow, default)]
    runner_type: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Downstream {
    id: Gid,
    project: Option<Only>,
}

#[derive(Deserialize)]
struct DetailedStatus<'a> {
    #[serde(borrow, default)]
    tooltip: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failed<'a> {
    id: Gid,
    #[serde(borrow, default)]
    detailed_status: Option<DetailedStatus<'a>>,
}

/// Reads why jobs failed from a list of failed ones.
pub fn reasons<'a>(nodes: &[&'a RawValue]) -> serde_json::Result<Reasons<'a>> {
    let mut reasons = Reasons::new();
    for node in nodes.iter().filter(|it| it.get() != "null") {
        let failed: Failed = serde_json::from_str(node.get())?;
        let tooltip = failed.detailed_status.and_then(|it| it.tooltip);
        reasons.extend(tooltip.and_then(|it| Some((failed.id.id, Cow::Owned(reason(&it)?.to_owned())))));
    }
    Ok(reasons)
}

pub(super) fn read(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    from_graphql(origin, element, None, out)
}

/// Reads a job. `reasons` tell why it failed where the job itself does not.
pub fn from_graphql(
    origin: &Origin,
    element: &str,
    reasons: Option<&Reasons>,
    out: &mut Rows,
) -> serde_json::Result<()> {
    let it: Job = serde_json::from_str(element)?;
    let status = upper_to_lower(&it.status);
    let told = it.detailed_status.as_ref().and_then(|it| reason(it.tooltip.as_deref()?));
    let told = told.or_else(|| reasons?.get(&it.id.id).map(AsRef::as_ref));
    let downstream = it.downstream_pipeline.as_ref();
    out.push(&GraphqlRow {
        project_id: origin.project_id(),
        id: origin.id(it.id.id),
        source_id: it.id.id,
        pipeline_id: origin.pipeline_id(),
        name: it.name.as_deref(),
        stage: it.stage.as_ref().and_then(|stage| stage.name.as_deref()),
        kind: kind(&it.id),
        failure_reason: told.filter(|_| status == "failed"),
        status: &status,
        retried: it.retried,
        allow_failure: it.allow_failure,
        r#ref: it.ref_name.as_deref(),
        tag: it.created_by_tag,
        coverage: it.coverage,
        runner_id: it.runner.as_ref().map(|runner| runner.id.id),
        runner_type: it
            .runner
            .as_ref()
            .and_then(|it| it.runner_type.as_deref())
            .map(upper_to_lower)
            .as_deref(),
        tags: it.tags.as_deref(),
        created_at: it.created_at,
        started_at: it.started_at,
        finished_at: it.finished_at,
        erased_at: it.erased_at,
        duration_seconds: it.duration.filter(|_| it.finished_at.is_some()),
        queued_duration_seconds: it.queued_duration.filter(|_| it.started_at.is_some()).map(whole_seconds),
        downstream_project_id: downstream.and_then(|it| it.project.as_ref()).map(|it| origin.id(it.id.id)),
        downstream_pipeline_id: downstream.map(|it| origin.id(it.id.id)),
    });
    if it.retried.is_none() {
        out.touched_pipelines.push((origin.project_id(), origin.pipeline_id()));
    }
    Ok(())
}

/// `gid://gitlab/Ci::Bridge/1` is a job that triggers another pipeline.
fn kind(id: &Gid) -> &'static str {
    if id.kind.ends_with("Bridge") { "bridge" } else { "build" }
}
