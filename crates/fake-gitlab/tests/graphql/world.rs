//! A world of one group with a subgroup, two projects and a few merge requests.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration};
use fake_gitlab::world::model::*;

/// A time on 13 June 2025, so many microseconds after midnight.
pub fn at(micros: i64) -> Time {
    DateTime::parse_from_rfc3339("2025-06-13T00:00:00Z").unwrap().to_utc() + Duration::microseconds(micros)
}

pub const SECOND: i64 = 1_000_000;

fn user(id: Id, username: &str, user_type: UserType) -> User {
    User {
        id,
        username: username.into(),
        name: format!("{username} \"Q\""),
        state: "active".into(),
        user_type,
        created_at: at(0),
    }
}

fn member(user_id: Id, access_level: i32) -> (Id, Member) {
    (user_id, Member { user_id, access_level, created_at: at(0), expires_at: None })
}

fn group(id: Id, parent_id: Option<Id>, path: &str, members: Vec<(Id, Member)>) -> Group {
    Group {
        id,
        parent_id,
        name: path.to_uppercase(),
        path: path.into(),
        visibility: "private".into(),
        created_at: at(0),
        members: members.into_iter().collect(),
        shared_projects: BTreeSet::new(),
        invited_groups: BTreeMap::new(),
    }
}

fn project(id: Id, group: Id, path: &str, members: Vec<(Id, Member)>) -> Project {
    Project {
        id,
        namespace: Namespace::Group(group),
        name: path.into(),
        path: path.into(),
        description: None,
        default_branch: Some("main".into()),
        visibility: "private".into(),
        archived: false,
        topics: vec!["rust".into(), "web".into()],
        empty_repo: false,
        forked_from: None,
        merge_requests_access_level: "enabled".into(),
        builds_access_level: "enabled".into(),
        public_jobs: true,
        issues_access_level: "enabled".into(),
        repository_access_level: "enabled".into(),
        resets_approvals_on_push: false,
        invited_groups: BTreeMap::new(),
        marked_for_deletion_on: None,
        created_at: at(0),
        updated_at: at(5 * SECOND),
        last_activity_at: at(6 * SECOND),
        members: members.into_iter().collect(),
        old_paths: Vec::new(),
        next_iid: 100,
        next_milestone_iid: 10,
        next_issue_iid: 1,
        issue_ids: Vec::new(),
    }
}

fn label(id: Id, owner: Owner, title: &str) -> Label {
    Label {
        id,
        owner,
        title: title.into(),
        color: "#ff0000".into(),
        description: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn milestone(id: Id, iid: i64, owner: Owner, title: &str) -> Milestone {
    Milestone {
        id,
        iid,
        owner,
        title: title.into(),
        state: "active".into(),
        start_date: None,
        due_date: chrono::NaiveDate::from_ymd_opt(2025, 7, 1),
        created_at: at(0),
        updated_at: at(0),
    }
}

/// A merge request updated so many microseconds after midnight.
pub fn merge_request(id: Id, project_id: Id, iid: i64, updated: i64) -> MergeRequest {
    MergeRequest {
        id,
        iid,
        project_id,
        title: format!("Change {iid}"),
        description: None,
        state: MergeRequestState::Opened,
        draft: false,
        author_id: 1,
        source_branch: format!("branch-{iid}"),
        target_branch: "main".into(),
        source_project_id: Some(project_id),
        created_at: at(iid * SECOND),
        updated_at: at(updated),
        merged_at: None,
        closed_at: None,
        merge_user_id: None,
        closed_by_id: None,
        sha: Some("a".repeat(40)),
        commits: Vec::new(),
        merge_commit_sha: None,
        squash_commit_sha: None,
        milestone_id: None,
        label_ids: Vec::new(),
        assignee_ids: Vec::new(),
        reviewers: Vec::new(),
        approvals: Vec::new(),
        diff_stats: None,
        note_ids: Vec::new(),
    }
}

/// Puts a merge request into the world.
pub fn add(world: &mut World, merge_request: MergeRequest) {
    world.merge_requests.insert(merge_request.id, merge_request);
}

/// Writes a note on a merge request.
pub fn comment(world: &mut World, id: Id, merge_request_id: Id, body: &str, change: impl FnOnce(&mut Note)) {
    let mut note = Note {
        id,
        merge_request_id,
        author_id: 2,
        body: body.into(),
        note_type: NoteType::Plain,
        system: false,
        action: None,
        discussion_id: format!("{id:040x}"),
        resolvable: false,
        resolved: false,
        internal: false,
        created_at: at(id * SECOND),
        updated_at: at(id * SECOND),
    };
    change(&mut note);
    world.merge_requests.get_mut(&merge_request_id).unwrap().note_ids.push(id);
    world.notes.insert(id, note);
}

/// The world most tests ask.
pub fn small() -> World {
    let mut world = World { now: at(86_400 * SECOND), ..World::default() };
    let users = [
        (1, "ann", UserType::Human),
        (2, "bob", UserType::Human),
        (3, "group_7_bot_ab", UserType::ProjectBot),
    ];
    world.users = users.into_iter().map(|(id, name, kind)| (id, user(id, name, kind))).collect();
    world.users.insert(4, user(4, "GitLabDuo", UserType::DuoCodeReviewBot));
    world.groups.insert(7, group(7, None, "acme", vec![member(1, 50), member(3, 30)]));
    world.groups.insert(8, group(8, Some(7), "web", vec![member(2, 40)]));
    world.projects.insert(11, project(11, 8, "shop", vec![member(4, 20)]));
    world.projects.insert(12, project(12, 7, "tools", vec![]));
    world.labels.insert(21, label(21, Owner::Group(7), "bug"));
    world.labels.insert(22, label(22, Owner::Project(11), "css"));
    world.milestones.insert(31, milestone(31, 1, Owner::Group(7), "Summer"));
    world.milestones.insert(32, milestone(32, 1, Owner::Project(11), "Sprint 1"));
    add(&mut world, full_merge_request());
    for iid in 2..=5 {
        add(&mut world, merge_request(100 + iid, 11, iid, 10 * iid * SECOND + 500));
    }
    add_notes(&mut world);
    world
}

fn full_merge_request() -> MergeRequest {
    MergeRequest {
        state: MergeRequestState::Merged,
        description: Some("Line\none \"two\"".into()),
        merged_at: Some(at(3607 * SECOND + 999_999)),
        merge_user_id: Some(2),
        merge_commit_sha: Some("b".repeat(40)),
        milestone_id: Some(32),
        label_ids: vec![22, 21],
        assignee_ids: vec![1],
        reviewers: vec![
            Reviewer { user_id: 2, state: ReviewState::Approved, created_at: at(0) },
            Reviewer { user_id: 4, state: ReviewState::RequestedChanges, created_at: at(0) },
        ],
        approvals: vec![Approval { user_id: 2, created_at: at(0) }],
        diff_stats: Some(DiffStats { additions: 10, deletions: 4, file_count: 3 }),
        ..merge_request(101, 11, 1, 3607 * SECOND)
    }
}

fn add_notes(world: &mut World) {
    comment(world, 1001, 101, "Please \"rename\"", |note| {
        note.note_type = NoteType::DiffNote;
        note.resolvable = true;
    });
    comment(world, 1002, 101, "Done", |note| {
        note.note_type = NoteType::DiffNote;
        note.resolvable = true;
        note.resolved = true;
        note.author_id = 1;
        note.discussion_id = format!("{:040x}", 1001);
    });
    comment(world, 1003, 101, "approved this merge request", |note| {
        note.system = true;
        note.action = Some("approved".into());
    });
    comment(world, 1004, 101, "For us only", |note| note.internal = true);
}

/// Nothing at all.
pub fn empty() -> World {
    World { users: BTreeMap::new(), ..World::default() }
}
