//! What the fake GitLab holds: plain data, close to GitLab's own tables. Times carry microseconds, as GitLab's
//! database does, although REST shows milliseconds and GraphQL whole seconds.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

mod ci;

pub use ci::*;

use super::approval_rules::ApprovalRules;
use super::event::Events;
use super::git::Repository;
use super::issue::Issue;

pub type Id = i64;
pub type Time = DateTime<Utc>;

/// Everything on the instance. Maps are keyed by GitLab's numeric id, so iteration follows creation.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub users: BTreeMap<Id, User>,
    pub groups: BTreeMap<Id, Group>,
    pub projects: BTreeMap<Id, Project>,
    pub labels: BTreeMap<Id, Label>,
    pub milestones: BTreeMap<Id, Milestone>,
    pub merge_requests: BTreeMap<Id, MergeRequest>,
    /// Notes of merge requests.
    pub notes: BTreeMap<Id, Note>,
    pub approval_rules: ApprovalRules,
    pub issues: BTreeMap<Id, Issue>,
    /// What was pushed, by project; a project without an entry has an empty repository.
    pub repositories: BTreeMap<Id, Repository>,
    /// Users who administer the instance.
    pub admins: BTreeSet<Id>,
    /// Pipelines, jobs, environments and deployments.
    pub ci: Ci,
    /// The instance's clock: what GitLab would call now.
    pub now: Time,
    /// The instance's own address without a trailing slash, as it stands in links and `web_url`s.
    pub url: String,
    /// What happened that webhooks tell.
    pub events: Events,
    /// The ids given out so far; an id is never given twice, even when its row was deleted.
    pub ids: Ids,
}

/// The last id given out for each kind of row. A fresh world starts at numbers as a grown instance has them.
#[derive(Debug, Clone)]
pub struct Ids {
    pub user: Id,
    pub group: Id,
    pub project: Id,
    pub label: Id,
    pub milestone: Id,
    pub merge_request: Id,
    pub note: Id,
    pub issue: Id,
    /// How often the clock was moved by a change; it makes the few milliseconds between two writes vary.
    pub ticks: u64,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            user: 1_000,
            group: 5_000,
            project: 20_000,
            label: 300_000,
            milestone: 40_000,
            merge_request: 330_000_000,
            // Beyond 32 bits, as on gitlab.com.
            note: 2_559_900_000,
            issue: 160_000_000,
            ticks: 0,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserType {
    Human,
    Ghost,
    ProjectBot,
    ServiceAccount,
    LlmBot,
    DuoCodeReviewBot,
}

#[derive(Debug, Clone)]
pub struct User {
    pub id: Id,
    pub username: String,
    pub name: String,
    /// active, blocked, deactivated or banned.
    pub state: String,
    pub user_type: UserType,
    pub created_at: Time,
}

#[derive(Debug, Clone)]
pub struct Member {
    pub user_id: Id,
    pub access_level: i32,
    pub created_at: Time,
    pub expires_at: Option<NaiveDate>,
}

#[derive(Debug, Clone)]
pub struct Group {
    pub id: Id,
    pub parent_id: Option<Id>,
    pub name: String,
    pub path: String,
    pub visibility: String,
    pub created_at: Time,
    /// Direct members, keyed by user.
    pub members: BTreeMap<Id, Member>,
    /// Projects of other groups shared into this one.
    pub shared_projects: BTreeSet<Id>,
    /// Groups invited into this one, with the highest level their members get.
    pub invited_groups: BTreeMap<Id, i32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Namespace {
    Group(Id),
    User(Id),
}

#[derive(Debug, Clone)]
pub struct Project {
    pub id: Id,
    pub namespace: Namespace,
    pub name: String,
    pub path: String,
    pub description: Option<String>,
    pub default_branch: Option<String>,
    pub visibility: String,
    pub archived: bool,
    pub topics: Vec<String>,
    pub empty_repo: bool,
    pub forked_from: Option<Id>,
    /// disabled, private or enabled.
    pub merge_requests_access_level: String,
    pub builds_access_level: String,
    /// Whether everybody who reads the project reads its pipelines; from Reporter on otherwise.
    pub public_jobs: bool,
    pub issues_access_level: String,
    pub repository_access_level: String,
    /// Whether a push takes the approvals of a merge request away.
    pub resets_approvals_on_push: bool,
    /// The highest level members of an invited group get; those without an entry are invited as developers.
    pub invited_groups: BTreeMap<Id, i32>,
    pub marked_for_deletion_on: Option<NaiveDate>,
    pub created_at: Time,
    pub updated_at: Time,
    pub last_activity_at: Time,
    /// Direct members, keyed by user.
    pub members: BTreeMap<Id, Member>,
    /// Full paths the project had before, for the 301 of renamed projects.
    pub old_paths: Vec<String>,
    pub next_iid: i64,
    pub next_milestone_iid: i64,
    pub next_issue_iid: i64,
    /// Issues in the order they were opened.
    pub issue_ids: Vec<Id>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    Group(Id),
    Project(Id),
}

#[derive(Debug, Clone)]
pub struct Label {
    pub id: Id,
    pub owner: Owner,
    pub title: String,
    pub color: String,
    pub description: Option<String>,
    pub created_at: Time,
    pub updated_at: Time,
}

#[derive(Debug, Clone)]
pub struct Milestone {
    pub id: Id,
    pub iid: i64,
    pub owner: Owner,
    pub title: String,
    /// active or closed.
    pub state: String,
    pub start_date: Option<NaiveDate>,
    pub due_date: Option<NaiveDate>,
    pub created_at: Time,
    pub updated_at: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeRequestState {
    Opened,
    Closed,
    Locked,
    Merged,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewState {
    Unreviewed,
    Reviewed,
    RequestedChanges,
    Approved,
    Unapproved,
    ReviewStarted,
}

#[derive(Debug, Clone)]
pub struct Reviewer {
    pub user_id: Id,
    pub state: ReviewState,
    pub created_at: Time,
}

#[derive(Debug, Clone)]
pub struct Approval {
    pub user_id: Id,
    pub created_at: Time,
}

#[derive(Debug, Clone, Copy)]
pub struct DiffStats {
    pub additions: i64,
    pub deletions: i64,
    pub file_count: i64,
}

#[derive(Debug, Clone)]
pub struct MergeRequest {
    pub id: Id,
    pub iid: i64,
    pub project_id: Id,
    pub title: String,
    pub description: Option<String>,
    pub state: MergeRequestState,
    pub draft: bool,
    pub author_id: Id,
    pub source_branch: String,
    pub target_branch: String,
    /// None when the fork was deleted.
    pub source_project_id: Option<Id>,
    pub created_at: Time,
    pub updated_at: Time,
    pub merged_at: Option<Time>,
    pub closed_at: Option<Time>,
    /// Who merged it, or who set it to merge automatically while it is still open.
    pub merge_user_id: Option<Id>,
    pub closed_by_id: Option<Id>,
    pub sha: Option<String>,
    /// Shas of its commits, newest first, as they were when it was last pushed to.
    pub commits: Vec<String>,
    pub merge_commit_sha: Option<String>,
    pub squash_commit_sha: Option<String>,
    pub milestone_id: Option<Id>,
    pub label_ids: Vec<Id>,
    pub assignee_ids: Vec<Id>,
    pub reviewers: Vec<Reviewer>,
    pub approvals: Vec<Approval>,
    pub diff_stats: Option<DiffStats>,
    /// Notes in the order they were written.
    pub note_ids: Vec<Id>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteType {
    Plain,
    DiffNote,
    DiscussionNote,
}

#[derive(Debug, Clone)]
pub struct Note {
    pub id: Id,
    pub merge_request_id: Id,
    pub author_id: Id,
    pub body: String,
    pub note_type: NoteType,
    pub system: bool,
    /// GitLab's `system_note_metadata.action`; none for people's notes.
    pub action: Option<String>,
    /// 40 hexadecimal digits; a plain note has one of its own.
    pub discussion_id: String,
    pub resolvable: bool,
    pub resolved: bool,
    pub internal: bool,
    pub created_at: Time,
    pub updated_at: Time,
}
