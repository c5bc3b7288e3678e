//! Pushes, for projects and groups and, in few words, for the instance.

use serde_json::{Value, json};

use super::{Message, Scene};
use crate::hooks::{HookOwner, Trigger};
use crate::world::event::Push;
use crate::world::model::{NO_SHA, Project};

/// The most commits a push shows; the number tells of all.
const SHOWN: usize = 20;

impl Scene<'_> {
    /// What is told of a push.
    pub(super) fn push(&self, push: &Push) -> Vec<Message> {
        let Some(project) = self.world.projects.get(&push.project_id) else { return Vec::new() };
        let mut places = self.places(project.id).unwrap_or_default();
        places.push(HookOwner::System);
        let told = Message::new(Trigger::Push, places, self.push_body(project, push));
        let repository = self.repository_update(project, push);
        vec![
            Message { branch: Some(push.branch.clone()), ..told },
            Message::new(Trigger::RepositoryUpdate, vec![HookOwner::System], repository),
        ]
    }

    fn push_body(&self, project: &Project, push: &Push) -> Value {
        let newest = push.commits.len().saturating_sub(SHOWN);
        let commits = push.commits[newest..].iter().map(|commit| {
            let mut body = self.commit(project, commit);
            for (name, files) in
                [("added", json!([])), ("modified", json!(["src/main.rs"])), ("removed", json!([]))]
            {
                body[name] = files;
            }
            body
        });
        let mut body = self.pusher(project, push);
        let more = json!({
            "object_kind": "push",
            "event_name": "push",
            "before": push.before.as_deref().unwrap_or(NO_SHA),
            "after": push.after,
            "ref": format!("refs/heads/{}", push.branch),
            "ref_protected": project.default_branch.as_ref() == Some(&push.branch),
            "checkout_sha": push.after,
            "message": null,
            "user_username": self.world.username(push.by),
            "commits": commits.collect::<Vec<Value>>(),
            "total_commits_count": push.commits.len(),
            "push_options": {},
            "repository": self.long_repository(project),
        });
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        body
    }

    fn pusher(&self, project: &Project, push: &Push) -> Value {
        let user = self.user(Some(push.by));
        json!({
            "user_id": push.by,
            "user_name": user["name"],
            "user_email": "",
            "user_avatar": user["avatar_url"],
            "project_id": project.id,
            "project": self.project(project),
        })
    }

    fn repository_update(&self, project: &Project, push: &Push) -> Value {
        let git_ref = format!("refs/heads/{}", push.branch);
        let before = push.before.as_deref().unwrap_or(NO_SHA);
        let mut body = self.pusher(project, push);
        body["event_name"] = json!("repository_update");
        body["changes"] = json!([{ "before": before, "after": push.after, "ref": git_ref }]);
        body["refs"] = json!([git_ref]);
        body
    }
}
