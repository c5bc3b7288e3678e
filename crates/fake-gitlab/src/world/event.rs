//! What happened in the world, as far as GitLab tells others about it by webhooks. The changes raise events with the rows
//! as they stood at that moment; who is told, and in which words, is not the world's business.

mod raise;

use std::collections::BTreeMap;

use super::git::Commit;
use super::issue::Issue;
use super::model::{Deployment, Group, Id, Member, MergeRequest, Note, Owner, Pipeline, Project, Time, User};

/// The events since they were last taken.
#[derive(Debug, Clone, Default)]
pub struct Events {
    /// Whether anybody wants to know; nothing is kept otherwise.
    pub listening: bool,
    log: Vec<Event>,
    /// Merge requests before the change under way.
    before: BTreeMap<Id, MergeRequest>,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// When.
    pub at: Time,
    /// What.
    pub what: Happening,
}

/// What can happen.
#[derive(Debug, Clone)]
pub enum Happening {
    MergeRequest(Box<MergeRequestMoved>),
    /// A person's note of a merge request; system notes are not told.
    Note {
        note: Note,
        edited: bool,
    },
    Issue(Box<IssueMoved>),
    /// A comment on an issue, of which the world keeps nothing but the number.
    IssueNote {
        issue: Box<Issue>,
        note_id: Id,
    },
    Push(Box<Push>),
    /// A pipeline whose status changed.
    Pipeline(Box<Pipeline>),
    /// A job whose status changed, and its pipeline.
    Job {
        pipeline: Box<Pipeline>,
        job_id: Id,
    },
    /// A deployment that started or ended.
    Deployment(Box<Deployment>),
    Member(MemberMoved),
    Project(Box<ProjectMoved>),
    Group(Box<GroupMoved>),
    /// A user who was created.
    User(User),
}

/// What was done to a merge request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeRequestAction {
    Open,
    Update,
    Approve,
    Unapprove,
    /// A push took the approvals away.
    Reset,
    Merge,
    Close,
    Reopen,
}

impl MergeRequestAction {
    /// What stands behind a system note, by its `system_note_metadata.action`.
    fn noted(action: &str) -> Self {
        match action {
            "approved" => Self::Approve,
            "unapproved" => Self::Unapprove,
            "merged" => Self::Merge,
            "closed" => Self::Close,
            "opened" => Self::Reopen,
            _ => Self::Update,
        }
    }
}

/// A change of a merge request.
#[derive(Debug, Clone)]
pub struct MergeRequestMoved {
    pub action: MergeRequestAction,
    pub by: Id,
    /// None where it is new.
    pub before: Option<MergeRequest>,
    pub after: MergeRequest,
}

/// A change of an issue.
#[derive(Debug, Clone)]
pub struct IssueMoved {
    /// None where it is new.
    pub before: Option<Issue>,
    pub after: Issue,
}

/// A push to a branch.
#[derive(Debug, Clone)]
pub struct Push {
    pub project_id: Id,
    pub by: Id,
    pub branch: String,
    /// Where the branch was; none where it is new.
    pub before: Option<String>,
    pub after: String,
    /// What it brought, oldest first.
    pub commits: Vec<Commit>,
}

/// What was done to a row of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Created,
    Updated,
    Removed,
}

/// A change of a direct membership.
#[derive(Debug, Clone)]
pub struct MemberMoved {
    pub change: Change,
    pub place: Owner,
    pub member: Member,
}

/// A change of a project.
#[derive(Debug, Clone)]
pub struct ProjectMoved {
    pub change: Change,
    /// As it is afterwards, or was at last.
    pub project: Project,
    pub path: String,
    /// The full path before, where it changed.
    pub old_path: Option<String>,
    /// Whether it moved to another namespace.
    pub transferred: bool,
    /// The groups above it, nearest first.
    pub groups: Vec<Id>,
}

/// A change of a group.
#[derive(Debug, Clone)]
pub struct GroupMoved {
    pub change: Change,
    /// As it is afterwards, or was at last.
    pub group: Group,
    pub full_path: String,
    /// Path and full path before a rename.
    pub old_paths: Option<(String, String)>,
    /// The groups above it, nearest first.
    pub above: Vec<Id>,
}
