//! The rows a complete and correct reading brings, computed from the world alone. Every row carries every column of
//! its table, but for those a reader adds about itself (`synced_at`, `deleted_at`, `deleted_reason`, and on projects
//! `api_accessible`, `inaccessible_since`, `inaccessible_reason`). Times are cut to whole seconds.

mod action;
mod approval_rules;
mod ci;
mod commits;
mod compare;
mod dimensions;
mod issue_links;
mod issues;
mod members;
mod merge_requests;
mod reviews;

use std::collections::{BTreeMap, BTreeSet};

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use crate::world::access::{GUEST, Viewer};
use crate::world::model::{Group, Id, MergeRequest, Note, Project, Time, World};

pub use action::action;
pub use approval_rules::approval_rules;
pub use compare::differences;
pub use members::effective_members;

/// How the world is read; a few columns depend on it, and which tables there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Whether GraphQL is read: it alone tells diff statistics, and the action of notes no text tells.
    pub graphql: bool,
    /// Whether `/approvals` tells when an approval was given; it counts where GraphQL is not read.
    pub approvals_have_time: bool,
    /// What is imported beside `gitlab`, whose tables are always there, by the names of connectors.
    pub connectors: BTreeSet<&'static str>,
    /// Whether issues are imported.
    pub issues: bool,
    /// Whether the sizes of commits of the default branch are asked for.
    pub commit_statistics: bool,
}

impl Reading {
    /// By GraphQL, of a GitLab that does not tell when approvals were given; the connector `gitlab` alone.
    pub const GRAPHQL: Self = Self::new(true, false);
    /// The same by REST.
    pub const REST: Self = Self::new(false, false);

    /// Reads what the connector `gitlab` imports.
    pub const fn new(graphql: bool, approvals_have_time: bool) -> Self {
        let connectors = BTreeSet::new();
        Self { graphql, approvals_have_time, connectors, issues: false, commit_statistics: false }
    }

    /// Imports what another connector brings, too.
    #[must_use]
    pub fn with(mut self, connector: &'static str) -> Self {
        self.connectors.insert(connector);
        self
    }

    /// Imports issues, too.
    #[must_use]
    pub fn with_issues(mut self) -> Self {
        self.issues = true;
        self
    }

    /// Whether what this connector brings is imported.
    pub fn imports(&self, connector: &str) -> bool {
        connector == "gitlab" || self.connectors.contains(connector)
    }
}

impl Default for Reading {
    fn default() -> Self {
        Self::GRAPHQL
    }
}

/// A row, column by column.
pub type Row = Map<String, Value>;

/// Rows by table.
pub type Tables = BTreeMap<&'static str, Vec<Row>>;

/// Rows by table, as they should be stored for this viewer.
pub fn truth(world: &World, viewer: &Viewer, reading: Reading) -> Tables {
    let sight = Sight::new(world, viewer, reading);
    let mut tables = Tables::new();
    sight.dimensions(&mut tables);
    sight.merge_requests(&mut tables);
    if sight.reading.imports("gitlab_commits") {
        sight.merge_request_commits(&mut tables);
    }
    if sight.reading.imports("gitlab_commits_trunk") {
        sight.commits(&mut tables);
    }
    sight.ci(&mut tables);
    if sight.reading.issues {
        sight.issues(&mut tables);
    }
    tables
}

/// What the viewer sees.
struct Sight<'a> {
    world: &'a World,
    viewer: &'a Viewer,
    reading: Reading,
    groups: Vec<&'a Group>,
    group_ids: BTreeSet<Id>,
    projects: Vec<&'a Project>,
    merge_requests: Vec<&'a MergeRequest>,
}

impl<'a> Sight<'a> {
    fn new(world: &'a World, viewer: &'a Viewer, reading: Reading) -> Self {
        let guest = |level: Option<i32>| level.is_some_and(|level| level >= GUEST);
        let in_group = |group: &&Group| {
            viewer.job_project_id.is_none() && guest(world.group_access_level(viewer, group.id))
        };
        let in_project = |project: &&Project| {
            let member = guest(world.project_access_level(viewer, project));
            (member || viewer.job_project_id == Some(project.id)) && world.can_read_project(viewer, project)
        };
        let groups: Vec<&Group> = world.groups.values().filter(in_group).collect();
        let projects: Vec<&Project> = world.projects.values().filter(in_project).collect();
        let readable = projects.iter().filter(|project| world.check_merge_requests(viewer, project).is_ok());
        let readable: BTreeSet<Id> = readable.map(|project| project.id).collect();
        let merge_requests = world.merge_requests.values().filter(|mr| readable.contains(&mr.project_id));
        Self {
            world,
            viewer,
            reading,
            group_ids: groups.iter().map(|group| group.id).collect(),
            groups,
            projects,
            merge_requests: merge_requests.collect(),
        }
    }

    /// Notes the viewer sees, by second and id.
    fn notes(&self, mr: &'a MergeRequest) -> Vec<&'a Note> {
        let mut notes: Vec<&Note> = self.world.visible_notes(self.viewer, mr).collect();
        notes.sort_by_key(|note| (note.created_at.timestamp(), note.id));
        notes
    }
}

/// A time as rows hold it.
fn at(time: Time) -> Value {
    json!(time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn at_or_null(time: Option<Time>) -> Value {
    time.map_or(Value::Null, at)
}

fn row(value: Value) -> Row {
    if let Value::Object(row) = value { row } else { Row::new() }
}
