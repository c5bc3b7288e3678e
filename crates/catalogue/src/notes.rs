//! Comments and system notes of merge requests: <https://docs.gitlab.com/api/discussions/#merge-requests>.
//!
//! Texts are read, because the action of a system note stands nowhere else in REST, but kept only where asked for.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::gid::{Gid, Only, split};
use crate::merge_requests::{LIST_QUERIES, PARENT};
use crate::row::row;
use crate::users::UserBasic;
use crate::{Connector, Cursor, Origin, Reader, Resource, Rows, Scope, Source, Table, action, users};

/// Notes.
pub static NOTES: Resource = Resource {
    name: "notes",
    connector: Connector::Gitlab,
    scope: Scope::MergeRequest,
    cursor: Cursor::Parent,
    tables: &[&TABLE, &users::TABLE],
    readers: &[
        Reader {
            name: "rest",
            source: Source::Rest { path: "projects/{project}/merge_requests/{iid}/discussions", params: &[] },
            read: from_discussion,
            sample: include_str!("../samples/notes.rest.json"),
        },
        Reader {
            name: "graphql",
            source: Source::Graphql { document: &LIST_QUERIES[0].1, connection: "notes" },
            read: from_graphql,
            sample: include_str!("../samples/notes.graphql.json"),
        },
        // Where discussions are not to be had; notes then lack their thread.
        Reader {
            name: "rest_flat",
            source: Source::Rest {
                path: "projects/{project}/merge_requests/{iid}/notes",
                params: &[("sort", "asc"), ("order_by", "created_at")],
            },
            read: from_note,
            sample: include_str!("../samples/notes.rest_flat.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/discussions/#merge-requests",
};

/// Where notes are stored.
pub static TABLE: Table = Table {
    name: "gitlab_merge_request_notes",
    key: &["project_id", "id"],
    version: Some("updated_at"),
    fill: &["action", "internal"],
};

row! {
    NoteRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, merge_request_id: i64, user_id: Option<i64>, system: bool,
        action: Option<&'a str>, r#type: Option<&'a str>, discussion_id: &'a str, resolved: Option<bool>,
        internal: Option<bool>, created_at: DateTime<Utc>, updated_at: DateTime<Utc>,
    }
}

row! {
    FlatRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, merge_request_id: i64, user_id: Option<i64>, system: bool,
        action: Option<&'a str>, r#type: Option<&'a str>, resolved: Option<bool>,
        internal: Option<bool>, created_at: DateTime<Utc>, updated_at: DateTime<Utc>,
    }
}

row! {
    /// The text of a note, written beside it where texts are kept.
    BodyRow<'a> in TABLE {
        project_id: i64, id: i64, source_id: i64, merge_request_id: i64, system: bool, created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>, body: &'a str,
    }
}

#[derive(Deserialize)]
struct Discussion<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    notes: Vec<RestNote<'a>>,
}

#[derive(Deserialize)]
struct RestNote<'a> {
    id: i64,
    #[serde(borrow, default)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    body: Cow<'a, str>,
    #[serde(borrow, default)]
    author: Option<UserBasic<'a>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    system: bool,
    #[serde(default)]
    resolvable: bool,
    #[serde(default)]
    resolved: Option<bool>,
    #[serde(default)]
    internal: Option<bool>,
    /// The name of `internal` before GitLab 15.
    #[serde(default)]
    confidential: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphqlNote<'a> {
    id: Gid,
    #[serde(borrow)]
    body: Cow<'a, str>,
    author: Option<Only>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    system: bool,
    resolvable: bool,
    resolved: bool,
    #[serde(default)]
    internal: Option<bool>,
    #[serde(borrow)]
    discussion: Option<DiscussionId<'a>>,
    #[serde(borrow, default)]
    system_note_metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct DiscussionId<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    action: Option<Cow<'a, str>>,
}

impl RestNote<'_> {
    fn store(&self, below: &Origin, discussion: Option<&str>, out: &mut Rows) {
        let user_id = self.author.as_ref().map(|it| it.store(below, out));
        let (project_id, merge_request_id) = (below.project_id(), below.merge_request_id());
        let (id, source_id, system) = (below.id(self.id), self.id, self.system);
        let (created_at, updated_at) = (self.created_at, self.updated_at);
        let action = self.system.then(|| action::from_text(&self.body)).flatten();
        let r#type = self.r#type.as_deref();
        let resolved = self.resolvable.then_some(self.resolved.unwrap_or(false));
        let internal = self.internal.or(self.confidential);
        match discussion {
            Some(discussion_id) => out.push(&NoteRow {
                project_id,
                id,
                source_id,
                merge_request_id,
                user_id,
                system,
                action,
                r#type,
                discussion_id,
                resolved,
                internal,
                created_at,
                updated_at,
            }),
            None => out.push(&FlatRow {
                project_id,
                id,
                source_id,
                merge_request_id,
                user_id,
                system,
                action,
                r#type,
                resolved,
                internal,
                created_at,
                updated_at,
            }),
        }
        keep_body(below, self.id, system, (created_at, updated_at), &self.body, out);
    }
}

fn keep_body(
    below: &Origin,
    note: i64,
    system: bool,
    (created_at, updated_at): (DateTime<Utc>, DateTime<Utc>),
    body: &str,
    out: &mut Rows,
) {
    if below.keep_bodies {
        let (project_id, merge_request_id) = (below.project_id(), below.merge_request_id());
        let id = below.id(note);
        out.push(&BodyRow {
            project_id,
            id,
            source_id: note,
            merge_request_id,
            system,
            created_at,
            updated_at,
            body,
        });
    }
}

fn from_discussion(below: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let discussion: Discussion = serde_json::from_str(element)?;
    for note in &discussion.notes {
        note.store(below, Some(&discussion.id), out);
    }
    Ok(())
}

fn from_note(below: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    serde_json::from_str::<RestNote>(element)?.store(below, None, out);
    Ok(())
}

pub(crate) fn from_graphql(below: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let note: GraphqlNote = serde_json::from_str(element)?;
    let user_id = note.author.as_ref().map(|it| users::stub(below, &it.id, out));
    let discussion = note.discussion.as_ref().and_then(|it| split(&it.id)).map(|(_, id)| id);
    let metadata = note.system_note_metadata.as_ref().and_then(|it| it.action.as_deref());
    let action = if note.system { action::from_text(&note.body).or(metadata) } else { None };
    out.push(&NoteRow {
        project_id: below.project_id(),
        id: below.id(note.id.id),
        source_id: note.id.id,
        merge_request_id: below.merge_request_id(),
        user_id,
        system: note.system,
        action,
        r#type: Some(note.id.kind.as_str()).filter(|it| *it != "Note"),
        discussion_id: discussion.unwrap_or_default(),
        resolved: note.resolvable.then_some(note.resolved),
        internal: note.internal,
        created_at: note.created_at,
        updated_at: note.updated_at,
    });
    keep_body(below, note.id.id, note.system, (note.created_at, note.updated_at), &note.body, out);
    Ok(())
}

/// Columns that name the parent of a note.
pub const NOTE_PARENT: &[&str] = PARENT;
