//! The life of a merge request: opened, pushed to, renamed, drafted, merged, closed, reopened, deleted.

use chrono::TimeDelta;

use super::commits::added_note;
use crate::world::hash::{hex40, kind, mix};
use crate::world::model::{DiffStats, Id, MergeRequest, MergeRequestState, World};

/// How a merge request is merged; it decides which commits GitLab reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeStyle {
    /// A merge commit.
    MergeCommit,
    /// A squash commit and a merge commit.
    Squash,
    /// Neither.
    FastForward,
}

/// A merge request to be opened.
#[derive(Debug, Clone)]
pub struct NewMergeRequest {
    /// The target project.
    pub project_id: Id,
    /// Who opens it.
    pub author_id: Id,
    /// Title, without `Draft: `.
    pub title: String,
    /// Opened as a draft.
    pub draft: bool,
    /// The fork it comes from; the project itself where none is given.
    pub source_project_id: Option<Id>,
}

impl World {
    /// Opens a merge request. GitLab writes no note about that.
    pub fn open_merge_request(&mut self, new: NewMergeRequest) -> Id {
        let now = self.tick();
        self.ids.merge_request += 1 + (self.ids.ticks % 5) as i64;
        let id = self.ids.merge_request;
        let project = self.projects.get_mut(&new.project_id).expect("the project exists");
        let iid = project.next_iid.max(1);
        project.next_iid = iid + 1;
        project.empty_repo = false;
        let target_branch = project.default_branch.get_or_insert_with(|| "main".to_owned()).clone();
        let title = if new.draft { format!("Draft: {}", new.title) } else { new.title };
        let merge_request = MergeRequest {
            id,
            iid,
            project_id: new.project_id,
            title,
            description: Some(format!("What {iid} is about.")),
            state: MergeRequestState::Opened,
            draft: new.draft,
            author_id: new.author_id,
            source_branch: format!("{iid}-change"),
            target_branch,
            source_project_id: Some(new.source_project_id.unwrap_or(new.project_id)),
            created_at: now,
            updated_at: now,
            merged_at: None,
            closed_at: None,
            merge_user_id: None,
            closed_by_id: None,
            sha: Some(hex40(kind::HEAD, id as u64)),
            commits: Vec::new(),
            merge_commit_sha: None,
            squash_commit_sha: None,
            milestone_id: None,
            label_ids: Vec::new(),
            assignee_ids: Vec::new(),
            reviewers: Vec::new(),
            approvals: Vec::new(),
            diff_stats: Some(diff_stats(id as u64)),
            note_ids: Vec::new(),
        };
        self.merge_requests.insert(id, merge_request);
        self.make_approval_rules(id);
        self.commit_to_branch(id, new.author_id, 1 + (id % 3) as usize);
        self.note_activity(id);
        self.raise_opened(id);
        id
    }

    /// Pushes commits: a new head and the note `added 1 commit`. With `reset_approvals` the approvals go, without a
    /// note of their own.
    pub fn push(&mut self, merge_request_id: Id, by: Id, commits: usize, reset_approvals: bool) {
        self.tick();
        let salt = self.ids.ticks;
        let mr = self.merge_request_mut(merge_request_id);
        let head = hex40(kind::HEAD, mr.id as u64 ^ mix(salt));
        mr.diff_stats = Some(diff_stats(mr.id as u64 ^ salt));
        let body = added_note(commits, &head, mr.iid, salt);
        mr.sha = Some(head);
        self.commit_to_branch(merge_request_id, by, commits);
        if reset_approvals {
            self.take_approvals(merge_request_id, by);
        }
        self.system_note(merge_request_id, by, "commit", body);
    }

    /// Renames it. The note shows both titles.
    pub fn retitle(&mut self, merge_request_id: Id, by: Id, title: &str) {
        let mr = self.merge_request_mut(merge_request_id);
        let title = if mr.draft { format!("Draft: {title}") } else { title.to_owned() };
        let body = format!("changed title from **{}** to **{title}**", mr.title);
        mr.title = title;
        self.save(merge_request_id);
        self.system_note(merge_request_id, by, "title", body);
    }

    /// Changes the description.
    pub fn describe(&mut self, merge_request_id: Id, by: Id, description: &str) {
        self.merge_request_mut(merge_request_id).description = Some(description.to_owned());
        self.save(merge_request_id);
        self.system_note(merge_request_id, by, "description", "changed the description".to_owned());
    }

    /// Marks it as draft or as ready, by the title's prefix as GitLab does. No effect when it already is.
    pub fn set_draft(&mut self, merge_request_id: Id, by: Id, draft: bool) {
        let mr = self.merge_request_mut(merge_request_id);
        if mr.draft == draft {
            return;
        }
        let bare = mr.title.strip_prefix("Draft: ").unwrap_or(&mr.title).to_owned();
        mr.title = if draft { format!("Draft: {bare}") } else { bare };
        mr.draft = draft;
        self.save(merge_request_id);
        let word = if draft { "draft" } else { "ready" };
        self.system_note(merge_request_id, by, "title", format!("marked this merge request as **{word}**"));
    }

    /// Points it at another branch.
    pub fn change_target_branch(&mut self, merge_request_id: Id, by: Id, branch: &str) {
        let mr = self.merge_request_mut(merge_request_id);
        let body = format!("changed target branch from `{}` to `{branch}`", mr.target_branch);
        mr.target_branch = branch.to_owned();
        self.save(merge_request_id);
        self.system_note(merge_request_id, by, "branch", body);
    }

    /// Sets it to merge by itself; `merge_user` is set while it is still open.
    pub fn enable_auto_merge(&mut self, merge_request_id: Id, by: Id) {
        self.merge_request_mut(merge_request_id).merge_user_id = Some(by);
        self.save(merge_request_id);
        let body = "enabled an automatic merge when all merge checks for this merge request pass".to_owned();
        self.system_note(merge_request_id, by, "merge", body);
    }

    /// Takes the automatic merge back.
    pub fn cancel_auto_merge(&mut self, merge_request_id: Id, by: Id) {
        self.merge_request_mut(merge_request_id).merge_user_id = None;
        self.save(merge_request_id);
        self.system_note(merge_request_id, by, "merge", "canceled the automatic merge".to_owned());
    }

    /// The moment while it is being merged.
    pub fn lock(&mut self, merge_request_id: Id) {
        self.merge_request_mut(merge_request_id).state = MergeRequestState::Locked;
        self.save(merge_request_id);
    }

    /// Merges it. `merged_at` is written up to a second after `updated_at`, which the note no longer moves.
    pub fn merge(&mut self, merge_request_id: Id, by: Id, style: MergeStyle) {
        self.keep_approval_rules(merge_request_id);
        let salt = self.ids.ticks;
        let mr = self.merge_request_mut(merge_request_id);
        mr.state = MergeRequestState::Merged;
        mr.merge_user_id = Some(by);
        let id = mr.id as u64;
        mr.merge_commit_sha =
            (style != MergeStyle::FastForward).then(|| hex40(kind::MERGE_COMMIT, id ^ mix(salt)));
        mr.squash_commit_sha =
            (style == MergeStyle::Squash).then(|| hex40(kind::SQUASH_COMMIT, id ^ mix(salt)));
        self.save(merge_request_id);
        let merged_at = self.later_by_up_to_a_second();
        self.merge_request_mut(merge_request_id).merged_at = Some(merged_at);
        self.land(merge_request_id);
        self.system_note(merge_request_id, by, "merged", "merged".to_owned());
    }

    /// Closes it. `closed_at` is written up to a second after `updated_at`.
    pub fn close(&mut self, merge_request_id: Id, by: Id) {
        self.merge_request_mut(merge_request_id).state = MergeRequestState::Closed;
        self.save(merge_request_id);
        let closed_at = self.later_by_up_to_a_second();
        let mr = self.merge_request_mut(merge_request_id);
        mr.closed_at = Some(closed_at);
        mr.closed_by_id = Some(by);
        self.system_note(merge_request_id, by, "closed", "closed".to_owned());
    }

    /// Opens it again, which takes away when it was closed and by whom.
    pub fn reopen(&mut self, merge_request_id: Id, by: Id) {
        let mr = self.merge_request_mut(merge_request_id);
        mr.state = MergeRequestState::Opened;
        (mr.closed_at, mr.closed_by_id) = (None, None);
        self.save(merge_request_id);
        self.system_note(merge_request_id, by, "opened", "reopened".to_owned());
    }

    /// Notes that something else mentions it.
    pub fn cross_reference(&mut self, merge_request_id: Id, by: Id, what: &str) {
        self.system_note(merge_request_id, by, "cross_reference", format!("mentioned in {what}"));
    }

    /// Deletes the merge request with its notes. What remains is a gap in the numbers.
    pub fn delete_merge_request(&mut self, merge_request_id: Id) {
        let Some(mr) = self.merge_requests.remove(&merge_request_id) else { return };
        for note in mr.note_ids {
            self.notes.remove(&note);
        }
    }

    fn later_by_up_to_a_second(&mut self) -> crate::world::model::Time {
        let millis = 1 + (mix(self.ids.ticks) % 880) as i64;
        self.now += TimeDelta::milliseconds(millis);
        self.now
    }
}

fn diff_stats(seed: u64) -> DiffStats {
    let random = mix(seed);
    DiffStats {
        additions: (random % 400) as i64,
        deletions: ((random >> 16) % 200) as i64,
        file_count: 1 + ((random >> 32) % 20) as i64,
    }
}
