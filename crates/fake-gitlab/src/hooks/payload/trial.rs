//! What a hook is sent for a trial: the newest row of what it is tried with.

use super::{Message, Scene};
use crate::hooks::{Hook, HookOwner, Trigger};
use crate::settings::Settings;
use crate::world::event::{
    Change, Event, Happening, IssueMoved, MemberMoved, MergeRequestAction, MergeRequestMoved, ProjectMoved,
    Push,
};
use crate::world::model::{Id, JobKind, Owner, Project, World};

/// The message of a trial, or what has to be there first.
pub(crate) fn trial(
    world: &World,
    settings: &Settings,
    hook: &Hook,
    trigger: Trigger,
) -> Result<Message, &'static str> {
    let scene = Scene { world, settings, at: world.now };
    if hook.owner == HookOwner::System {
        return scene.of_system();
    }
    let project = scene.project_of(hook.owner).ok_or("Ensure the group has a project.")?;
    let event = scene.newest(project, trigger).ok_or_else(|| wanting(trigger))?;
    let event = Event { at: world.now, what: event };
    let mut told = super::messages(world, settings, &event);
    let at = told.iter().position(|it| it.trigger == trigger).ok_or_else(|| wanting(trigger))?;
    let mut message = told.swap_remove(at);
    // Nothing was done to what is shown.
    if let Some(attributes) = message.body["object_attributes"].as_object_mut() {
        attributes.remove("action");
    }
    Ok(message)
}

fn wanting(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Push => "Ensure the project has at least one commit.",
        Trigger::MergeRequest => "Ensure the project has merge requests.",
        Trigger::Issue | Trigger::ConfidentialIssue => "Ensure the project has issues.",
        Trigger::Note | Trigger::ConfidentialNote => "Ensure the project has notes.",
        Trigger::Job => "Ensure the project has CI jobs.",
        Trigger::Pipeline => "Ensure the project has CI pipelines.",
        Trigger::Deployment => "Ensure the project has deployments.",
        _ => "Testing not available for this hook",
    }
}

impl<'a> Scene<'a> {
    /// A system hook is tried with the first project of the instance.
    fn of_system(&self) -> Result<Message, &'static str> {
        let project = self.world.projects.values().next().ok_or("Ensure the instance has a project.")?;
        let body = self.project_event(&ProjectMoved {
            change: Change::Created,
            project: project.clone(),
            path: self.world.project_full_path(project),
            old_path: None,
            transferred: false,
            groups: Vec::new(),
        });
        Ok(Message::system(body))
    }

    fn project_of(&self, owner: HookOwner) -> Option<&'a Project> {
        match owner {
            HookOwner::Project(id) => self.world.projects.get(&id),
            HookOwner::Group(id) => {
                self.world.projects.values().find(|it| self.world.project_groups(it).contains(&id))
            }
            HookOwner::System => None,
        }
    }

    fn newest(&self, project: &Project, trigger: Trigger) -> Option<Happening> {
        let world = self.world;
        match trigger {
            Trigger::Push => self.last_push(project),
            Trigger::MergeRequest => self.last_merge_request(project),
            Trigger::Issue => {
                let after = project.issue_ids.iter().rev().find_map(|id| world.issues.get(id))?.clone();
                Some(Happening::Issue(Box::new(IssueMoved { before: Some(after.clone()), after })))
            }
            Trigger::Note => {
                let of_it =
                    |id: Id| world.merge_requests.get(&id).is_some_and(|it| it.project_id == project.id);
                let note = world
                    .notes
                    .values()
                    .rev()
                    .find(|it| !it.system && !it.internal && of_it(it.merge_request_id))?;
                Some(Happening::Note { note: note.clone(), edited: false })
            }
            Trigger::Pipeline => {
                let pipeline = world.ci.pipelines.values().rev().find(|it| it.project_id == project.id)?;
                Some(Happening::Pipeline(Box::new(pipeline.clone())))
            }
            Trigger::Job => {
                let pipelines = world.ci.pipelines.values().rev().filter(|it| it.project_id == project.id);
                let (pipeline, job_id) = pipelines.into_iter().find_map(|pipeline| {
                    let job = pipeline.jobs.iter().rev().find(|it| it.kind == JobKind::Build)?;
                    Some((pipeline, job.id))
                })?;
                Some(Happening::Job { pipeline: Box::new(pipeline.clone()), job_id })
            }
            Trigger::Deployment => {
                let found = world.ci.deployments.values().rev().find(|it| it.project_id == project.id)?;
                Some(Happening::Deployment(Box::new(found.clone())))
            }
            Trigger::Member => {
                let group = world.groups.get(world.project_groups(project).first()?)?;
                let member = group.members.values().next()?.clone();
                let place = Owner::Group(group.id);
                Some(Happening::Member(MemberMoved { change: Change::Created, place, member }))
            }
            _ => None,
        }
    }

    fn last_push(&self, project: &Project) -> Option<Happening> {
        let repository = self.world.repositories.get(&project.id)?;
        let after = repository.head.clone()?;
        let newest = repository.get(&after)?.clone();
        let before = newest.parents.first().cloned();
        let branch = project.default_branch.clone()?;
        let by = project.members.keys().next().copied().unwrap_or_default();
        let push = Push { project_id: project.id, by, branch, before, after, commits: vec![newest] };
        Some(Happening::Push(Box::new(push)))
    }

    fn last_merge_request(&self, project: &Project) -> Option<Happening> {
        let found = self.world.merge_requests.values().rev().find(|it| it.project_id == project.id)?;
        let (action, by) = (MergeRequestAction::Update, found.author_id);
        let (before, after) = (Some(found.clone()), found.clone());
        Some(Happening::MergeRequest(Box::new(MergeRequestMoved { action, by, before, after })))
    }
}
