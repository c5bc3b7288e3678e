//! Environments, the places that a project deploys to: <https://docs.gitlab.com/api/environments/>.
//!
//! GraphQL answers them for one project in a request and no more, so REST, which does the same, is the only reader.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::row::row;
use crate::{Connector, Cursor, Origin, Reader, Resource, Rows, Scope, Source, Table};

/// Environments.
pub static ENVIRONMENTS: Resource = Resource {
    name: "environments",
    connector: Connector::GitlabDeployments,
    scope: Scope::Project,
    cursor: Cursor::Complete,
    tables: &[&TABLE],
    readers: &[Reader {
        name: "rest",
        source: Source::Rest { path: "projects/{project}/environments", params: &[] },
        read: from_rest,
        sample: include_str!("../samples/environments.rest.json"),
    }],
    documentation: "https://docs.gitlab.com/api/environments/",
};

/// Where environments are stored.
pub static TABLE: Table =
    Table { name: "gitlab_environments", key: &["project_id", "id"], version: Some("updated_at"), fill: &[] };

row! {
    EnvironmentRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, name: &'a str, slug: Option<&'a str>,
        external_url: Option<&'a str>, state: Option<&'a str>, tier: Option<&'a str>,
        created_at: Option<DateTime<Utc>>, updated_at: Option<DateTime<Utc>>,
    }
}

#[derive(Deserialize)]
struct Environment<'a> {
    id: i64,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    slug: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    external_url: Option<Cow<'a, str>>,
    /// Old versions do not tell what follows.
    #[serde(borrow, default)]
    state: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tier: Option<Cow<'a, str>>,
    #[serde(default)]
    created_at: Option<DateTime<Utc>>,
    #[serde(default)]
    updated_at: Option<DateTime<Utc>>,
}

fn from_rest(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let it: Environment = serde_json::from_str(element)?;
    out.push(&EnvironmentRow {
        project_id: origin.project_id(),
        id: origin.id(it.id),
        source_id: it.id,
        name: &it.name,
        slug: it.slug.as_deref(),
        external_url: it.external_url.as_deref(),
        state: it.state.as_deref(),
        tier: it.tier.as_deref(),
        created_at: it.created_at,
        updated_at: it.updated_at,
    });
    Ok(())
}
