//! Labels a project can use, its own and its groups': <https://docs.gitlab.com/api/labels/>.
//!
//! Labels carry no time at all in REST, so the listing is read whole every time.

use std::borrow::Cow;

use serde::Deserialize;

use crate::details::PROJECT_DETAILS;
use crate::gid::Gid;
use crate::row::row;
use crate::{Connector, Cursor, Origin, Reader, Resource, Rows, Scope, Source, Table};

/// Labels.
pub static LABELS: Resource = Resource {
    name: "labels",
    connector: Connector::Gitlab,
    scope: Scope::Project,
    cursor: Cursor::Complete,
    tables: &[&TABLE],
    readers: &[
        Reader {
            name: "rest",
            source: Source::Rest {
                path: "projects/{project}/labels",
                params: &[("include_ancestor_groups", "true")],
            },
            read: from_rest,
            sample: include_str!("../samples/labels.rest.json"),
        },
        Reader {
            name: "graphql",
            source: Source::Graphql { document: &PROJECT_DETAILS, connection: "labels" },
            read: from_graphql,
            sample: include_str!("../samples/labels.graphql.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/labels/",
};

/// Where labels are stored.
pub static TABLE: Table =
    Table { name: "gitlab_labels", key: &["project_id", "id"], version: None, fill: &[] };

row! {
    LabelRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, is_project_label: bool,
        name: &'a str, color: Option<&'a str>, description: Option<&'a str>,
    }
}

#[derive(Deserialize)]
struct RestLabel<'a> {
    id: i64,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    color: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    description: Option<Cow<'a, str>>,
    is_project_label: bool,
}

#[derive(Deserialize)]
struct GraphqlLabel<'a> {
    id: Gid,
    #[serde(borrow)]
    title: Cow<'a, str>,
    #[serde(borrow, default)]
    color: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    description: Option<Cow<'a, str>>,
}

fn from_rest(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let label: RestLabel = serde_json::from_str(element)?;
    out.push(&LabelRow {
        project_id: origin.project_id(),
        id: origin.id(label.id),
        source_id: label.id,
        is_project_label: label.is_project_label,
        name: &label.name,
        color: label.color.as_deref(),
        description: label.description.as_deref(),
    });
    Ok(())
}

fn from_graphql(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let label: GraphqlLabel = serde_json::from_str(element)?;
    out.push(&LabelRow {
        project_id: origin.project_id(),
        id: origin.id(label.id.id),
        source_id: label.id.id,
        is_project_label: label.id.kind == "ProjectLabel",
        name: &label.title,
        color: label.color.as_deref(),
        description: label.description.as_deref(),
    });
    Ok(())
}
