//! Milestones a project can use, its own and its groups': <https://docs.gitlab.com/api/milestones/>.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use crate::details::PROJECT_DETAILS;
use crate::gid::{Gid, Only};
use crate::members::day;
use crate::row::row;
use crate::{Connector, Cursor, Origin, Reader, Resource, Rows, Scope, Source, Table};

/// Milestones.
pub static MILESTONES: Resource = Resource {
    name: "milestones",
    connector: Connector::Gitlab,
    scope: Scope::Project,
    cursor: Cursor::Complete,
    tables: &[&TABLE],
    readers: &[
        Reader {
            name: "rest",
            source: Source::Rest {
                path: "projects/{project}/milestones",
                params: &[("include_ancestors", "true")],
            },
            read: from_rest,
            sample: include_str!("../samples/milestones.rest.json"),
        },
        Reader {
            name: "graphql",
            source: Source::Graphql { document: &PROJECT_DETAILS, connection: "milestones" },
            read: from_graphql,
            sample: include_str!("../samples/milestones.graphql.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/milestones/",
};

/// Where milestones are stored.
pub static TABLE: Table =
    Table { name: "gitlab_milestones", key: &["project_id", "id"], version: Some("updated_at"), fill: &[] };

row! {
    MilestoneRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, iid: i64, group_id: Option<i64>, title: &'a str, state: &'a str,
        start_date: Option<NaiveDate>, due_date: Option<NaiveDate>,
        created_at: DateTime<Utc>, updated_at: DateTime<Utc>,
    }
}

/// REST's milestone, alone or inside a merge request.
#[derive(Deserialize)]
pub(crate) struct RestMilestone<'a> {
    pub(crate) id: i64,
    iid: i64,
    #[serde(default)]
    group_id: Option<i64>,
    #[serde(borrow)]
    title: Cow<'a, str>,
    #[serde(borrow)]
    state: Cow<'a, str>,
    #[serde(borrow, default)]
    start_date: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    due_date: Option<Cow<'a, str>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphqlMilestone<'a> {
    id: Gid,
    #[serde(borrow)]
    iid: Cow<'a, str>,
    #[serde(default)]
    group: Option<Only>,
    group_milestone: bool,
    #[serde(borrow)]
    title: Cow<'a, str>,
    #[serde(borrow)]
    state: Cow<'a, str>,
    /// A day, although the schema calls it a time.
    #[serde(borrow)]
    start_date: Option<Cow<'a, str>>,
    #[serde(borrow)]
    due_date: Option<Cow<'a, str>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl RestMilestone<'_> {
    pub(crate) fn store(&self, origin: &Origin, out: &mut Rows) -> serde_json::Result<i64> {
        let id = origin.id(self.id);
        out.push(&MilestoneRow {
            project_id: origin.project_id(),
            id,
            source_id: self.id,
            iid: self.iid,
            group_id: self.group_id.map(|it| origin.id(it)),
            title: &self.title,
            state: &self.state,
            start_date: self.start_date.as_deref().map(day).transpose()?,
            due_date: self.due_date.as_deref().map(day).transpose()?,
            created_at: self.created_at,
            updated_at: self.updated_at,
        });
        Ok(id)
    }
}

fn from_rest(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    serde_json::from_str::<RestMilestone>(element)?.store(origin, out)?;
    Ok(())
}

fn from_graphql(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let milestone: GraphqlMilestone = serde_json::from_str(element)?;
    let group = milestone.group.filter(|_| milestone.group_milestone);
    out.push(&MilestoneRow {
        project_id: origin.project_id(),
        id: origin.id(milestone.id.id),
        source_id: milestone.id.id,
        iid: milestone.iid.parse().map_err(serde::de::Error::custom)?,
        group_id: group.map(|it| origin.id(it.id.id)),
        title: &milestone.title,
        state: &milestone.state,
        start_date: milestone.start_date.as_deref().map(day).transpose()?,
        due_date: milestone.due_date.as_deref().map(day).transpose()?,
        created_at: milestone.created_at,
        updated_at: milestone.updated_at,
    });
    Ok(())
}
