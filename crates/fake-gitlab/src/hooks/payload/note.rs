//! Comments on merge requests and issues.

use serde_json::{Value, json};

use super::parts::{utc, utc_or_null};
use super::{Message, Scene};
use crate::hooks::Trigger;
use crate::rest::entities::note::note_type;
use crate::world::hash::{hex40, kind};
use crate::world::issue::Issue;
use crate::world::model::{Id, Note, Project};

impl Scene<'_> {
    /// What is told of a comment on a merge request.
    pub(super) fn note(&self, note: &Note, edited: bool) -> Option<Message> {
        let mr = self.world.merge_requests.get(&note.merge_request_id)?;
        let project = self.world.projects.get(&mr.project_id)?;
        let page = format!("{}/-/merge_requests/{}", self.project_url(project), mr.iid);
        let mut attributes = self.attributes(project, note.id, &note.body, &page);
        let more = json!({
            "author_id": note.author_id,
            "created_at": utc(note.created_at),
            "discussion_id": note.discussion_id,
            "noteable_id": mr.id,
            "noteable_type": "MergeRequest",
            "resolved_at": utc_or_null(note.resolved.then_some(note.updated_at)),
            "resolved_by_id": note.resolved.then_some(mr.author_id),
            "type": note_type(note.note_type),
            "updated_at": utc(note.updated_at),
            "action": if edited { "update" } else { "create" },
        });
        extend(&mut attributes, more);
        let mut body = self.around(project, note.author_id, note.internal, attributes);
        body["merge_request"] = self.merge_request(project, mr);
        let trigger = if note.internal { Trigger::ConfidentialNote } else { Trigger::Note };
        Some(Message::new(trigger, self.places(project.id)?, body))
    }

    /// What is told of a comment on an issue.
    pub(super) fn issue_note(&self, issue: &Issue, note_id: Id) -> Option<Message> {
        let project = self.world.projects.get(&issue.project_id)?;
        let page = format!("{}/-/issues/{}", self.project_url(project), issue.iid);
        let mut attributes = self.attributes(project, note_id, "A comment.", &page);
        let more = json!({
            "author_id": issue.author_id,
            "created_at": utc(self.at),
            "discussion_id": hex40(kind::DISCUSSION, note_id as u64),
            "noteable_id": issue.id,
            "noteable_type": "Issue",
            "resolved_at": null,
            "resolved_by_id": null,
            "type": null,
            "updated_at": utc(self.at),
            "action": "create",
        });
        extend(&mut attributes, more);
        let mut body = self.around(project, issue.author_id, issue.confidential, attributes);
        body["issue"] = self.issue(project, issue);
        let trigger = if issue.confidential { Trigger::ConfidentialNote } else { Trigger::Note };
        Some(Message::new(trigger, self.places(project.id)?, body))
    }

    fn attributes(&self, project: &Project, id: Id, text: &str, page: &str) -> Value {
        json!({
            "attachment": null,
            "change_position": null,
            "commit_id": null,
            "id": id,
            "line_code": null,
            "note": text,
            "original_position": null,
            "position": null,
            "project_id": project.id,
            "resolved_by_push": null,
            "st_diff": null,
            "system": false,
            "updated_by_id": null,
            "description": text,
            "url": format!("{page}#note_{id}"),
        })
    }

    fn around(&self, project: &Project, by: Id, confidential: bool, attributes: Value) -> Value {
        json!({
            "object_kind": "note",
            "event_type": if confidential { "confidential_note" } else { "note" },
            "user": self.user(Some(by)),
            "project_id": project.id,
            "project": self.project(project),
            "object_attributes": attributes,
            "repository": self.repository(project),
        })
    }
}

fn extend(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}
