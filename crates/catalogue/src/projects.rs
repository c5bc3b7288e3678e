//! Projects, which hold the repositories: <https://docs.gitlab.com/api/projects/>.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use crate::invitations::Invitation;
use crate::members::day;
use crate::row::row;
use crate::{Connector, Cursor, Origin, Reader, Resource, Rows, Scope, Source, Table, invitations};

/// Projects.
pub static PROJECTS: Resource = Resource {
    name: "projects",
    connector: Connector::Gitlab,
    scope: Scope::Instance,
    cursor: Cursor::Complete,
    tables: &[&TABLE, &invitations::TABLE],
    readers: &[Reader {
        name: "rest",
        source: Source::Rest {
            path: "projects",
            params: &[("membership", "true"), ("pagination", "keyset"), ("order_by", "id"), ("sort", "asc")],
        },
        read: from_rest,
        sample: include_str!("../samples/projects.rest.json"),
    }],
    documentation: "https://docs.gitlab.com/api/projects/#list-all-projects",
};

/// Parameters of a group's listing of projects: its subgroups' too, but not what others share with it.
pub const GROUP_PROJECTS_PARAMS: &[(&str, &str)] =
    &[("include_subgroups", "true"), ("with_shared", "false"), ("order_by", "id"), ("sort", "asc")];

/// Where projects are stored.
pub static TABLE: Table = Table { name: "gitlab_projects", key: &["id"], version: None, fill: &[] };

row! {
    ProjectRow<'a> in TABLE {
        id: i64, source_id: i64, group_id: Option<i64>, namespace_id: Option<i64>, namespace_full_path: Option<&'a str>,
        name: &'a str, path: &'a str, path_with_namespace: &'a str, description: Option<&'a str>,
        default_branch: Option<&'a str>, visibility: Option<&'a str>, archived: Option<bool>,
        topics: &'a [Cow<'a, str>], source_url: Option<&'a str>, empty_repo: Option<bool>,
        forked_from_project_id: Option<i64>, merge_requests_access_level: Option<&'a str>,
        issues_access_level: Option<&'a str>, builds_access_level: Option<&'a str>, marked_for_deletion_on: Option<NaiveDate>,
        created_at: Option<DateTime<Utc>>, last_activity_at: Option<DateTime<Utc>>,
    }
}

/// A project as REST sends it. The sync reads it too, to decide what to ask of it.
#[derive(Debug, Deserialize)]
pub struct Project<'a> {
    /// GitLab's id.
    pub id: i64,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    /// Whole path, namespace included.
    #[serde(borrow)]
    pub path_with_namespace: Cow<'a, str>,
    #[serde(borrow, default)]
    description: Option<Cow<'a, str>>,
    /// The default branch; none without one, and for those who may not read the code.
    #[serde(borrow, default)]
    pub default_branch: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    visibility: Option<Cow<'a, str>>,
    /// Whether it is archived.
    #[serde(default)]
    pub archived: Option<bool>,
    /// Topics, by their name since 14.0.
    #[serde(borrow, default)]
    topics: Option<Vec<Cow<'a, str>>>,
    /// Topics, by their older name.
    #[serde(borrow, default)]
    tag_list: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow, default)]
    web_url: Option<Cow<'a, str>>,
    /// Whether nothing was ever pushed.
    #[serde(default)]
    pub empty_repo: Option<bool>,
    /// The project it was forked from.
    #[serde(default)]
    pub forked_from_project: Option<Fork>,
    /// disabled, private or enabled.
    #[serde(borrow, default)]
    pub merge_requests_access_level: Option<Cow<'a, str>>,
    /// The older switch for merge requests.
    #[serde(default)]
    pub merge_requests_enabled: Option<bool>,
    /// disabled, private or enabled.
    #[serde(borrow, default)]
    pub repository_access_level: Option<Cow<'a, str>>,
    /// disabled, private or enabled.
    #[serde(borrow, default)]
    pub issues_access_level: Option<Cow<'a, str>>,
    /// The older switch for issues.
    #[serde(default)]
    pub issues_enabled: Option<bool>,
    /// disabled, private or enabled.
    #[serde(borrow, default)]
    pub builds_access_level: Option<Cow<'a, str>>,
    /// The older switch for CI/CD.
    #[serde(default)]
    pub jobs_enabled: Option<bool>,
    /// disabled, private or enabled; old versions switch environments with CI/CD alone.
    #[serde(borrow, default)]
    pub environments_access_level: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    marked_for_deletion_on: Option<Cow<'a, str>>,
    #[serde(default)]
    created_at: Option<DateTime<Utc>>,
    /// When something last happened; GitLab moves it once an hour at most.
    #[serde(default)]
    pub last_activity_at: Option<DateTime<Utc>>,
    /// Groups that were invited.
    #[serde(borrow, default)]
    shared_with_groups: Option<Vec<Invitation<'a>>>,
    /// The group or user it belongs to.
    #[serde(borrow, default)]
    pub namespace: Option<Namespace<'a>>,
}

/// The origin of a fork.
#[derive(Debug, Deserialize)]
pub struct Fork {
    /// GitLab's id.
    pub id: i64,
}

/// The group or user a project belongs to.
#[derive(Debug, Deserialize)]
pub struct Namespace<'a> {
    /// GitLab's id; for a group, the group's.
    pub id: i64,
    /// `group` or `user`.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    full_path: Cow<'a, str>,
}

fn from_rest(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let project: Project = serde_json::from_str(element)?;
    let group = project.namespace.as_ref().filter(|it| it.kind == "group");
    out.push(&ProjectRow {
        id: origin.id(project.id),
        source_id: project.id,
        group_id: group.map(|it| origin.id(it.id)),
        namespace_id: project.namespace.as_ref().map(|it| origin.id(it.id)),
        namespace_full_path: project.namespace.as_ref().map(|it| &*it.full_path),
        name: &project.name,
        path: &project.path,
        path_with_namespace: &project.path_with_namespace,
        description: project.description.as_deref(),
        default_branch: project.default_branch.as_deref(),
        visibility: project.visibility.as_deref(),
        archived: project.archived,
        topics: project.topics.as_deref().or(project.tag_list.as_deref()).unwrap_or_default(),
        source_url: project.web_url.as_deref(),
        empty_repo: project.empty_repo,
        forked_from_project_id: project.forked_from_project.as_ref().map(|it| origin.id(it.id)),
        merge_requests_access_level: project.merge_requests_access_level.as_deref(),
        issues_access_level: project.issues_access_level.as_deref(),
        builds_access_level: project.builds_access_level.as_deref(),
        marked_for_deletion_on: project.marked_for_deletion_on.as_deref().map(day).transpose()?,
        created_at: project.created_at,
        last_activity_at: project.last_activity_at,
    });
    match &project.shared_with_groups {
        Some(groups) => invitations::store(&origin.project(project.id), groups, out),
        None => Ok(()),
    }
}
