//! An issue as REST lists it, with all its labels and assignees.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{
    ASSIGNEES_TABLE, AssigneeRow, LABELS_TABLE, LabelLinkRow, PARENT, Place, RestRow, keep_text, severity,
    store_links,
};
use crate::members::day;
use crate::merge_requests::RestLabel;
use crate::milestones::RestMilestone;
use crate::users::UserBasic;
use crate::{Origin, Rows};

#[derive(Deserialize)]
struct Issue<'a> {
    id: i64,
    iid: i64,
    #[serde(borrow)]
    title: Cow<'a, str>,
    #[serde(borrow, default)]
    description: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state: Cow<'a, str>,
    /// Not in GitLab before 13.
    #[serde(borrow, default)]
    issue_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    severity: Option<Cow<'a, str>>,
    #[serde(default)]
    confidential: Option<bool>,
    #[serde(borrow, default)]
    author: Option<UserBasic<'a>>,
    #[serde(borrow, default)]
    assignees: Vec<UserBasic<'a>>,
    #[serde(borrow, default)]
    closed_by: Option<UserBasic<'a>>,
    #[serde(borrow, default)]
    milestone: Option<RestMilestone<'a>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[serde(default)]
    closed_at: Option<DateTime<Utc>>,
    #[serde(borrow, default)]
    due_date: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    labels: Vec<RestLabel<'a>>,
    #[serde(borrow, default)]
    web_url: Option<Cow<'a, str>>,
    /// Not in GitLab before 12.7.
    #[serde(borrow, default)]
    references: Option<References<'a>>,
}

#[derive(Deserialize)]
struct References<'a> {
    #[serde(borrow)]
    full: Cow<'a, str>,
}

pub(super) fn read(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let it: Issue = serde_json::from_str(element)?;
    let below = origin.issue(it.id);
    write_row(&below, &it, out)?;
    write_labels(&below, &it.labels, out);
    let (project_id, issue_id) = (below.project_id(), below.issue_id());
    for assignee in &it.assignees {
        let user_id = assignee.store(origin, out);
        out.push(&AssigneeRow { project_id, issue_id, user_id });
    }
    out.complete(&ASSIGNEES_TABLE, PARENT, &[project_id, issue_id]);
    let place = match (&it.web_url, &it.references) {
        (Some(web_url), Some(references)) => Place::of(web_url, &references.full),
        _ => Place::default(),
    };
    store_links(&below, &place, [Some(&it.title), it.description.as_deref()], out);
    Ok(())
}

fn write_row(below: &Origin, it: &Issue, out: &mut Rows) -> serde_json::Result<()> {
    let r#type = it.issue_type.as_deref();
    let severity = severity(r#type, it.severity.as_deref());
    let user_id = it.author.as_ref().map(|user| user.store(below, out));
    let closed_by_user_id = it.closed_by.as_ref().map(|user| user.store(below, out));
    let milestone_id = it.milestone.as_ref().map(|milestone| milestone.store(below, out)).transpose()?;
    out.push(&RestRow {
        project_id: below.project_id(),
        id: below.issue_id(),
        source_id: it.id,
        iid: it.iid,
        title: &it.title,
        state: &it.state,
        r#type,
        severity: severity.as_deref(),
        confidential: it.confidential,
        user_id,
        milestone_id,
        created_at: it.created_at,
        updated_at: it.updated_at,
        closed_at: it.closed_at,
        due_date: it.due_date.as_deref().map(day).transpose()?,
        closed_by_user_id,
    });
    let times = (it.created_at, it.updated_at);
    keep_text(below, (it.iid, &it.title, &it.state), times, it.description.as_deref(), out);
    Ok(())
}

/// Bare names say nothing about ids: they are matched with the project's labels when they are written.
fn write_labels(below: &Origin, labels: &[RestLabel], out: &mut Rows) {
    let (project_id, issue_id) = (below.project_id(), below.issue_id());
    let mut detailed = true;
    for label in labels {
        match label {
            RestLabel::Detailed { id, name } => {
                out.push(&LabelLinkRow { project_id, issue_id, label_id: below.id(*id), name });
            }
            RestLabel::Name(name) => {
                detailed = false;
                out.named_issue_labels.push((project_id, issue_id, name.to_string()));
            }
        }
    }
    if detailed {
        out.complete(&LABELS_TABLE, PARENT, &[project_id, issue_id]);
    }
}
