//! Merge requests: the row without author and merger in full, and what changed of it.

use serde_json::{Map, Value, json};

use super::parts::{moved, utc};
use super::{Message, Scene};
use crate::hooks::{HookOwner, Trigger};
use crate::rest::entities::merge_request::{merge_status, state};
use crate::settings::Edition;
use crate::world::approval_rules::RuleState;
use crate::world::event::{MergeRequestAction, MergeRequestMoved};
use crate::world::model::{Id, MergeRequest, MergeRequestState, Project};

impl Scene<'_> {
    /// What is told of a merge request that moved.
    pub(super) fn merge_request_moved(&self, moved: &MergeRequestMoved) -> Option<Message> {
        let mr = &moved.after;
        let reset = moved.action == MergeRequestAction::Reset;
        if reset && !self.tells_resets() {
            return None;
        }
        let project = self.world.projects.get(&mr.project_id)?;
        let mut attributes = self.merge_request(project, mr);
        attributes["action"] = json!(self.action(moved));
        if let Some(oldrev) = pushed_from(moved) {
            attributes["oldrev"] = json!(oldrev);
        }
        if reset {
            attributes["system"] = json!(true);
            attributes["system_action"] = json!("approvals_reset_on_push");
        }
        if self.settings.edition != Edition::Ce {
            attributes["approval_rules"] = json!([]);
        }
        let mut body = json!({
            "object_kind": "merge_request",
            "event_type": "merge_request",
            "user": self.user(Some(moved.by)),
            "project": self.project(project),
            "object_attributes": attributes,
            "labels": self.labels(&mr.label_ids),
            "changes": self.changes(moved),
            "repository": self.repository(project),
        });
        let people = [
            ("assignees", mr.assignee_ids.clone()),
            ("reviewers", mr.reviewers.iter().map(|it| it.user_id).collect()),
        ];
        // GitLab leaves empty lists out.
        for (name, ids) in people.into_iter().filter(|(_, ids): &(_, Vec<Id>)| !ids.is_empty()) {
            body[name] = json!(self.users(ids));
        }
        let mut places = self.places(mr.project_id)?;
        places.push(HookOwner::System);
        Some(Message::new(Trigger::MergeRequest, places, body))
    }

    /// Whether it is told that a push took approvals away: a licensed GitLab does so from 18.0 on.
    fn tells_resets(&self) -> bool {
        self.settings.edition == Edition::Premium && self.settings.is_at_least(18, 0)
    }

    /// With Premium an approval that leaves some to be given is told apart from the one that leaves none; and likewise
    /// taking back one that was needed from one that was not.
    fn action(&self, moved: &MergeRequestMoved) -> &'static str {
        let licensed = self.settings.edition == Edition::Premium;
        let approved = |mr: &MergeRequest| self.world.approval_rules_of(mr).iter().all(RuleState::approved);
        let after = || approved(&moved.after);
        let lost = || moved.before.as_ref().is_some_and(approved) && !after();
        match moved.action {
            MergeRequestAction::Open => "open",
            MergeRequestAction::Update => "update",
            MergeRequestAction::Approve if !licensed || after() => "approved",
            MergeRequestAction::Approve => "approval",
            MergeRequestAction::Unapprove | MergeRequestAction::Reset if !licensed || lost() => "unapproved",
            MergeRequestAction::Unapprove | MergeRequestAction::Reset => "unapproval",
            MergeRequestAction::Merge => "merge",
            MergeRequestAction::Close => "close",
            MergeRequestAction::Reopen => "reopen",
        }
    }

    /// A merge request as it stands in `object_attributes`, and in comments on it.
    pub(super) fn merge_request(&self, project: &Project, mr: &MergeRequest) -> Value {
        let mut body = self.columns(mr);
        let source = mr.source_project_id.and_then(|id| self.world.projects.get(&id));
        let commit = self.world.commits_of(mr).first().map(|commit| self.commit(project, commit));
        let threads = mr.note_ids.iter().filter_map(|id| self.world.notes.get(id));
        let (_, detailed) = merge_status(mr);
        let more = json!({
            "assignee_ids": mr.assignee_ids,
            "blocking_discussions_resolved": threads.into_iter().all(|note| note.resolved || !note.resolvable),
            "detailed_merge_status": detailed,
            "first_contribution": false,
            "human_time_change": null,
            "human_time_estimate": null,
            "human_total_time_spent": null,
            "labels": self.labels(&mr.label_ids),
            "last_commit": commit,
            "reviewer_ids": mr.reviewers.iter().map(|it| it.user_id).collect::<Vec<Id>>(),
            "source": source.map(|it| self.project(it)),
            "state": state(mr.state),
            "target": self.project(project),
            "time_change": 0,
            "total_time_spent": 0,
            "url": format!("{}/-/merge_requests/{}", self.project_url(project), mr.iid),
            "work_in_progress": mr.draft,
        });
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        body
    }

    fn columns(&self, mr: &MergeRequest) -> Value {
        let (status, _) = merge_status(mr);
        json!({
            "assignee_id": mr.assignee_ids.first(),
            "author_id": mr.author_id,
            "created_at": utc(mr.created_at),
            "description": mr.description,
            "draft": mr.draft,
            "head_pipeline_id": self.head_pipeline(mr),
            "id": mr.id,
            "iid": mr.iid,
            "last_edited_at": null,
            "last_edited_by_id": null,
            "merge_commit_sha": mr.merge_commit_sha,
            "merge_error": null,
            "merge_params": { "force_remove_source_branch": "1" },
            "merge_status": status,
            "merge_user_id": mr.merge_user_id,
            "merge_when_pipeline_succeeds":
                mr.merge_user_id.is_some() && mr.state == MergeRequestState::Opened,
            "milestone_id": mr.milestone_id,
            "source_branch": mr.source_branch,
            "source_project_id": mr.source_project_id,
            "state_id": state_id(mr.state),
            "target_branch": mr.target_branch,
            "target_project_id": mr.project_id,
            "time_estimate": 0,
            "title": mr.title,
            "updated_at": utc(mr.updated_at),
            "updated_by_id": null,
            "prepared_at": utc(mr.created_at),
        })
    }

    fn head_pipeline(&self, mr: &MergeRequest) -> Option<Id> {
        let prefix = format!("refs/merge-requests/{}/", mr.iid);
        let of_it = |it: &&crate::world::model::Pipeline| {
            it.project_id == mr.project_id && it.git_ref.starts_with(&prefix)
        };
        self.world.ci.pipelines.values().rev().find(of_it).map(|it| it.id)
    }

    fn changes(&self, event: &MergeRequestMoved) -> Value {
        let Some(before) = &event.before else { return opened(&event.after) };
        let after = &event.after;
        let mut changes = Map::new();
        let mut add = |name: &str, previous: Value, current: Value| {
            if previous != current {
                changes.insert(name.to_owned(), moved(previous, current));
            }
        };
        add("title", json!(before.title), json!(after.title));
        add("description", json!(before.description), json!(after.description));
        add("draft", json!(before.draft), json!(after.draft));
        add("target_branch", json!(before.target_branch), json!(after.target_branch));
        add("milestone_id", json!(before.milestone_id), json!(after.milestone_id));
        if after.state != MergeRequestState::Merged {
            add("merge_user_id", json!(before.merge_user_id), json!(after.merge_user_id));
        }
        add("state_id", json!(state_id_before(event, before)), json!(state_id(after.state)));
        let [previous, current] = [before, after].map(|it| json!(self.labels(&it.label_ids)));
        add("labels", previous, current);
        let [previous, current] = [before, after].map(|it| json!(self.users(it.assignee_ids.clone())));
        add("assignees", previous, current);
        let reviewers = |it: &MergeRequest| json!(self.users(it.reviewers.iter().map(|it| it.user_id)));
        add("reviewers", reviewers(before), reviewers(after));
        if before.updated_at != after.updated_at {
            changes.insert("updated_at".to_owned(), moved(utc(before.updated_at), utc(after.updated_at)));
        }
        Value::Object(changes)
    }
}

/// The head before a push.
fn pushed_from(moved: &MergeRequestMoved) -> Option<&String> {
    let before = moved.before.as_ref()?;
    let pushed = moved.action == MergeRequestAction::Update && before.sha != moved.after.sha;
    before.sha.as_ref().filter(|_| pushed)
}

/// A merge request is locked while it is merged.
fn state_id_before(event: &MergeRequestMoved, before: &MergeRequest) -> i64 {
    match event.action {
        MergeRequestAction::Merge => state_id(MergeRequestState::Locked),
        _ => state_id(before.state),
    }
}

fn state_id(state: MergeRequestState) -> i64 {
    match state {
        MergeRequestState::Opened => 1,
        MergeRequestState::Closed => 2,
        MergeRequestState::Merged => 3,
        MergeRequestState::Locked => 4,
    }
}

/// A new merge request is prepared, and told then.
fn opened(mr: &MergeRequest) -> Value {
    json!({
        "merge_status": moved("preparing", "checking"),
        "updated_at": moved(utc(mr.created_at), utc(mr.updated_at)),
        "prepared_at": moved(Value::Null, utc(mr.created_at)),
    })
}
