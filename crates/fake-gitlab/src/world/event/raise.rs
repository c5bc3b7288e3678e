//! How the changes of the world raise events. Nothing is done as long as nobody listens.

use super::{
    Change, Event, Events, GroupMoved, Happening, IssueMoved, MergeRequestAction, MergeRequestMoved,
    ProjectMoved, Push,
};
use crate::world::issue::Issue;
use crate::world::model::{Id, MergeRequest, Project, World};

/// Comments on issues are numbered from here, away from the notes the world keeps.
const NOTES_OF_ISSUES: Id = 3_000_000_000;

impl Events {
    /// Keeps a merge request as it is before a change, unless a change of it is already under way.
    pub(crate) fn remember(&mut self, mr: &MergeRequest) {
        if self.listening {
            self.before.entry(mr.id).or_insert_with(|| mr.clone());
        }
    }

    /// The change of this merge request is over, or is not told.
    pub(crate) fn forget(&mut self, merge_request_id: Id) -> Option<MergeRequest> {
        self.before.remove(&merge_request_id)
    }
}

impl World {
    /// What happened since the last time, oldest first.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.events.before.clear();
        std::mem::take(&mut self.events.log)
    }

    /// Keeps an event, if anybody listens.
    pub(crate) fn raise(&mut self, what: impl FnOnce(&Self) -> Happening) {
        self.raise_some(|world| Some(what(world)));
    }

    /// The same where it may turn out that nothing is to be told.
    fn raise_some(&mut self, what: impl FnOnce(&Self) -> Option<Happening>) {
        if self.events.listening {
            let event = what(self).map(|what| Event { at: self.now, what });
            self.events.log.extend(event);
        }
    }

    /// A merge request was opened.
    pub(crate) fn raise_opened(&mut self, merge_request_id: Id) {
        self.events.forget(merge_request_id);
        self.raise(|world| {
            let after = world.merge_requests[&merge_request_id].clone();
            let (action, by) = (MergeRequestAction::Open, after.author_id);
            Happening::MergeRequest(Box::new(MergeRequestMoved { action, by, before: None, after }))
        });
    }

    /// A change of a merge request ended in a system note. A note of which only the note is new, such as a mention, is
    /// not told.
    pub(crate) fn raise_noted(&mut self, merge_request_id: Id, by: Id, noted: &str) {
        let Some(before) = self.events.forget(merge_request_id) else { return };
        let after = self.merge_requests[&merge_request_id].clone();
        if !before.shows_the_same(&after) {
            let action = MergeRequestAction::noted(noted);
            let moved = MergeRequestMoved { action, by, before: Some(before), after };
            self.raise(|_| Happening::MergeRequest(Box::new(moved)));
        }
    }

    /// A push took the approvals away. What else it changed is told on its own.
    pub(crate) fn raise_reset(&mut self, merge_request_id: Id, by: Id, before: MergeRequest) {
        if !before.approvals.is_empty() {
            self.raise(|world| {
                let after = world.merge_requests[&merge_request_id].clone();
                let (action, before) = (MergeRequestAction::Reset, Some(before));
                Happening::MergeRequest(Box::new(MergeRequestMoved { action, by, before, after }))
            });
        }
    }

    /// A person wrote or changed a note.
    pub(crate) fn raise_note(&mut self, note_id: Id, edited: bool) {
        let note = &self.notes[&note_id];
        self.events.forget(note.merge_request_id);
        if !note.system {
            self.raise(|world| Happening::Note { note: world.notes[&note_id].clone(), edited });
        }
    }

    /// An issue was opened, or changed from what it was. A comment shows in the number of comments.
    pub(crate) fn raise_issue(&mut self, issue_id: Id, before: Option<Issue>) {
        self.raise_some(|world| {
            let after = world.issues[&issue_id].clone();
            let note_id = NOTES_OF_ISSUES + world.ids.ticks as i64;
            match &before {
                Some(before) if before.user_notes_count < after.user_notes_count => {
                    Some(Happening::IssueNote { issue: Box::new(after), note_id })
                }
                Some(before) if before.shows_the_same(&after) => None,
                _ => Some(Happening::Issue(Box::new(IssueMoved { before, after }))),
            }
        });
    }

    /// A project changed from what it was, under this path.
    pub(crate) fn raise_project(&mut self, project_id: Id, before: &Project, old_path: String) {
        self.raise(|world| {
            let project = world.projects[&project_id].clone();
            let path = world.project_full_path(&project);
            Happening::Project(Box::new(ProjectMoved {
                change: Change::Updated,
                transferred: project.namespace != before.namespace,
                old_path: Some(old_path).filter(|old| *old != path),
                groups: world.project_groups(&project),
                path,
                project,
            }))
        });
    }

    /// A project is there, or will be gone at once.
    pub(crate) fn raise_presence(&mut self, project_id: Id, change: Change) {
        self.raise(|world| {
            let project = world.projects[&project_id].clone();
            Happening::Project(Box::new(ProjectMoved {
                change,
                transferred: false,
                old_path: None,
                groups: world.project_groups(&project),
                path: world.project_full_path(&project),
                project,
            }))
        });
    }

    /// A group is there, has another path, or will be gone at once.
    pub(crate) fn raise_group(&mut self, group_id: Id, change: Change, old_paths: Option<(String, String)>) {
        self.raise(|world| {
            Happening::Group(Box::new(GroupMoved {
                change,
                group: world.groups[&group_id].clone(),
                full_path: world.group_full_path(group_id),
                old_paths,
                above: world.group_and_ancestors(group_id).split_off(1),
            }))
        });
    }

    /// A branch has moved.
    pub(crate) fn raise_push(&mut self, push: impl FnOnce(&Self) -> Option<Push>) {
        self.raise_some(|world| push(world).map(|push| Happening::Push(Box::new(push))));
    }
}

impl Issue {
    /// Whether nothing but the time of the last change differs.
    fn shows_the_same(&self, other: &Self) -> bool {
        Self { updated_at: other.updated_at, ..self.clone() } == *other
    }
}

impl MergeRequest {
    /// Whether nothing changed that GitLab tells: notes and states of reviewers are not part of it.
    fn shows_the_same(&self, other: &Self) -> bool {
        let people = |it: &Self| -> (Vec<Id>, Vec<Id>) {
            let reviewers = it.reviewers.iter().map(|it| it.user_id).collect();
            (reviewers, it.approvals.iter().map(|it| it.user_id).collect())
        };
        let texts =
            |it: &Self| (it.title.clone(), it.description.clone(), it.target_branch.clone(), it.sha.clone());
        self.state == other.state
            && self.merge_user_id == other.merge_user_id
            && self.milestone_id == other.milestone_id
            && self.label_ids == other.label_ids
            && self.assignee_ids == other.assignee_ids
            && people(self) == people(other)
            && texts(self) == texts(other)
    }
}
