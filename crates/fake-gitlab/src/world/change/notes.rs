//! Notes: comments, threads, replies, edits, resolution, deletion; and the system notes other changes write.

use crate::world::hash::{hex40, kind};
use crate::world::model::{Id, Note, NoteType, World};

/// A comment to be written.
#[derive(Debug, Clone)]
pub struct NewNote {
    /// Where it is written.
    pub merge_request_id: Id,
    /// Who writes it.
    pub author_id: Id,
    /// The text.
    pub body: String,
    /// Plain comment, or the first note of a thread.
    pub note_type: NoteType,
    /// Hidden from those below Reporter.
    pub internal: bool,
}

impl World {
    /// Writes a comment or starts a thread.
    pub fn add_note(&mut self, new: NewNote) -> Id {
        self.tick();
        let id = self.next_note_id();
        self.save_note(Note {
            id,
            merge_request_id: new.merge_request_id,
            author_id: new.author_id,
            body: new.body,
            note_type: new.note_type,
            system: false,
            action: None,
            discussion_id: hex40(kind::DISCUSSION, id as u64),
            resolvable: new.note_type != NoteType::Plain,
            resolved: false,
            internal: new.internal,
            created_at: self.now,
            updated_at: self.now,
        })
    }

    /// A plain comment.
    pub fn comment(&mut self, merge_request_id: Id, author_id: Id, body: &str) -> Id {
        let body = body.to_owned();
        self.add_note(NewNote {
            merge_request_id,
            author_id,
            body,
            note_type: NoteType::Plain,
            internal: false,
        })
    }

    /// A comment on a line of the diff, which starts a thread that can be resolved.
    pub fn comment_on_diff(&mut self, merge_request_id: Id, author_id: Id, body: &str) -> Id {
        let body = body.to_owned();
        self.add_note(NewNote {
            merge_request_id,
            author_id,
            body,
            note_type: NoteType::DiffNote,
            internal: false,
        })
    }

    /// Answers a note in its thread. A plain comment becomes a thread by that, as in GitLab.
    pub fn reply(&mut self, note_id: Id, author_id: Id, body: &str) -> Id {
        self.tick();
        let first = self.notes.get_mut(&note_id).expect("the note exists");
        if first.note_type == NoteType::Plain {
            first.note_type = NoteType::DiscussionNote;
            first.resolvable = true;
        }
        let mut answer = first.clone();
        answer.id = self.next_note_id();
        answer.author_id = author_id;
        answer.body = body.to_owned();
        answer.resolved = false;
        answer.created_at = self.now;
        answer.updated_at = self.now;
        self.save_note(answer)
    }

    /// Writes the system note of an action; `action` is GitLab's `system_note_metadata.action`.
    pub fn system_note(&mut self, merge_request_id: Id, author_id: Id, action: &str, body: String) -> Id {
        self.tick();
        let id = self.next_note_id();
        let id = self.save_note(Note {
            id,
            merge_request_id,
            author_id,
            body,
            note_type: NoteType::Plain,
            system: true,
            action: Some(action.to_owned()),
            discussion_id: hex40(kind::DISCUSSION, id as u64),
            resolvable: false,
            resolved: false,
            internal: false,
            created_at: self.now,
            updated_at: self.now,
        });
        self.raise_noted(merge_request_id, author_id, action);
        id
    }

    /// Changes the text: moves the note's `updated_at` and touches the merge request.
    pub fn edit_note(&mut self, note_id: Id, body: &str) {
        let now = self.tick();
        let note = self.notes.get_mut(&note_id).expect("the note exists");
        note.body = body.to_owned();
        note.updated_at = now;
        let merge_request_id = note.merge_request_id;
        self.touch(merge_request_id);
        self.raise_note(note_id, true);
    }

    /// Resolves or reopens every resolvable note of the thread.
    pub fn resolve(&mut self, note_id: Id, resolved: bool) {
        let now = self.tick();
        let (thread, merge_request_id) = {
            let note = &self.notes[&note_id];
            (note.discussion_id.clone(), note.merge_request_id)
        };
        for id in self.merge_requests[&merge_request_id].note_ids.clone() {
            let Some(note) = self.notes.get_mut(&id) else { continue };
            if note.discussion_id == thread && note.resolvable && note.resolved != resolved {
                note.resolved = resolved;
                note.updated_at = now;
            }
        }
        self.touch(merge_request_id);
        self.events.forget(merge_request_id);
    }

    /// Deletes a note. Nothing else moves: GitLab touches only when a note is saved.
    pub fn delete_note(&mut self, note_id: Id) {
        let Some(note) = self.notes.remove(&note_id) else { return };
        self.merge_request_mut(note.merge_request_id).note_ids.retain(|id| *id != note_id);
    }

    fn next_note_id(&mut self) -> Id {
        self.ids.note += 1 + (self.ids.ticks % 7) as i64;
        self.ids.note
    }

    fn save_note(&mut self, note: Note) -> Id {
        let (id, merge_request_id, system) = (note.id, note.merge_request_id, note.system);
        self.merge_request_mut(merge_request_id).note_ids.push(id);
        self.notes.insert(id, note);
        self.touch(merge_request_id);
        if !system {
            self.raise_note(id, false);
        }
        id
    }
}
