//! Pipelines and jobs.

mod job;
mod jobs;
mod pipeline;
mod pipelines;
mod status;

use super::executor::Run;
use super::json::{self, Out};
use super::plan::Node;
use crate::world::model::{Id, Project};

/// Writes a field of a project that is about CI/CD.
pub(super) fn of_project(run: &Run<'_>, field: &Node, out: &mut Out, project: &Project) {
    match field.name.as_str() {
        "pipelines" => pipelines::write(run, field, out, project),
        "pipelineCounts" => pipelines::counts(run, field, out, project),
        "pipeline" => pipeline::write(run, field, out, pipelines::one(run, field, project)),
        _ => json::null(out),
    }
}

/// Whether pipelines and jobs of the project may be read.
fn readable(run: &Run<'_>, project_id: Id) -> bool {
    run.sight.sees_project(project_id) && run.sight.sees_ci(project_id)
}

/// GitLab's word as an enumeration's value.
fn upper(out: &mut Out, word: &str) {
    out.push(b'"');
    out.extend(word.bytes().map(|byte| byte.to_ascii_uppercase()));
    out.push(b'"');
}

/// A number with a fraction, even where that is zero.
fn float(out: &mut Out, value: f64) {
    // Writing into a vector cannot fail.
    let _ = serde_json::to_writer(out, &value);
}
