//! One issue.

use super::executor::Run;
use super::json::{self, Out};
use super::plan::Node;
use super::{connection, label, milestone, user};
use crate::world::issue::Issue;
use crate::world::model::Id;

/// Writes an issue; null where there is none. Whoever calls has looked whether it may be read.
pub(super) fn write(run: &Run<'_>, node: &Node, out: &mut Out, id: Option<Id>) {
    let Some(issue) = id.and_then(|id| run.world.issues.get(&id)) else { return json::null(out) };
    json::child(out, node, |field, out| scalar(run, field, out, issue));
}

fn scalar(run: &Run<'_>, field: &Node, out: &mut Out, it: &Issue) {
    match field.name.as_str() {
        "id" => json::gid(out, "Issue", it.id),
        "iid" => json::quoted(out, it.iid),
        "title" => json::string(out, &it.title),
        "description" => json::option(out, it.description.as_deref(), json::string),
        "state" => json::plain(out, it.state()),
        "type" => json::plain(out, &it.issue_type.word().to_uppercase()),
        "severity" => json::plain(out, &it.shown_severity().word().to_uppercase()),
        "confidential" => json::boolean(out, it.confidential),
        "hidden" => json::boolean(out, false),
        "createdAt" => json::time(out, it.created_at),
        "updatedAt" => json::time(out, it.updated_at),
        "closedAt" => json::option(out, it.closed_at, json::time),
        "dueDate" => json::option(out, it.due_date, json::date),
        "projectId" => json::integer(out, it.project_id),
        "userNotesCount" => json::integer(out, it.user_notes_count),
        "reference" => json::string(out, &reference(run, field, it)),
        "webPath" => json::string(out, &web_path(run, it)),
        "webUrl" => json::string(out, &format!("{}{}", run.options.base_url, web_path(run, it))),
        _ => object(run, field, out, it),
    }
}

fn object(run: &Run<'_>, field: &Node, out: &mut Out, it: &Issue) {
    match field.name.as_str() {
        "author" => user::write(run, field, out, Some(it.author_id), None),
        "milestone" => milestone::write(run, field, out, it.milestone_id),
        "labels" => label::list(run, field, out, it.label_ids.clone()),
        "assignees" => connection::list(run, field, out, it.assignee_ids.clone(), |node, out, id| {
            user::write(run, node, out, Some(*id), None);
        }),
        _ => json::null(out),
    }
}

fn reference(run: &Run<'_>, node: &Node, it: &Issue) -> String {
    let full = node.flag("full") == Some(true);
    format!("{}#{}", if full { run.index.project_path(it.project_id) } else { "" }, it.iid)
}

fn web_path(run: &Run<'_>, it: &Issue) -> String {
    format!("/{}/-/issues/{}", run.index.project_path(it.project_id), it.iid)
}
