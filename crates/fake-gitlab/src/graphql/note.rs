//! Notes and the discussions they form.

use std::collections::{BTreeMap, BTreeSet};

use super::connection::{self, Page};
use super::cursor::Cursor;
use super::executor::Run;
use super::index::micros;
use super::json::{self, Out};
use super::plan::Node;
use super::{merge_request, project, user};
use crate::world::model::{Id, MergeRequest, Note, NoteType, Time};

/// The notes people wrote, as GitLab counts them.
pub(super) fn user_notes<'a>(
    run: &Run<'a>,
    merge_request: &'a MergeRequest,
) -> impl Iterator<Item = &'a Note> + use<'a> {
    let notes = &run.world.notes;
    merge_request.note_ids.iter().filter_map(|id| notes.get(id)).filter(|it| !it.system)
}

/// How many threads have a note by a person that fits.
pub(super) fn discussion_count(run: &Run<'_>, it: &MergeRequest, fits: impl Fn(&Note) -> bool) -> i64 {
    let threads: BTreeSet<_> =
        user_notes(run, it).filter(|it| fits(it)).map(|it| &it.discussion_id).collect();
    threads.len() as i64
}

/// Notes the user may read, in the order they were made.
fn visible<'a>(run: &Run<'a>, it: &'a MergeRequest) -> Vec<(Cursor, &'a Note)> {
    let internal = run.sight.sees_internal_notes(it.project_id);
    let notes =
        it.note_ids.iter().filter_map(|id| run.world.notes.get(id)).filter(|it| internal || !it.internal);
    let mut all: Vec<_> = notes.map(|it| (Cursor { value: micros(it.created_at), id: it.id }, it)).collect();
    all.sort_unstable_by_key(|(cursor, _)| *cursor);
    all
}

/// Writes a merge request's notes by `created_at` and id.
pub(super) fn list(run: &Run<'_>, node: &Node, out: &mut Out, it: &MergeRequest) {
    let mut all = visible(run, it);
    match node.text("filter") {
        Some("ONLY_COMMENTS") => all.retain(|(_, note)| !note.system),
        Some("ONLY_ACTIVITY") => all.retain(|(_, note)| note.system),
        _ => {}
    }
    write_list(run, node, out, it, all);
}

fn write_list(run: &Run<'_>, node: &Node, out: &mut Out, of: &MergeRequest, all: Vec<(Cursor, &Note)>) {
    let count = all.len();
    let page = Page::cut(run, node, "created_at", all);
    connection::write(run, node, out, page, || count, |node, out, note| write(run, node, out, note, of));
}

/// Writes a note found by its number; null where there is none or it is out of sight.
pub(super) fn write_by_id(run: &Run<'_>, node: &Node, out: &mut Out, id: Option<Id>) {
    let note = id.and_then(|id| run.world.notes.get(&id));
    let of = note.and_then(|note| run.world.merge_requests.get(&note.merge_request_id));
    match note.zip(of).filter(|(note, of)| readable(run, note, of)) {
        Some((note, of)) => write(run, node, out, note, of),
        None => json::null(out),
    }
}

fn readable(run: &Run<'_>, note: &Note, of: &MergeRequest) -> bool {
    let project = of.project_id;
    let internal = !note.internal || run.sight.sees_internal_notes(project);
    internal && run.sight.sees_project(project) && run.sight.sees_merge_requests(project)
}

fn write(run: &Run<'_>, node: &Node, out: &mut Out, note: &Note, of: &MergeRequest) {
    json::child(out, node, |field, out| match field.name.as_str() {
        "id" => json::gid(out, kind(note.note_type), note.id),
        "author" => user::write(run, field, out, Some(note.author_id), None),
        "body" => json::string(out, &note.body),
        "createdAt" => json::time(out, note.created_at),
        "updatedAt" => json::time(out, note.updated_at),
        "system" => json::boolean(out, note.system),
        "systemNoteIconName" => json::option(out, note.action.as_deref(), json::string),
        "systemNoteMetadata" => metadata(field, out, note),
        "internal" => json::boolean(out, note.internal),
        "imported" => json::boolean(out, false),
        "resolvable" => json::boolean(out, note.resolvable),
        "resolved" => json::boolean(out, note.resolvable && note.resolved),
        "resolvedAt" => json::option(out, resolved_at(note), json::time),
        "resolvedBy" => user::write(run, field, out, resolved_at(note).map(|_| of.author_id), None),
        "discussion" => discussion(run, field, out, of, &thread(run, note, of)),
        "project" => project::write(run, field, out, Some(of.project_id)),
        "url" => {
            let path = merge_request::web_path(run, of);
            json::string(out, &format!("{}{path}#note_{}", run.options.base_url, note.id));
        }
        _ => json::null(out),
    });
}

/// The world does not keep who resolved a note and when: the merge request's author, when the note last changed.
fn resolved_at(note: &Note) -> Option<Time> {
    (note.resolvable && note.resolved).then_some(note.updated_at)
}

fn kind(note_type: NoteType) -> &'static str {
    match note_type {
        NoteType::Plain => "Note",
        NoteType::DiffNote => "DiffNote",
        NoteType::DiscussionNote => "DiscussionNote",
    }
}

fn metadata(node: &Node, out: &mut Out, note: &Note) {
    let Some(action) = note.action.as_deref().filter(|_| note.system) else { return json::null(out) };
    json::child(out, node, |field, out| match field.name.as_str() {
        "action" => json::string(out, action),
        _ => json::gid(out, "SystemNoteMetadata", note.id),
    });
}

/// Writes a merge request's threads in the order of their first notes.
pub(super) fn discussions(run: &Run<'_>, node: &Node, out: &mut Out, it: &MergeRequest) {
    let mut places = BTreeMap::new();
    let mut threads: Vec<Vec<(Cursor, &Note)>> = Vec::new();
    for note in visible(run, it) {
        let place = *places.entry(note.1.discussion_id.as_str()).or_insert(threads.len());
        match threads.get_mut(place) {
            Some(thread) => thread.push(note),
            None => threads.push(vec![note]),
        }
    }
    connection::list(run, node, out, threads, |node, out, thread| discussion(run, node, out, it, thread));
}

fn thread<'a>(run: &Run<'a>, note: &Note, of: &'a MergeRequest) -> Vec<(Cursor, &'a Note)> {
    let mut notes = visible(run, of);
    notes.retain(|(_, it)| it.discussion_id == note.discussion_id);
    notes
}

fn discussion(run: &Run<'_>, node: &Node, out: &mut Out, of: &MergeRequest, thread: &[(Cursor, &Note)]) {
    let Some((_, first)) = thread.first() else { return json::null(out) };
    let resolvable = thread.iter().any(|(_, it)| it.resolvable);
    let open = thread.iter().any(|(_, it)| it.resolvable && !it.resolved);
    let gid = || format!("gid://gitlab/{}/{}", discussion_kind(first.note_type), first.discussion_id);
    json::child(out, node, |field, out| match field.name.as_str() {
        "id" | "replyId" => json::plain(out, &gid()),
        "createdAt" => json::time(out, first.created_at),
        "resolvable" => json::boolean(out, resolvable),
        "resolved" => json::boolean(out, resolvable && !open),
        "notes" => write_list(run, field, out, of, thread.to_vec()),
        _ => json::null(out),
    });
}

fn discussion_kind(note_type: NoteType) -> &'static str {
    match note_type {
        NoteType::Plain => "IndividualNoteDiscussion",
        NoteType::DiffNote => "DiffDiscussion",
        NoteType::DiscussionNote => "Discussion",
    }
}
