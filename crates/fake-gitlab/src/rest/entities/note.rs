//! Notes.

use serde::Serialize;
use serde_json::{Value, json};

use super::Millis;
use super::user::UserBasic;
use crate::world::hash::{hex40, kind};
use crate::world::model::{Id, MergeRequest, Note, NoteType, World};

/// A note.
#[derive(Debug, Serialize)]
pub struct NoteView<'a> {
    id: Id,
    #[serde(rename = "type")]
    note_type: Option<&'static str>,
    body: &'a str,
    attachment: Option<&'static str>,
    author: Option<UserBasic<'a>>,
    created_at: Millis,
    updated_at: Millis,
    system: bool,
    noteable_id: Id,
    noteable_type: &'static str,
    project_id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit_id: Option<Option<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<Value>,
    resolvable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_by: Option<Option<UserBasic<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_at: Option<Option<Millis>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestions: Option<[u8; 0]>,
    confidential: bool,
    internal: bool,
    imported: bool,
    imported_from: &'static str,
    noteable_iid: i64,
    commands_changes: Empty,
}

#[derive(Debug, Serialize)]
struct Empty {}

/// The type in GitLab's words; none for a plain note.
pub fn note_type(note_type: NoteType) -> Option<&'static str> {
    match note_type {
        NoteType::Plain => None,
        NoteType::DiffNote => Some("DiffNote"),
        NoteType::DiscussionNote => Some("DiscussionNote"),
    }
}

/// Renders a note of a merge request.
pub fn note<'a>(world: &'a World, mr: &MergeRequest, note: &'a Note) -> NoteView<'a> {
    let diff = note.note_type == NoteType::DiffNote;
    let resolver = note.resolved.then(|| UserBasic::of(world, mr.author_id)).flatten();
    NoteView {
        id: note.id,
        note_type: note_type(note.note_type),
        body: &note.body,
        attachment: None,
        author: UserBasic::of(world, note.author_id),
        created_at: Millis(note.created_at),
        updated_at: Millis(note.updated_at),
        system: note.system,
        noteable_id: mr.id,
        noteable_type: "MergeRequest",
        project_id: mr.project_id,
        commit_id: diff.then_some(None),
        position: diff.then(|| position(mr, note)),
        resolvable: note.resolvable,
        resolved: note.resolvable.then_some(note.resolved),
        resolved_by: note.resolvable.then_some(resolver),
        resolved_at: note.resolvable.then_some(note.resolved.then_some(Millis(note.updated_at))),
        suggestions: diff.then_some([]),
        confidential: note.internal,
        internal: note.internal,
        imported: false,
        imported_from: "none",
        noteable_iid: mr.iid,
        commands_changes: Empty {},
    }
}

fn position(mr: &MergeRequest, note: &Note) -> Value {
    let base = hex40(kind::BASE, mr.id as u64);
    json!({
        "base_sha": base,
        "start_sha": base,
        "head_sha": hex40(kind::HEAD, mr.id as u64),
        "old_path": "src/main.rs",
        "new_path": "src/main.rs",
        "position_type": "text",
        "old_line": null,
        "new_line": 1 + note.id % 200,
        "line_range": null,
    })
}
