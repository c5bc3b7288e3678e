//! Direct members of groups and of projects: <https://docs.gitlab.com/api/members/>.
//!
//! Memberships carry no time of change and leave no trace when they end, so the listing is read whole every time.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use crate::details::{GROUP_DETAILS, PROJECT_DETAILS};
use crate::row::row;
use crate::users::{UserBasic, UserCore};
use crate::{Connector, Cursor, Origin, Reader, Resource, Rows, Scope, Source, Table, users};

/// Members of groups.
pub static GROUP_MEMBERS: Resource = Resource {
    name: "group_members",
    connector: Connector::Gitlab,
    scope: Scope::Group,
    cursor: Cursor::Complete,
    tables: &[&GROUP_TABLE, &users::TABLE],
    readers: &[
        Reader {
            name: "rest",
            source: Source::Rest { path: "groups/{group}/members", params: &[] },
            read: group_from_rest,
            sample: include_str!("../samples/group_members.rest.json"),
        },
        Reader {
            name: "graphql",
            source: Source::Graphql { document: &GROUP_DETAILS, connection: "groupMembers" },
            read: group_from_graphql,
            sample: include_str!("../samples/group_members.graphql.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/members/",
};

/// Members of projects.
pub static PROJECT_MEMBERS: Resource = Resource {
    name: "project_members",
    connector: Connector::Gitlab,
    scope: Scope::Project,
    cursor: Cursor::Complete,
    tables: &[&PROJECT_TABLE, &users::TABLE],
    readers: &[
        Reader {
            name: "rest",
            source: Source::Rest { path: "projects/{project}/members", params: &[] },
            read: project_from_rest,
            sample: include_str!("../samples/project_members.rest.json"),
        },
        Reader {
            name: "graphql",
            source: Source::Graphql { document: &PROJECT_DETAILS, connection: "projectMembers" },
            read: project_from_graphql,
            sample: include_str!("../samples/project_members.graphql.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/members/",
};

/// Where members of groups are stored.
pub static GROUP_TABLE: Table =
    Table { name: "gitlab_group_members", key: &["group_id", "user_id"], version: None, fill: &[] };

/// Where members of projects are stored.
pub static PROJECT_TABLE: Table =
    Table { name: "gitlab_project_members", key: &["project_id", "user_id"], version: None, fill: &[] };

row! {
    GroupMemberRow in GROUP_TABLE {
        group_id: i64, user_id: i64, access_level: i64, created_at: Option<DateTime<Utc>>, expires_at: Option<NaiveDate>,
    }
}

row! {
    ProjectMemberRow in PROJECT_TABLE {
        project_id: i64, user_id: i64, access_level: i64, created_at: Option<DateTime<Utc>>, expires_at: Option<NaiveDate>,
    }
}

#[derive(Deserialize)]
struct RestMember<'a> {
    #[serde(borrow, flatten)]
    user: UserBasic<'a>,
    access_level: i64,
    #[serde(default)]
    created_at: Option<DateTime<Utc>>,
    /// A day; some recordings hold a whole time.
    #[serde(borrow, default)]
    expires_at: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphqlMember<'a> {
    /// Null for an invitation that nobody has accepted.
    #[serde(borrow)]
    user: Option<UserCore<'a>>,
    access_level: AccessLevel,
    created_at: Option<DateTime<Utc>>,
    /// A day, although the schema calls it a time.
    #[serde(borrow)]
    expires_at: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccessLevel {
    integer_value: i64,
}

/// A membership, whichever way it was read.
struct Member {
    user_id: i64,
    access_level: i64,
    created_at: Option<DateTime<Utc>>,
    expires_at: Option<NaiveDate>,
}

fn rest(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<Member> {
    let member: RestMember = serde_json::from_str(element)?;
    let expires_at = member.expires_at.as_deref().map(day).transpose()?;
    let user_id = member.user.store(origin, out);
    Ok(Member { user_id, access_level: member.access_level, created_at: member.created_at, expires_at })
}

fn graphql(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<Option<Member>> {
    let member: GraphqlMember = serde_json::from_str(element)?;
    let expires_at = member.expires_at.as_deref().map(day).transpose()?;
    Ok(member.user.map(|user| Member {
        user_id: user.store(origin, out),
        access_level: member.access_level.integer_value,
        created_at: member.created_at,
        expires_at,
    }))
}

/// The day of `2026-01-31` or of `2026-01-31T00:00:00Z`.
pub(crate) fn day(text: &str) -> serde_json::Result<NaiveDate> {
    let first = text.get(..10).unwrap_or(text);
    let wrong = |_| serde::de::Error::custom(format!("{text:?} is not a day"));
    NaiveDate::parse_from_str(first, "%Y-%m-%d").map_err(wrong)
}

fn group_from_rest(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let member = rest(origin, element, out)?;
    out.push(&group_row(origin, &member));
    Ok(())
}

fn group_from_graphql(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    if let Some(member) = graphql(origin, element, out)? {
        out.push(&group_row(origin, &member));
    }
    Ok(())
}

fn project_from_rest(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let member = rest(origin, element, out)?;
    out.push(&project_row(origin, &member));
    Ok(())
}

fn project_from_graphql(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    if let Some(member) = graphql(origin, element, out)? {
        out.push(&project_row(origin, &member));
    }
    Ok(())
}

fn group_row(origin: &Origin, member: &Member) -> GroupMemberRow {
    let Member { user_id, access_level, created_at, expires_at } = *member;
    GroupMemberRow { group_id: origin.group_id(), user_id, access_level, created_at, expires_at }
}

fn project_row(origin: &Origin, member: &Member) -> ProjectMemberRow {
    let Member { user_id, access_level, created_at, expires_at } = *member;
    ProjectMemberRow { project_id: origin.project_id(), user_id, access_level, created_at, expires_at }
}
