//! The detailed status of pipelines and jobs: the only place where GraphQL tells why a job failed.

use crate::graphql::executor::Run;
use crate::graphql::json::{self, Out};
use crate::graphql::plan::Node;
use crate::rest::entities::ci::pipeline::{plain_label, plain_text, wording};
use crate::world::model::{CiStatus, FailureReason, Job, JobKind, Pipeline};

/// Writes the status of a pipeline.
pub(super) fn of_pipeline(node: &Node, out: &mut Out, it: &Pipeline, path: &str) {
    let (text, label, group) = wording(it);
    let shown = Shown { text, label, group, tooltip: plain_label(it.status) };
    shown.write(node, out, path);
}

/// Writes the status of a job.
pub(super) fn of_job(run: &Run<'_>, node: &Node, out: &mut Out, it: &Job, path: &str) {
    let warning = it.status == CiStatus::Failed && it.allow_failure && it.kind == JobKind::Build;
    let label = plain_label(it.status);
    let shown = Shown {
        text: plain_text(it.status),
        label: if warning { format!("{label} (allowed to fail)") } else { label },
        group: if warning { "failed-with-warnings".to_owned() } else { it.status.word().replace('_', "-") },
        tooltip: tooltip(it, writes_capitals(&run.options.version)),
    };
    shown.write(node, out, path);
}

struct Shown {
    text: String,
    label: String,
    group: String,
    tooltip: String,
}

impl Shown {
    fn write(&self, node: &Node, out: &mut Out, path: &str) {
        json::child(out, node, |field, out| match field.name.as_str() {
            "text" => json::string(out, &self.text),
            "label" => json::string(out, &self.label),
            "group" => json::string(out, &self.group),
            "name" => json::string(out, &self.group.replace('-', "_").to_ascii_uppercase()),
            "tooltip" => json::string(out, &self.tooltip),
            "hasDetails" => json::boolean(out, true),
            _ => json::string(out, path),
        });
    }
}

/// Whether this version writes `Failed - (…)`; older ones write `failed - (…)`. Recordings of 16.10 have the capitals.
fn writes_capitals(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (16, 10)
}

/// A failed job tells its reason, whether the failure is allowed, and that it was retried; in this order. Bridges tell
/// what GitLab said about the pipeline it could not make, and never that their failure is allowed.
fn tooltip(it: &Job, capitals: bool) -> String {
    let mut text = match it.failure_reason.filter(|_| it.status == CiStatus::Failed) {
        Some(reason) => {
            let failed = if capitals { "Failed" } else { "failed" };
            let errors = it.downstream_errors.iter().map(|errors| format!(", {errors}")).collect::<String>();
            format!("{failed} - ({}{errors})", reason_text(reason))
        }
        None => plain_label(it.status),
    };
    if it.status == CiStatus::Failed && it.allow_failure && it.kind == JobKind::Build {
        text.push_str(" (allowed to fail)");
    }
    if it.retried {
        text.push_str(" (retried)");
    }
    text
}

/// GitLab's text for a reason: mostly its own word.
fn reason_text(reason: FailureReason) -> String {
    use FailureReason::*;
    let text = match reason {
        Api => "API failure",
        RunnerUnsupported => "unsupported runner",
        PipelineLoop => "job would create infinitely looping pipelines",
        InvalidBridgeTrigger => "downstream pipeline trigger definition is invalid",
        DownstreamProjectNotFound => "downstream project could not be found",
        UpstreamProjectNotFound => "upstream project could not be found",
        BridgePermissions => "no permissions to trigger downstream pipeline",
        UpstreamPermissions => "no permissions to read upstream project",
        BridgePipelineIsChild => "creation of child pipeline not allowed from another child pipeline",
        DownstreamCreation => "downstream pipeline can not be created",
        SecretsProvider => "secrets provider can not be found",
        TooDeep => "reached maximum depth of child pipelines",
        TooMany => "downstream pipeline tree is too large",
        ProjectDeleted => "pipeline project was deleted",
        UserBlocked => "pipeline user was blocked",
        QuotaExceeded => "no more compute minutes available",
        NoMatchingRunner => "no matching runner available",
        TraceTooLong => "log size limit exceeded",
        BuildsDisabled => "project builds are disabled",
        IpRestriction => "IP address restriction failure",
        TriggerRate => "Too many downstream pipelines triggered in the last minute. Try again later.",
        other => return other.word().replace('_', " "),
    };
    text.to_owned()
}

/// What GitLab tells people about a failure; nothing about a script's own.
pub(super) fn failure_message(it: &Job) -> Option<&'static str> {
    match it.failure_reason.filter(|_| it.status == CiStatus::Failed)? {
        FailureReason::Unknown => Some("There is an unknown failure, please try again"),
        FailureReason::Api => Some("There has been an API failure, please try again"),
        FailureReason::RunnerSystem => Some("There has been a runner system failure, please try again"),
        _ => None,
    }
}
