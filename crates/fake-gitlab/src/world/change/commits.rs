//! What is pushed: to the default branch, and to the branches of merge requests.

use chrono::TimeDelta;

use crate::world::event::Push;
use crate::world::git::{Commit, Repository, Signature};
use crate::world::hash::{hex40, kind, mix};
use crate::world::model::{Id, MergeRequest, Time, World};

/// Minutes east of Greenwich where people live.
const ZONES: [i32; 6] = [0, 60, 120, -300, 330, 540];

impl World {
    /// The address a user commits with.
    pub fn email(&self, user_id: Id) -> String {
        format!("{}@example.com", self.username(user_id))
    }

    /// How a user signs a commit at this moment.
    pub fn signature(&self, user_id: Id, at: Time) -> Signature {
        let name = self.users.get(&user_id).map_or("Ghost User", |user| &user.name);
        let zone = ZONES[(mix(user_id as u64) % ZONES.len() as u64) as usize];
        Signature::new(name, &self.email(user_id), at, zone)
    }

    pub(crate) fn repository_mut(&mut self, project_id: Id) -> &mut Repository {
        self.repositories.entry(project_id).or_default()
    }

    /// The commits of a merge request, newest first.
    pub fn commits_of(&self, merge_request: &MergeRequest) -> Vec<&Commit> {
        let repository = self.repositories.get(&merge_request.project_id);
        merge_request.commits.iter().filter_map(|sha| repository?.get(sha)).collect()
    }

    /// Pushes commits to the default branch, oldest first, and gives their shas. An empty repository gets a branch.
    pub fn push_to_trunk(&mut self, project_id: Id, by: Id, commits: usize) -> Vec<String> {
        let now = self.tick();
        self.trunk_moved(project_id);
        let at = |number: usize| now - TimeDelta::minutes(7 * (commits - number) as i64);
        self.pushing(project_id, by, |world| {
            let commit = |number| world.commit_to_trunk(project_id, by, at(number), "Work on the trunk");
            (0..commits).map(commit).collect()
        })
    }

    /// Pushes a commit that was made long ago: its date lies before those of the commits behind it.
    pub fn push_old_commit(&mut self, project_id: Id, by: Id, age: TimeDelta) -> String {
        let now = self.tick();
        self.trunk_moved(project_id);
        let commit =
            |world: &mut Self| world.commit_to_trunk(project_id, by, now - age, "Found on an old disk");
        self.pushing(project_id, by, commit)
    }

    /// Takes the newest commits off the default branch and puts another in their place. The first commit stays.
    pub fn force_push_trunk(&mut self, project_id: Id, by: Id, dropped: usize) -> String {
        let now = self.tick();
        self.trunk_moved(project_id);
        self.pushing(project_id, by, |world| {
            let repository = world.repository_mut(project_id);
            for _ in 0..dropped {
                let head = repository.head.as_deref().and_then(|head| repository.get(head));
                let Some(before) = head.and_then(|head| head.parents.first()).cloned() else { break };
                repository.head = Some(before);
            }
            world.commit_to_trunk(project_id, by, now, "Begin again from here")
        })
    }

    /// Names another branch as the default, or none. The commits listed do not change: there is only one branch.
    pub fn set_default_branch(&mut self, project_id: Id, branch: Option<&str>) {
        self.edit_project(project_id, |it| it.default_branch = branch.map(str::to_owned));
    }

    fn trunk_moved(&mut self, project_id: Id) {
        let now = self.now;
        let project = self.projects.get_mut(&project_id).expect("the project exists");
        project.empty_repo = false;
        project.default_branch.get_or_insert_with(|| "main".to_owned());
        if now - project.last_activity_at > super::ACTIVITY_INTERVAL {
            project.last_activity_at = now;
        }
    }

    /// A branch begins somewhere.
    fn begin_trunk(&mut self, project_id: Id, by: Id) {
        if self.repository_mut(project_id).head.is_none() {
            let long_ago = self.now - TimeDelta::days(1);
            self.pushing(project_id, by, |world| {
                world.commit_to_trunk(project_id, by, long_ago, "Initial commit")
            });
        }
    }

    fn commit_to_trunk(&mut self, project_id: Id, by: Id, at: Time, message: &str) -> String {
        let author = self.signature(by, at);
        let repository = self.repository_mut(project_id);
        let parents = repository.head.iter().cloned().collect();
        let commit = new_commit(repository.new_sha(project_id), parents, author, message);
        let sha = commit.sha.clone();
        repository.advance(commit);
        sha
    }

    /// Puts commits on top of those of a merge request; the newest is its head.
    pub(super) fn commit_to_branch(&mut self, merge_request_id: Id, by: Id, count: usize) {
        let mr = &self.merge_requests[&merge_request_id];
        let (project_id, Some(head)) = (mr.project_id, mr.sha.clone()) else { return };
        let before = mr.commits.first().cloned();
        let mut parent = before.clone();
        self.begin_trunk(project_id, by);
        for number in (0..count).rev() {
            let at = self.now - TimeDelta::minutes(11 * number as i64 + 1);
            let author = self.signature(by, at);
            let repository = self.repository_mut(project_id);
            let sha = if number == 0 { head.clone() } else { repository.new_sha(project_id) };
            let parents = parent.or_else(|| repository.head.clone()).into_iter().collect();
            repository.add(new_commit(sha.clone(), parents, author, "Take up the review"));
            self.merge_request_mut(merge_request_id).commits.insert(0, sha.clone());
            parent = Some(sha);
        }
        self.raise_branch(merge_request_id, by, before, count);
    }

    /// Pushes to a merge request of a project that decides itself whether approvals go.
    pub fn push_commits(&mut self, merge_request_id: Id, by: Id, commits: usize) {
        let resets =
            self.projects[&self.merge_requests[&merge_request_id].project_id].resets_approvals_on_push;
        self.push(merge_request_id, by, commits, resets);
    }

    /// Replaces the commits of a merge request, as a push after a rebase does: who wrote them and when stays, all else
    /// is new. The note counts all of them as added.
    pub fn force_push(&mut self, merge_request_id: Id, by: Id) {
        let now = self.tick();
        let mr = &self.merge_requests[&merge_request_id];
        let (project_id, iid, old) = (mr.project_id, mr.iid, mr.commits.clone());
        let before = old.first().cloned();
        let salt = mix(self.ids.ticks) ^ merge_request_id as u64;
        let committer = self.signature(by, now);
        let repository = self.repository_mut(project_id);
        let mut parent = repository.head.clone();
        let mut line = Vec::with_capacity(old.len());
        for (number, sha) in old.iter().rev().enumerate() {
            let Some(mut commit) = repository.get(sha).cloned() else { continue };
            commit.sha = hex40(kind::COMMIT, mix(salt ^ number as u64));
            commit.parents = parent.into_iter().collect();
            commit.committer = committer.clone();
            parent = Some(commit.sha.clone());
            line.insert(0, commit.sha.clone());
            repository.add(commit);
        }
        let Some(head) = line.first().cloned() else { return };
        let body = added_note(line.len(), &head, iid, salt);
        let mr = self.merge_request_mut(merge_request_id);
        (mr.sha, mr.commits) = (Some(head), line);
        self.raise_branch(merge_request_id, by, before, old.len());
        if self.projects[&project_id].resets_approvals_on_push {
            self.take_approvals(merge_request_id, by);
        }
        self.system_note(merge_request_id, by, "commit", body);
    }

    /// Puts what a merge left behind on the default branch, where that is the target: the squashed commit and the
    /// merge commit as far as there are any, otherwise the merge request's own commits.
    pub(crate) fn land(&mut self, merge_request_id: Id) {
        let mr = &self.merge_requests[&merge_request_id];
        let project_id = mr.project_id;
        if self.projects[&project_id].default_branch.as_ref() != Some(&mr.target_branch) {
            return;
        }
        let (mr, by) = (mr.clone(), mr.merge_user_id.unwrap_or(mr.author_id));
        self.pushing(project_id, by, |world| world.land_on_trunk(mr, by));
    }

    fn land_on_trunk(&mut self, mr: MergeRequest, by: Id) {
        let project_id = mr.project_id;
        let at = mr.merged_at.unwrap_or(self.now);
        let committer = self.signature(by, at);
        let author = self.signature(mr.author_id, at);
        let repository = self.repository_mut(project_id);
        let mut branch = mr.commits.first().cloned();
        if let Some(sha) = mr.squash_commit_sha {
            let parents = repository.head.iter().cloned().collect();
            repository.add(Commit {
                committer: committer.clone(),
                ..new_commit(sha.clone(), parents, author, &mr.title)
            });
            branch = Some(sha);
        }
        let Some(sha) = mr.merge_commit_sha else { return repository.fast_forward(&mr.commits) };
        let parents = repository.head.iter().cloned().chain(branch).collect();
        let message = format!(
            "Merge branch '{}' into '{}'\n\n{}\n\nSee merge request !{}",
            mr.source_branch, mr.target_branch, mr.title, mr.iid
        );
        repository.advance(new_commit(sha, parents, committer, &message));
    }

    /// Lets the default branch move, and tells that it did.
    fn pushing<T>(&mut self, project_id: Id, by: Id, change: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.repositories.get(&project_id).and_then(|it| it.head.clone());
        let done = change(self);
        self.raise_push(|world| {
            let repository = world.repositories.get(&project_id)?;
            let after = repository.head.clone().filter(|head| before.as_ref() != Some(head))?;
            let branch = world.projects[&project_id].default_branch.clone();
            let branch = branch.unwrap_or_else(|| "main".to_owned());
            let commits = repository.between(before.as_deref(), &after);
            Some(Push { project_id, by, branch, before, after, commits })
        });
        done
    }

    /// Tells that the branch of a merge request moved, in the project it comes from, and brought so many commits.
    fn raise_branch(&mut self, merge_request_id: Id, by: Id, before: Option<String>, count: usize) {
        self.raise_push(|world| {
            let mr = &world.merge_requests[&merge_request_id];
            let after = mr.commits.first().filter(|head| before.as_ref() != Some(*head))?.clone();
            let commits = world.commits_of(mr).into_iter().take(count).rev().cloned().collect();
            let (project_id, branch) = (mr.source_project_id?, mr.source_branch.clone());
            Some(Push { project_id, by, branch, before, after, commits })
        });
    }
}

/// A commit of one person, with a size that its sha decides.
pub(crate) fn new_commit(sha: String, parents: Vec<String>, author: Signature, message: &str) -> Commit {
    let size = mix(sha.bytes().fold(0, |sum, byte| mix(sum ^ u64::from(byte))));
    Commit {
        sha,
        parents,
        committer: author.clone(),
        author,
        message: message.to_owned(),
        additions: (size % 300) as i64,
        deletions: ((size >> 20) % 120) as i64,
    }
}

/// What GitLab notes about a push.
pub(super) fn added_note(commits: usize, head: &str, iid: i64, version: u64) -> String {
    let plural = if commits == 1 { "" } else { "s" };
    format!(
        "added {commits} commit{plural}\n\n<ul><li>{} - Take up the review</li></ul>\n\n\
         [Compare with previous version](/-/merge_requests/{iid}/diffs?diff_id={version})",
        &head[..8]
    )
}
