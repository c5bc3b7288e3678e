//! What hooks are to be told of.

use super::places::Kind;

/// What is read again when it is told of, wherever there is such an event.
const OF_PROJECTS: &[&str] = &[
    "merge_requests_events",
    "note_events",
    "issues_events",
    "pipeline_events",
    "job_events",
    "deployment_events",
    "push_events",
];

/// The same of groups, which also tell which projects and people there are.
const OF_GROUPS: &[&str] = &["member_events", "subgroup_events", "project_events"];

/// The same of the whole instance: there are no others. Groups, projects and members it tells of in any case.
const OF_SYSTEM: &[&str] = &["merge_requests_events", "push_events"];

/// What is told with the text of what only some may see: wanted by those who ask for it.
pub(super) const CONFIDENTIAL: &[&str] = &["confidential_issues_events", "confidential_note_events"];

/// What a hook is to be told of.
pub(super) fn wanted(kind: Kind, confidential: bool) -> Vec<&'static str> {
    let mut wanted = match kind {
        Kind::Project => OF_PROJECTS.to_vec(),
        Kind::Group => [OF_PROJECTS, OF_GROUPS].concat(),
        Kind::System => OF_SYSTEM.to_vec(),
    };
    if confidential && kind != Kind::System {
        wanted.extend(CONFIDENTIAL);
    }
    wanted
}

/// An event in plain words: `merge requests`.
pub(super) fn plain(event: &str) -> String {
    event.trim_end_matches("_events").replace('_', " ")
}
