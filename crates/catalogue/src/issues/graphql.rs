//! An issue as GraphQL answers it.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{AssigneeRow, IssueRow, LabelLinkRow, PARENT, Place, keep_text, severity, store_links};
use crate::gid::{Gid, Only};
use crate::members::day;
use crate::merge_requests::AttachedLabel;
use crate::{Connection, Document, List, Origin, Pending, Rows, users};

/// A page of a project's issues.
pub static ISSUES_QUERY: Document = Document { name: "issues", text: include_str!("issues.graphql") };

/// How many issues of a project GitLab last changed within a window of time.
pub static COUNT_ISSUES_QUERY: Document =
    Document { name: "countIssues", text: include_str!("count_issues.graphql") };

/// One list of one issue, for lists that did not fit into the page.
pub static LIST_QUERIES: [(List, Document); 2] = [
    (List::IssueLabels, Document { name: "issueLabels", text: include_str!("list_labels.graphql") }),
    (List::IssueAssignees, Document { name: "issueAssignees", text: include_str!("list_assignees.graphql") }),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issue<'a> {
    id: Gid,
    #[serde(borrow)]
    iid: Cow<'a, str>,
    #[serde(borrow)]
    title: Cow<'a, str>,
    #[serde(borrow, default)]
    description: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state: Cow<'a, str>,
    #[serde(borrow, default)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    severity: Option<Cow<'a, str>>,
    confidential: bool,
    author: Option<Only>,
    milestone: Option<Only>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
    /// A day, although the schema calls it a time.
    #[serde(borrow)]
    due_date: Option<Cow<'a, str>>,
    #[serde(borrow)]
    web_url: Cow<'a, str>,
    #[serde(borrow)]
    reference: Cow<'a, str>,
    #[serde(borrow)]
    labels: Option<Connection<'a>>,
    #[serde(borrow)]
    assignees: Option<Connection<'a>>,
}

pub(super) fn read(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let it: Issue = serde_json::from_str(element)?;
    let iid = it.iid.parse().map_err(serde::de::Error::custom)?;
    let below = origin.issue(it.id.id);
    write_row(&below, &it, iid, out)?;
    let place = Place::of(&it.web_url, &it.reference);
    store_links(&below, &place, [Some(&it.title), it.description.as_deref()], out);
    write_list(List::IssueLabels, &below, iid, it.labels.as_ref(), out)?;
    write_list(List::IssueAssignees, &below, iid, it.assignees.as_ref(), out)
}

fn write_row(below: &Origin, it: &Issue, iid: i64, out: &mut Rows) -> serde_json::Result<()> {
    let r#type = it.r#type.as_deref().map(str::to_lowercase);
    let severity = severity(r#type.as_deref(), it.severity.as_deref());
    let user_id = it.author.as_ref().map(|user| users::stub(below, &user.id, out));
    out.push(&IssueRow {
        project_id: below.project_id(),
        id: below.issue_id(),
        source_id: it.id.id,
        iid,
        title: &it.title,
        state: &it.state,
        r#type: r#type.as_deref(),
        severity: severity.as_deref(),
        confidential: Some(it.confidential),
        user_id,
        milestone_id: it.milestone.as_ref().map(|milestone| below.id(milestone.id.id)),
        created_at: it.created_at,
        updated_at: it.updated_at,
        closed_at: it.closed_at,
        due_date: it.due_date.as_deref().map(day).transpose()?,
    });
    let times = (it.created_at, it.updated_at);
    keep_text(below, (iid, &it.title, &it.state), times, it.description.as_deref(), out);
    Ok(())
}

/// A list that did not fit, or was not answered, stays open: it is read whole by requests of its own.
fn write_list(
    list: List,
    below: &Origin,
    iid: i64,
    connection: Option<&Connection>,
    out: &mut Rows,
) -> serde_json::Result<()> {
    for node in connection.iter().flat_map(|it| &it.nodes) {
        list.read_node(below, node.get(), out)?;
    }
    if connection.is_none_or(|it| it.page_info.has_next_page) {
        out.pending.push(Pending { list, project: below.project, parent: below.issue, iid });
    } else {
        out.complete(list.table(), PARENT, &[below.project_id(), below.issue_id()]);
    }
    Ok(())
}

pub(crate) fn label(below: &Origin, node: &str, out: &mut Rows) -> serde_json::Result<()> {
    let label: AttachedLabel = serde_json::from_str(node)?;
    out.push(&LabelLinkRow {
        project_id: below.project_id(),
        issue_id: below.issue_id(),
        label_id: below.id(label.id.id),
        name: &label.title,
    });
    Ok(())
}

pub(crate) fn assignee(below: &Origin, node: &str, out: &mut Rows) -> serde_json::Result<()> {
    let user: Only = serde_json::from_str(node)?;
    let user_id = users::stub(below, &user.id, out);
    out.push(&AssigneeRow { project_id: below.project_id(), issue_id: below.issue_id(), user_id });
    Ok(())
}
