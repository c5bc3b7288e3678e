//! Issues.

use serde_json::{Map, Value, json};

use super::parts::{moved, utc, utc_or_null};
use super::{Message, Scene};
use crate::hooks::Trigger;
use crate::world::event::IssueMoved;
use crate::world::issue::Issue;
use crate::world::model::{Id, Project};

impl Scene<'_> {
    /// What is told of an issue that moved.
    pub(super) fn issue_moved(&self, moved: &IssueMoved) -> Option<Message> {
        let issue = &moved.after;
        let project = self.world.projects.get(&issue.project_id)?;
        let mut attributes = self.issue(project, issue);
        attributes["action"] = json!(action(moved));
        let confidential = issue.confidential;
        let mut body = json!({
            "object_kind": "issue",
            "event_type": if confidential { "confidential_issue" } else { "issue" },
            "user": self.user(Some(issue.closed_by_id.unwrap_or(issue.author_id))),
            "project": self.project(project),
            "object_attributes": attributes,
            "labels": self.labels(&issue.label_ids),
            "changes": self.issue_changes(moved),
            "repository": self.repository(project),
        });
        if let Some(first) = issue.assignee_ids.first() {
            body["assignees"] = json!(self.users(issue.assignee_ids.clone()));
            body["assignee"] = self.user(Some(*first));
        }
        let trigger = if confidential { Trigger::ConfidentialIssue } else { Trigger::Issue };
        Some(Message::new(trigger, self.places(project.id)?, body))
    }

    /// An issue as it stands in `object_attributes`, and in comments on it.
    pub(super) fn issue(&self, project: &Project, issue: &Issue) -> Value {
        let mut body = columns(issue);
        let more = json!({
            "url": format!("{}/-/issues/{}", self.project_url(project), issue.iid),
            "total_time_spent": 0,
            "time_change": 0,
            "human_total_time_spent": null,
            "human_time_change": null,
            "human_time_estimate": null,
            "assignee_ids": issue.assignee_ids,
            "assignee_id": issue.assignee_ids.first(),
            "labels": self.labels(&issue.label_ids),
            "state": issue.state(),
            "severity": issue.shown_severity().word(),
            "type": type_word(issue),
        });
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        body
    }

    fn issue_changes(&self, event: &IssueMoved) -> Value {
        let Some(before) = &event.before else { return json!({}) };
        let after = &event.after;
        let mut changes = Map::new();
        let mut add = |name: &str, previous: Value, current: Value| {
            if previous != current {
                changes.insert(name.to_owned(), moved(previous, current));
            }
        };
        add("title", json!(before.title), json!(after.title));
        add("description", json!(before.description), json!(after.description));
        add("confidential", json!(before.confidential), json!(after.confidential));
        add("milestone_id", json!(before.milestone_id), json!(after.milestone_id));
        add("due_date", json!(before.due_date), json!(after.due_date));
        add("severity", json!(before.shown_severity().word()), json!(after.shown_severity().word()));
        add("closed_at", utc_or_null(before.closed_at), utc_or_null(after.closed_at));
        add("state_id", json!(state_id(before)), json!(state_id(after)));
        let [previous, current] = [before, after].map(|it| json!(self.labels(&it.label_ids)));
        add("labels", previous, current);
        let people = |ids: &[Id]| json!(self.users(ids.iter().copied()));
        add("assignees", people(&before.assignee_ids), people(&after.assignee_ids));
        add("updated_at", utc(before.updated_at), utc(after.updated_at));
        Value::Object(changes)
    }
}

fn columns(issue: &Issue) -> Value {
    json!({
        "author_id": issue.author_id,
        "closed_at": utc_or_null(issue.closed_at),
        "confidential": issue.confidential,
        "created_at": utc(issue.created_at),
        "description": issue.description,
        "discussion_locked": null,
        "due_date": issue.due_date,
        "id": issue.id,
        "iid": issue.iid,
        "last_edited_at": null,
        "last_edited_by_id": null,
        "milestone_id": issue.milestone_id,
        "moved_to_id": null,
        "duplicated_to_id": null,
        "project_id": issue.project_id,
        "relative_position": 513,
        "state_id": state_id(issue),
        "time_estimate": 0,
        "title": issue.title,
        "updated_at": utc(issue.updated_at),
        "updated_by_id": null,
        "weight": null,
    })
}

fn action(moved: &IssueMoved) -> &'static str {
    let open = moved.after.is_open();
    match &moved.before {
        None => "open",
        Some(before) if before.is_open() == open => "update",
        Some(_) if open => "reopen",
        Some(_) => "close",
    }
}

fn state_id(issue: &Issue) -> i64 {
    if issue.is_open() { 1 } else { 2 }
}

/// `Issue`, `Incident`, `Task`.
fn type_word(issue: &Issue) -> String {
    let (first, rest) = issue.issue_type.word().split_at(1);
    format!("{}{rest}", first.to_uppercase())
}
