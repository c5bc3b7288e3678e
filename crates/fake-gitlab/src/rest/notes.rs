//! Notes and discussions of a merge request.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::entities::note::note as view;
use super::params::{Declared, or, path};
use super::{Answer, Ask, Problem, Reply};
use crate::world::model::{Note, NoteType};

const LIST: &[Declared] = &[
    or("activity_filter", "all_notes"),
    path("id", "id"),
    path("noteable_id", "iid"),
    or("order_by", "created_at"),
    or("sort", "desc"),
];

const DISCUSSIONS: &[Declared] = &[path("id", "id"), path("noteable_id", "iid")];

/// `GET /projects/:id/merge_requests/:iid/notes`: newest first unless asked otherwise.
pub fn list(ask: &Ask<'_>) -> Answer {
    let mr = ask.merge_request()?;
    let activity = ask.query.word("activity_filter", &["all_notes", "only_comments", "only_activity"])?;
    let mut notes: Vec<&Note> = ask.world.visible_notes(ask.viewer, mr).collect();
    notes.retain(|note| match activity {
        "only_comments" => !note.system,
        "only_activity" => note.system,
        _ => true,
    });
    match ask.query.word("order_by", &["created_at", "updated_at"])? {
        "updated_at" => notes.sort_by_key(|note| (note.updated_at, note.id)),
        _ => notes.sort_by_key(|note| (note.created_at, note.id)),
    }
    if ask.query.word("sort", &["desc", "asc"])? == "desc" {
        notes.reverse();
    }
    let page = ask.page(notes.len())?;
    ask.paged(LIST, page, &notes, |note| view(ask.world, mr, note))
}

/// `GET /projects/:id/merge_requests/:iid/notes/:note_id`
pub fn show(ask: &Ask<'_>) -> Answer {
    let mr = ask.merge_request()?;
    let id = ask.part("note_id").parse::<i64>().ok();
    let note = ask.world.visible_notes(ask.viewer, mr).find(|note| Some(note.id) == id);
    let note = note.ok_or(Problem::NotFound("404 Note Not Found"))?;
    Ok(Reply::object(&view(ask.world, mr, note)))
}

/// `GET /projects/:id/merge_requests/:iid/discussions`: threads in the order they began, system notes among them.
pub fn discussions(ask: &Ask<'_>) -> Answer {
    let mr = ask.merge_request()?;
    let threads = threads(ask.world.visible_notes(ask.viewer, mr));
    let threads: Vec<&[&Note]> = threads.iter().map(Vec::as_slice).collect();
    let page = ask.page(threads.len())?;
    ask.paged(DISCUSSIONS, page, &threads, |thread| -> Value {
        json!({
            "id": thread[0].discussion_id,
            "individual_note": thread[0].note_type == NoteType::Plain,
            "notes": thread.iter().map(|note| view(ask.world, mr, note)).collect::<Vec<_>>(),
        })
    })
}

/// Notes by thread, threads in the order they began.
fn threads<'a>(notes: impl Iterator<Item = &'a Note>) -> Vec<Vec<&'a Note>> {
    let mut threads: Vec<Vec<&Note>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for note in notes {
        let place = *places.entry(&note.discussion_id).or_insert(threads.len());
        if place == threads.len() {
            threads.push(Vec::new());
        }
        threads[place].push(note);
    }
    threads
}
