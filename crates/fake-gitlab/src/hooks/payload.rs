//! What hooks are told of an event: the bodies as GitLab words them, and whose hooks hear of it.

mod deployment;
mod issue;
mod job;
mod merge_request;
mod note;
mod parts;
mod pipeline;
mod push;
mod system;
mod trial;

pub(crate) use trial::trial;

use serde_json::Value;

use super::{HookOwner, Trigger};
use crate::settings::Settings;
use crate::world::event::{Change, Event, GroupMoved, Happening, MemberMoved, ProjectMoved};
use crate::world::model::{Id, Owner, Time, World};

/// Something to be told.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub trigger: Trigger,
    /// Whose hooks hear of it, if they ask for it.
    pub places: Vec<HookOwner>,
    /// The branch it is about, where hooks may filter by that.
    pub branch: Option<String>,
    pub body: Value,
}

impl Message {
    fn new(trigger: Trigger, places: Vec<HookOwner>, body: Value) -> Self {
        Self { trigger, places, branch: None, body }
    }

    /// For every system hook.
    fn system(body: Value) -> Self {
        Self::new(Trigger::System, vec![HookOwner::System], body)
    }
}

/// Where a body is made.
#[derive(Clone, Copy)]
struct Scene<'a> {
    world: &'a World,
    settings: &'a Settings,
    at: Time,
}

/// All that is told of an event.
pub(super) fn messages(world: &World, settings: &Settings, event: &Event) -> Vec<Message> {
    let scene = Scene { world, settings, at: event.at };
    let told = match &event.what {
        Happening::MergeRequest(moved) => scene.merge_request_moved(moved),
        Happening::Note { note, edited } => scene.note(note, *edited),
        Happening::Issue(moved) => scene.issue_moved(moved),
        Happening::IssueNote { issue, note_id } => scene.issue_note(issue, *note_id),
        Happening::Push(push) => return scene.push(push),
        Happening::Pipeline(pipeline) => scene.pipeline(pipeline),
        Happening::Job { pipeline, job_id } => scene.job(pipeline, *job_id),
        Happening::Deployment(deployment) => scene.deployment(deployment),
        Happening::Member(moved) => return scene.member(moved),
        Happening::Project(moved) => return scene.project_moved(moved),
        Happening::Group(moved) => return scene.group_moved(moved),
        Happening::User(user) => Some(Message::system(scene.user_created(user))),
    };
    told.into_iter().collect()
}

impl Scene<'_> {
    /// The project and the groups above it; none where the project is gone, and its hooks with it.
    fn places(&self, project_id: Id) -> Option<Vec<HookOwner>> {
        let project = self.world.projects.get(&project_id)?;
        let groups = self.world.project_groups(project).into_iter().map(HookOwner::Group);
        Some(std::iter::once(HookOwner::Project(project_id)).chain(groups).collect())
    }

    fn member(&self, moved: &MemberMoved) -> Vec<Message> {
        let Some(body) = self.member_moved(moved) else { return Vec::new() };
        let system = Message::system(body.clone());
        let Owner::Group(id) = moved.place else { return vec![system] };
        let groups = self.world.group_and_ancestors(id).into_iter().map(HookOwner::Group).collect();
        vec![system, Message::new(Trigger::Member, groups, body)]
    }

    fn project_moved(&self, moved: &ProjectMoved) -> Vec<Message> {
        let body = self.project_event(moved);
        let system = Message::system(body.clone());
        if moved.change == Change::Updated {
            return vec![system];
        }
        let groups = moved.groups.iter().map(|id| HookOwner::Group(*id)).collect();
        vec![system, Message::new(Trigger::Project, groups, body)]
    }

    fn group_moved(&self, moved: &GroupMoved) -> Vec<Message> {
        let system = Message::system(self.group_event(moved));
        let above = moved.above.iter().map(|id| HookOwner::Group(*id)).collect();
        let subgroup = self.subgroup_event(moved).map(|body| Message::new(Trigger::Subgroup, above, body));
        std::iter::once(system).chain(subgroup).collect()
    }
}
