//! Issues.

use serde_json::{Map, Value, json};

use super::Millis;
use super::user::UserBasic;
use crate::rest::labels::label_basic;
use crate::rest::milestones::milestone;
use crate::world::issue::Issue;
use crate::world::model::{Id, World};

/// Renders an issue; `project_path` is handed in because a list shares it.
pub fn issue(world: &World, issue: &Issue, project_path: &str, label_details: bool) -> Value {
    let mut body = columns(world, issue, label_details);
    body.extend(around(world, issue, project_path));
    Value::Object(body)
}

fn columns(world: &World, issue: &Issue, label_details: bool) -> Map<String, Value> {
    let user = |id: Option<Id>| id.and_then(|id| UserBasic::of(world, id));
    let milestone =
        issue.milestone_id.and_then(|id| world.milestones.get(&id)).map(|it| milestone(world, it));
    let kind = issue.issue_type.word();
    object(json!({
        "id": issue.id,
        "iid": issue.iid,
        "project_id": issue.project_id,
        "title": issue.title,
        "description": issue.description,
        "state": issue.state(),
        "created_at": Millis(issue.created_at),
        "updated_at": Millis(issue.updated_at),
        "closed_at": issue.closed_at.map(Millis),
        "closed_by": user(issue.closed_by_id),
        "labels": labels(world, issue, label_details),
        "milestone": milestone,
        "assignees": UserBasic::all(world, issue.assignee_ids.iter().copied()),
        "author": user(Some(issue.author_id)),
        "type": kind.to_uppercase(),
        "assignee": user(issue.assignee_ids.first().copied()),
        "user_notes_count": issue.user_notes_count,
        "due_date": issue.due_date,
        "confidential": issue.confidential,
        "issue_type": kind,
        "severity": issue.shown_severity().word().to_uppercase(),
    }))
}

fn around(world: &World, issue: &Issue, project_path: &str) -> Map<String, Value> {
    let own = format!("{}/api/v4/projects/{}", world.url, issue.project_id);
    let reference = format!("#{}", issue.iid);
    object(json!({
        "merge_requests_count": 0,
        "upvotes": 0,
        "downvotes": 0,
        "discussion_locked": null,
        "imported": false,
        "imported_from": "none",
        "web_url": format!("{}/{project_path}/-/issues/{}", world.url, issue.iid),
        "time_stats": {
            "time_estimate": 0,
            "total_time_spent": 0,
            "human_time_estimate": null,
            "human_total_time_spent": null,
        },
        "task_completion_status": { "count": 0, "completed_count": 0 },
        "has_tasks": false,
        "task_status": "0 of 0 checklist items completed",
        "_links": {
            "self": format!("{own}/issues/{}", issue.iid),
            "notes": format!("{own}/issues/{}/notes", issue.iid),
            "award_emoji": format!("{own}/issues/{}/award_emoji", issue.iid),
            "project": own,
            "closed_as_duplicate_of": null,
        },
        "references": { "short": reference, "relative": reference, "full": format!("{project_path}{reference}") },
        "moved_to_id": null,
        "service_desk_reply_to": null,
    }))
}

fn labels(world: &World, issue: &Issue, details: bool) -> Vec<Value> {
    let mut labels: Vec<_> = issue.label_ids.iter().filter_map(|id| world.labels.get(id)).collect();
    labels.sort_by_key(|label| &label.title);
    labels
        .into_iter()
        .map(|label| if details { json!(label_basic(label)) } else { json!(label.title) })
        .collect()
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(map) = value { map } else { Map::new() }
}
