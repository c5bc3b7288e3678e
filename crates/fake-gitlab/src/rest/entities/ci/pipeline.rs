//! Pipelines, as lists show them and alone.

use serde::Serialize;
use serde_json::{Value, json};

use crate::rest::entities::Millis;
use crate::rest::entities::user::UserBasic;
use crate::world::model::{CiStatus, Id, Pipeline, World};

/// GitLab's `PipelineBasic`, as it stands in jobs and bridges.
#[derive(Debug, Serialize)]
pub struct PipelineView<'a> {
    id: Id,
    iid: i64,
    project_id: Id,
    sha: &'a str,
    #[serde(rename = "ref")]
    git_ref: &'a str,
    status: &'static str,
    source: &'static str,
    created_at: Millis,
    updated_at: Millis,
    web_url: String,
}

impl<'a> PipelineView<'a> {
    /// Renders a pipeline; the project's path is handed in because a list shares it.
    pub fn of(world: &World, pipeline: &'a Pipeline, project_path: &str) -> Self {
        Self {
            id: pipeline.id,
            iid: pipeline.iid,
            project_id: pipeline.project_id,
            sha: &pipeline.sha,
            git_ref: &pipeline.git_ref,
            status: pipeline.status.word(),
            source: pipeline.source.word(),
            created_at: Millis(pipeline.created_at),
            updated_at: Millis(pipeline.updated_at),
            web_url: format!("{}{}", world.url, page(pipeline, project_path)),
        }
    }

    /// A pipeline wherever it is.
    pub fn anywhere(world: &World, pipeline: &'a Pipeline) -> Self {
        let project = world.projects.get(&pipeline.project_id);
        let path = project.map(|project| world.project_full_path(project)).unwrap_or_default();
        Self::of(world, pipeline, &path)
    }
}

fn page(pipeline: &Pipeline, project_path: &str) -> String {
    format!("/{project_path}/-/pipelines/{}", pipeline.id)
}

/// The same with its name, as the list of a project shows it.
#[derive(Debug, Serialize)]
pub struct PipelineViewWithName<'a> {
    #[serde(flatten)]
    basic: PipelineView<'a>,
    name: Option<&'a str>,
}

impl<'a> PipelineViewWithName<'a> {
    /// Renders a pipeline.
    pub fn of(world: &World, pipeline: &'a Pipeline, project_path: &str) -> Self {
        Self { basic: PipelineView::of(world, pipeline, project_path), name: pipeline.name.as_deref() }
    }
}

/// A pipeline alone.
pub fn detail(world: &World, pipeline: &Pipeline, basic: PipelineView<'_>, project_path: &str) -> Value {
    let mut body = json!(basic);
    let more = json!({
        "before_sha": pipeline.before_sha,
        "tag": pipeline.tag,
        "yaml_errors": pipeline.yaml_errors,
        "user": pipeline.user_id.and_then(|id| UserBasic::of(world, id)),
        "started_at": pipeline.started_at.map(Millis),
        "finished_at": pipeline.finished_at.map(Millis),
        "committed_at": pipeline.committed_at.map(Millis),
        "duration": pipeline.duration,
        "queued_duration": pipeline.queued_duration(),
        "coverage": pipeline.coverage().map(|percent| format!("{percent:.2}")),
        "detailed_status": detailed_status(pipeline, project_path),
        "name": pipeline.name,
    });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}

fn detailed_status(pipeline: &Pipeline, project_path: &str) -> Value {
    let (text, label, group) = wording(pipeline);
    json!({
        "icon": format!("status_{}", if text == "Warning" { "warning" } else { pipeline.status.word() }),
        "text": text,
        "label": label,
        "group": group,
        "tooltip": plain_label(pipeline.status),
        "has_details": false,
        "details_path": page(pipeline, project_path),
        "illustration": null,
        "favicon": format!("/assets/ci_favicons/favicon_status_{}.png", pipeline.status.word()),
    })
}

/// Text, label and group. A success with failures that were allowed is a warning.
pub fn wording(pipeline: &Pipeline) -> (String, String, String) {
    if pipeline.status == CiStatus::Success && has_warnings(pipeline) {
        return ("Warning".to_owned(), "passed with warnings".to_owned(), "success-with-warnings".to_owned());
    }
    let group = pipeline.status.word().replace('_', "-");
    (plain_text(pipeline.status), plain_label(pipeline.status), group)
}

/// Whether a job failed that was allowed to.
pub fn has_warnings(pipeline: &Pipeline) -> bool {
    let failed = |status| matches!(status, CiStatus::Failed | CiStatus::Canceled);
    pipeline.latest_jobs().any(|job| job.allow_failure && failed(job.status))
}

/// A state on a badge.
pub fn plain_text(status: CiStatus) -> String {
    let word = match status {
        CiStatus::Success => "passed",
        CiStatus::Scheduled => "delayed",
        CiStatus::WaitingForResource | CiStatus::WaitingForCallback => "waiting",
        other => other.word(),
    };
    let (first, rest) = word.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}

/// A state in a sentence.
pub fn plain_label(status: CiStatus) -> String {
    match status {
        CiStatus::Success => "passed".to_owned(),
        CiStatus::Manual => "manual action".to_owned(),
        CiStatus::Scheduled => "delayed".to_owned(),
        other => other.word().replace('_', " "),
    }
}
