//! Issues, incidents and tasks: <https://docs.gitlab.com/api/issues/>.
//!
//! GraphQL brings a page of issues with labels and assignees. REST brings the same and who closed an issue, which no
//! GraphQL tells; that one column is not worth as many requests again, so where GraphQL is read it stays empty. What
//! the text names is kept as links; the text itself only where that is asked for.

mod graphql;
mod links;
mod rest;

use chrono::{DateTime, NaiveDate, Utc};

pub use graphql::{COUNT_ISSUES_QUERY, ISSUES_QUERY, LIST_QUERIES};
pub(crate) use graphql::{assignee, label};

use crate::row::row;
use crate::{Connector, Cursor, Origin, Reader, Resource, Rows, Scope, Source, Table, milestones, users};
use links::{Link, Place};

/// Issues.
pub static ISSUES: Resource = Resource {
    name: "issues",
    connector: Connector::Gitlab,
    scope: Scope::Project,
    cursor: Cursor::UpdatedAt,
    tables: &[&TABLE, &LABELS_TABLE, &ASSIGNEES_TABLE, &LINKS_TABLE, &milestones::TABLE, &users::TABLE],
    readers: &[
        Reader {
            name: "graphql",
            source: Source::Graphql { document: &ISSUES_QUERY, connection: "issues" },
            read: graphql::read,
            sample: include_str!("../samples/issues.graphql.json"),
        },
        Reader {
            name: "rest",
            source: Source::Rest {
                path: "projects/{project}/issues",
                params: &[("state", "all"), ("scope", "all"), ("with_labels_details", "true")],
            },
            read: rest::read,
            sample: include_str!("../samples/issues.rest.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/issues/#list-project-issues",
};

/// Where issues are stored.
pub static TABLE: Table =
    Table { name: "gitlab_issues", key: &["project_id", "id"], version: Some("updated_at"), fill: &[] };

/// Labels on issues.
pub static LABELS_TABLE: Table = Table {
    name: "gitlab_issue_labels",
    key: &["project_id", "issue_id", "label_id"],
    version: None,
    fill: &[],
};

/// Assignees of issues.
pub static ASSIGNEES_TABLE: Table = Table {
    name: "gitlab_issue_assignees",
    key: &["project_id", "issue_id", "user_id"],
    version: None,
    fill: &[],
};

/// What the texts of issues name.
pub static LINKS_TABLE: Table = Table {
    name: "gitlab_issue_links",
    key: &["project_id", "issue_id", "kind", "target"],
    version: None,
    fill: &[],
};

/// The columns that name an issue in the tables below it.
pub const PARENT: &[&str] = &["project_id", "issue_id"];

row! {
    /// What GraphQL tells.
    IssueRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, iid: i64, title: &'a str, state: &'a str, r#type: Option<&'a str>,
        severity: Option<&'a str>, confidential: Option<bool>, user_id: Option<i64>, milestone_id: Option<i64>,
        created_at: DateTime<Utc>, updated_at: DateTime<Utc>, closed_at: Option<DateTime<Utc>>,
        due_date: Option<NaiveDate>,
    }
}

row! {
    /// What REST tells: who closed it, too.
    RestRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, iid: i64, title: &'a str, state: &'a str, r#type: Option<&'a str>,
        severity: Option<&'a str>, confidential: Option<bool>, user_id: Option<i64>, milestone_id: Option<i64>,
        created_at: DateTime<Utc>, updated_at: DateTime<Utc>, closed_at: Option<DateTime<Utc>>,
        due_date: Option<NaiveDate>, closed_by_user_id: Option<i64>,
    }
}

row! {
    /// The text, where it is kept.
    TextRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, iid: i64, title: &'a str, state: &'a str,
        created_at: DateTime<Utc>, updated_at: DateTime<Utc>, description: Option<&'a str>,
    }
}

row! { LabelLinkRow<'a> in LABELS_TABLE { project_id: i64, issue_id: i64, label_id: i64, name: &'a str } }

row! { AssigneeRow in ASSIGNEES_TABLE { project_id: i64, issue_id: i64, user_id: i64 } }

row! {
    LinkRow<'a> in LINKS_TABLE {
        project_id: i64, issue_id: i64, kind: &'static str, target: &'a str, target_project_id: Option<i64>,
        target_project_path: Option<&'a str>, target_iid: Option<i64>, host: Option<&'a str>,
    }
}

/// How bad an incident is, in lower case. GitLab calls everything else unknown.
fn severity(r#type: Option<&str>, severity: Option<&str>) -> Option<String> {
    severity.filter(|_| r#type == Some("incident")).map(str::to_lowercase)
}

/// Keeps the text, where that is asked for.
fn keep_text(
    below: &Origin,
    (iid, title, state): (i64, &str, &str),
    (created_at, updated_at): (DateTime<Utc>, DateTime<Utc>),
    description: Option<&str>,
    out: &mut Rows,
) {
    if below.keep_bodies {
        let (project_id, id, source_id) = (below.project_id(), below.issue_id(), below.issue);
        out.push(&TextRow {
            project_id,
            id,
            source_id,
            iid,
            title,
            state,
            created_at,
            updated_at,
            description,
        });
    }
}

/// Keeps what title and description name.
fn store_links(below: &Origin, place: &Place, texts: [Option<&str>; 2], out: &mut Rows) {
    let (project_id, issue_id) = (below.project_id(), below.issue_id());
    for link in links::of(texts.into_iter().flatten(), place) {
        let target = link.target();
        let row = LinkRow {
            project_id,
            issue_id,
            kind: link.kind(),
            target: &target,
            target_project_id: None,
            target_project_path: None,
            target_iid: None,
            host: None,
        };
        out.push(&match &link {
            Link::Reference { path: None, iid, .. } => {
                LinkRow { target_project_id: Some(project_id), target_iid: Some(*iid), ..row }
            }
            Link::Reference { path, iid, .. } => {
                LinkRow { target_project_path: path.as_deref(), target_iid: Some(*iid), ..row }
            }
            Link::Url { host, .. } => LinkRow { host: Some(host), ..row },
            Link::Key(_) => row,
        });
    }
    out.complete(&LINKS_TABLE, PARENT, &[project_id, issue_id]);
}
