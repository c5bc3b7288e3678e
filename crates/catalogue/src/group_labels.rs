//! Which group owns a label. A project's listing of labels does not say it; the group's own listing does:
//! <https://docs.gitlab.com/api/group_labels/>.

use serde::Deserialize;

use crate::details::GROUP_DETAILS;
use crate::gid::Gid;
use crate::row::row;
use crate::{Connector, Cursor, Origin, Reader, Resource, Rows, Scope, Source, Table};

/// Owners of group labels.
pub static GROUP_LABELS: Resource = Resource {
    name: "group_labels",
    connector: Connector::Gitlab,
    scope: Scope::Group,
    cursor: Cursor::Complete,
    tables: &[&TABLE],
    readers: &[
        Reader {
            name: "rest",
            source: Source::Rest {
                path: "groups/{group}/labels",
                params: &[("only_group_labels", "true"), ("include_ancestor_groups", "false")],
            },
            read: from_rest,
            sample: include_str!("../samples/group_labels.rest.json"),
        },
        Reader {
            name: "graphql",
            source: Source::Graphql { document: &GROUP_DETAILS, connection: "labels" },
            read: from_graphql,
            sample: include_str!("../samples/group_labels.graphql.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/group_labels/",
};

/// Weir's own table of owners; `gitlab_labels.group_id` is filled from it.
pub static TABLE: Table =
    Table { name: "weir.group_labels", key: &["group_id", "label_id"], version: None, fill: &[] };

row! { GroupLabelRow in TABLE { group_id: i64, label_id: i64 } }

#[derive(Deserialize)]
struct RestLabel {
    id: i64,
}

#[derive(Deserialize)]
struct GraphqlLabel {
    id: Gid,
}

fn from_rest(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let label: RestLabel = serde_json::from_str(element)?;
    store(origin, label.id, out);
    Ok(())
}

fn from_graphql(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let label: GraphqlLabel = serde_json::from_str(element)?;
    if label.id.kind == "GroupLabel" {
        store(origin, label.id.id, out);
    }
    Ok(())
}

fn store(origin: &Origin, label: i64, out: &mut Rows) {
    out.push(&GroupLabelRow { group_id: origin.group_id(), label_id: origin.id(label) });
}
