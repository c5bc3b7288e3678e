//! Webhooks: what a payload names, so that it can be read again. A payload is a hint and never a row: it may come late,
//! twice or never, and says less than the API.

use std::fmt;

use serde::Deserialize;

/// Something that a payload says has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Changed {
    /// A merge request of a project, by its number.
    MergeRequest(i64),
    /// An issue of a project, by its number.
    Issue(i64),
    /// A pipeline, by its id: itself, or one of its jobs.
    Pipeline(i64),
    /// Deployments and environments of a project.
    Deployments,
    /// The default branch of a project.
    Trunk,
    /// The project itself, or who its members are.
    Project,
    /// Which groups and projects there are, or who their members are.
    Groups,
}

/// What a payload says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its kind: GitLab's `object_kind`, else `event_name`.
    pub kind: String,
    /// The project it is about (GitLab's id).
    pub project: Option<i64>,
    /// Address of something in that GitLab.
    pub web_url: Option<String>,
    /// What has changed; none where it is nothing that is read.
    pub changed: Option<Changed>,
}

/// A payload that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoEvent(String);

impl fmt::Display for NoEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the payload is no event of GitLab: {}", self.0)
    }
}

impl std::error::Error for NoEvent {}

#[derive(Debug, Deserialize)]
struct Payload {
    object_kind: Option<String>,
    event_name: Option<String>,
    project_id: Option<i64>,
    project: Option<Project>,
    repository: Option<Repository>,
    object_attributes: Option<Attributes>,
    merge_request: Option<Numbered>,
    issue: Option<Numbered>,
    commit: Option<Commit>,
    pipeline_id: Option<i64>,
    #[serde(rename = "ref")]
    reference: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Project {
    id: Option<i64>,
    web_url: Option<String>,
    default_branch: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    homepage: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Attributes {
    id: Option<i64>,
    iid: Option<i64>,
    target_project_id: Option<i64>,
    project_id: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Numbered {
    iid: Option<i64>,
    target_project_id: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Commit {
    /// Of a job's payload: the id of its pipeline. Of others: the name of a commit.
    id: Option<serde_json::Value>,
}

impl Event {
    /// Reads a payload.
    pub fn read(body: &str) -> Result<Event, NoEvent> {
        let payload: Payload = serde_json::from_str(body)
            // The words around it may be anybody's.
            .map_err(|it| NoEvent(format!("line {}, column {}", it.line(), it.column())))?;
        let kind = payload.object_kind.clone().or_else(|| payload.event_name.clone());
        let kind = kind.ok_or_else(|| NoEvent("it has neither object_kind nor event_name".to_owned()))?;
        let kind: String =
            kind.chars().filter(|it| it.is_ascii_alphanumeric() || *it == '_').take(60).collect();
        Ok(Event {
            changed: changed(&kind, &payload),
            project: project(&payload),
            web_url: web_url(&payload),
            kind,
        })
    }
}

fn changed(kind: &str, payload: &Payload) -> Option<Changed> {
    let attributes = payload.object_attributes.as_ref();
    match kind {
        "merge_request" => attributes?.iid.map(Changed::MergeRequest),
        "note" => noted(payload),
        "issue" | "work_item" => attributes?.iid.map(Changed::Issue),
        "pipeline" => attributes?.id.map(Changed::Pipeline),
        "build" => payload
            .pipeline_id
            .or_else(|| payload.commit.as_ref()?.id.as_ref()?.as_i64())
            .map(Changed::Pipeline),
        "deployment" => Some(Changed::Deployments),
        "push" => is_trunk(payload).then_some(Changed::Trunk),
        "project_update" | "user_add_to_team" | "user_update_for_team" | "user_remove_from_team" => {
            Some(Changed::Project)
        }
        "project_create"
        | "project_destroy"
        | "project_rename"
        | "project_transfer"
        | "group_create"
        | "group_destroy"
        | "group_rename"
        | "subgroup_create"
        | "subgroup_destroy"
        | "user_rename"
        | "user_add_to_group"
        | "user_update_for_group"
        | "user_remove_from_group" => Some(Changed::Groups),
        _ => None,
    }
}

/// What a comment is on: comments on commits and snippets are not read.
fn noted(payload: &Payload) -> Option<Changed> {
    let iid = |it: &Option<Numbered>| it.as_ref().and_then(|it| it.iid);
    iid(&payload.merge_request).map(Changed::MergeRequest).or_else(|| iid(&payload.issue).map(Changed::Issue))
}

fn is_trunk(payload: &Payload) -> bool {
    let branch = payload.reference.as_deref().and_then(|it| it.strip_prefix("refs/heads/"));
    let default = payload.project.as_ref().and_then(|it| it.default_branch.as_deref());
    // Where it is not told which branch that is, it may be this one.
    branch.is_some_and(|branch| default.is_none_or(|it| it == branch))
}

/// The project whose records are named: of a merge request from a fork it is the one it goes to.
fn project(payload: &Payload) -> Option<i64> {
    let attributes = payload.object_attributes.as_ref();
    let target = payload.merge_request.as_ref().and_then(|it| it.target_project_id);
    let own = payload.project.as_ref().and_then(|it| it.id).or(payload.project_id);
    let own = own.or_else(|| attributes.and_then(|it| it.project_id));
    match payload.object_kind.as_deref() {
        Some("merge_request") => attributes.and_then(|it| it.target_project_id).or(own),
        Some("note") => target.or(own),
        _ => own,
    }
}

fn web_url(payload: &Payload) -> Option<String> {
    let of_project = payload.project.as_ref().and_then(|it| it.web_url.clone());
    of_project.or_else(|| payload.repository.as_ref()?.homepage.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Event {
        Event::read(body).unwrap()
    }

    #[test]
    fn a_comment_names_what_it_is_on() {
        let event = read(
            r#"{"object_kind":"note","project_id":5,"project":{"id":5,"web_url":"http://x/a"},"object_attributes":{"id":1},"merge_request":{"iid":7,"target_project_id":6}}"#,
        );
        assert_eq!((event.project, event.changed), (Some(6), Some(Changed::MergeRequest(7))));
        let event = read(
            r#"{"object_kind":"note","project_id":5,"object_attributes":{"id":1},"commit":{"id":"abc"}}"#,
        );
        assert_eq!(event.changed, None);
    }

    #[test]
    fn a_job_names_its_pipeline() {
        let old = read(r#"{"object_kind":"build","project_id":5,"build_id":9,"commit":{"id":4}}"#);
        assert_eq!((old.project, old.changed), (Some(5), Some(Changed::Pipeline(4))));
    }

    #[test]
    fn only_pushes_to_the_default_branch_count() {
        let push = |reference: &str| {
            read(&format!(
                r#"{{"object_kind":"push","ref":"{reference}","project_id":1,"project":{{"id":1,"default_branch":"main"}}}}"#
            ))
            .changed
        };
        assert_eq!((push("refs/heads/main"), push("refs/heads/other")), (Some(Changed::Trunk), None));
        assert_eq!(push("refs/tags/main"), None);
    }

    #[test]
    fn what_is_not_known_is_an_event_all_the_same() {
        let event = read(r#"{"object_kind":"wiki_page","project":{"id":3}}"#);
        assert_eq!((event.kind.as_str(), event.changed), ("wiki_page", None));
        assert!(Event::read("{}").is_err() && Event::read("[]").is_err() && Event::read("x").is_err());
    }
}
