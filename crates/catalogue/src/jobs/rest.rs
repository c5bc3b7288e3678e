//! Jobs and bridges as REST tells them.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{RestRow, whole_seconds};
use crate::users::UserBasic;
use crate::{Origin, Rows};

#[derive(Deserialize)]
struct Job<'a> {
    id: i64,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    stage: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(default)]
    allow_failure: bool,
    #[serde(borrow, default)]
    failure_reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    r#ref: Option<Cow<'a, str>>,
    #[serde(default)]
    tag: Option<bool>,
    #[serde(default)]
    coverage: Option<f64>,
    #[serde(borrow, default)]
    user: Option<UserBasic<'a>>,
    #[serde(borrow, default)]
    runner: Option<Runner<'a>>,
    #[serde(borrow, default)]
    tag_list: Option<Vec<Cow<'a, str>>>,
    created_at: DateTime<Utc>,
    #[serde(default)]
    started_at: Option<DateTime<Utc>>,
    #[serde(default)]
    finished_at: Option<DateTime<Utc>>,
    #[serde(default)]
    erased_at: Option<DateTime<Utc>>,
    #[serde(default)]
    duration: Option<f64>,
    #[serde(default)]
    queued_duration: Option<f64>,
    #[serde(default)]
    downstream_pipeline: Option<Downstream>,
}

#[derive(Deserialize)]
struct Runner<'a> {
    id: i64,
    #[serde(borrow, default)]
    runner_type: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Downstream {
    id: i64,
    #[serde(default)]
    project_id: Option<i64>,
}

pub(super) fn read(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    write(origin, "build", element, out)
}

pub(super) fn read_bridge(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    write(origin, "bridge", element, out)
}

fn write(origin: &Origin, kind: &'static str, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let it: Job = serde_json::from_str(element)?;
    let user_id = it.user.as_ref().map(|user| user.store(origin, out));
    let downstream = it.downstream_pipeline.as_ref();
    out.push(&RestRow {
        project_id: origin.project_id(),
        id: origin.id(it.id),
        source_id: it.id,
        pipeline_id: origin.pipeline_id(),
        name: it.name.as_deref(),
        stage: it.stage.as_deref(),
        kind,
        status: &it.status,
        allow_failure: it.allow_failure,
        failure_reason: it.failure_reason.as_deref().filter(|_| it.status == "failed"),
        r#ref: it.r#ref.as_deref(),
        tag: it.tag,
        coverage: it.coverage,
        runner_id: it.runner.as_ref().map(|runner| runner.id),
        runner_type: it.runner.as_ref().and_then(|runner| runner.runner_type.as_deref()),
        tags: it.tag_list.as_deref(),
        created_at: it.created_at,
        started_at: it.started_at,
        finished_at: it.finished_at,
        erased_at: it.erased_at,
        duration_seconds: it.duration.filter(|_| it.finished_at.is_some()).map(whole_seconds),
        queued_duration_seconds: it.queued_duration.filter(|_| it.started_at.is_some()).map(whole_seconds),
        downstream_project_id: downstream.and_then(|it| it.project_id).map(|it| origin.id(it)),
        downstream_pipeline_id: downstream.map(|it| origin.id(it.id)),
        user_id,
    });
    out.touched_pipelines.push((origin.project_id(), origin.pipeline_id()));
    Ok(())
}
