//! Groups and subgroups: <https://docs.gitlab.com/api/groups/#list-groups>.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::row::row;
use crate::{Connector, Cursor, Origin, Reader, Resource, Rows, Scope, Source, Table};

/// Groups.
pub static GROUPS: Resource = Resource {
    name: "groups",
    connector: Connector::Gitlab,
    scope: Scope::Instance,
    cursor: Cursor::Complete,
    tables: &[&TABLE],
    readers: &[Reader {
        name: "rest",
        // Without a level GitLab lists public groups of strangers too.
        source: Source::Rest { path: "groups", params: &[("min_access_level", "10"), ("order_by", "id")] },
        read: from_rest,
        sample: include_str!("../samples/groups.rest.json"),
    }],
    documentation: "https://docs.gitlab.com/api/groups/#list-groups",
};

/// Where groups are stored.
pub static TABLE: Table = Table { name: "gitlab_groups", key: &["id"], version: None, fill: &[] };

row! {
    GroupRow<'a> in TABLE {
        id: i64, source_id: i64, parent_id: Option<i64>, name: &'a str, path: &'a str, full_path: &'a str,
        visibility: Option<&'a str>, created_at: Option<DateTime<Utc>>,
    }
}

#[derive(Deserialize)]
struct Group<'a> {
    id: i64,
    parent_id: Option<i64>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow)]
    full_path: Cow<'a, str>,
    #[serde(borrow, default)]
    visibility: Option<Cow<'a, str>>,
    #[serde(default)]
    created_at: Option<DateTime<Utc>>,
}

fn from_rest(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let group: Group = serde_json::from_str(element)?;
    out.push(&GroupRow {
        id: origin.id(group.id),
        source_id: group.id,
        parent_id: group.parent_id.map(|it| origin.id(it)),
        name: &group.name,
        path: &group.path,
        full_path: &group.full_path,
        visibility: group.visibility.as_deref(),
        created_at: group.created_at,
    });
    Ok(())
}
