//! The commits behind the merge requests: each project's story told again from its beginning, as branches opened,
//! merges and pushes to the default branch.

use chrono::TimeDelta;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::Scale;
use super::messages::{ODD_MESSAGES, OUTSIDERS};
use super::words::{THINGS, VERBS};
use crate::world::change::new_commit;
use crate::world::git::{Commit, Signature};
use crate::world::model::{Id, MergeRequest, MergeRequestState, Time, UserType, World};

/// Commits of the merge request with very many.
const MANY: usize = 250;
/// Commits the first project has on top.
const MORE: usize = 100;

/// Writes the commits of every project that has a default branch. The clock and the ids given out stay as they are.
pub(super) fn write(world: &mut World, rng: ChaCha8Rng, scale: &Scale) {
    world.repositories.clear();
    world.merge_requests.values_mut().for_each(|mr| mr.commits.clear());
    let users = world.users.values().filter(|user| user.user_type == UserType::Human);
    let people = users.map(|user| user.id).collect();
    let with_code = world.projects.values().filter(|project| project.default_branch.is_some());
    let projects: Vec<Id> = with_code.map(|project| project.id).collect();
    let mut history = History { world, rng, people, before: None };
    for (number, project_id) in projects.into_iter().enumerate() {
        let odd = scale.oddities && number == 0;
        history.project(project_id, scale.commits_per_project + if odd { MORE } else { 0 }, odd);
    }
}

enum Event {
    Opened(Id),
    Merged(Id),
    Pushed,
}

struct History<'w> {
    world: &'w mut World,
    rng: ChaCha8Rng,
    people: Vec<Id>,
    /// The merge request that was opened last: the next may stand on it.
    before: Option<Id>,
}

impl History<'_> {
    fn project(&mut self, project_id: Id, commits: usize, odd: bool) {
        let begin = self.world.projects[&project_id].created_at;
        self.before = None;
        let root = self.commit(project_id, None, Vec::new(), begin);
        self.world.repository_mut(project_id).advance(root);
        for (at, event) in self.events(project_id, commits) {
            match event {
                Event::Opened(id) if odd && self.world.merge_requests[&id].iid == 1 => self.branch(id, MANY),
                Event::Opened(id) => {
                    let count = self.rng.random_range(1..=6);
                    self.branch(id, count);
                }
                Event::Merged(id) => self.world.land(id),
                Event::Pushed => self.push(project_id, at),
            }
        }
    }

    /// What happened, in order. Pushes fill up what merges leave of the commits wanted.
    fn events(&mut self, project_id: Id, commits: usize) -> Vec<(Time, Event)> {
        let all = self.world.merge_requests.values().filter(|mr| mr.project_id == project_id);
        let mut events: Vec<(Time, Event)> = Vec::new();
        for mr in all {
            events.push((mr.created_at, Event::Opened(mr.id)));
            let merged_at = mr.merged_at.filter(|_| mr.state == MergeRequestState::Merged);
            events.extend(merged_at.map(|at| (at, Event::Merged(mr.id))));
        }
        let merged = events.iter().filter(|(_, event)| matches!(event, Event::Merged(_))).count();
        let begin = self.world.projects[&project_id].created_at + TimeDelta::hours(1);
        let span = (self.world.now - TimeDelta::minutes(15) - begin).num_seconds().max(1);
        for _ in 0..commits.saturating_sub(3 * merged).max(commits / 4) {
            events.push((begin + TimeDelta::seconds(self.rng.random_range(0..span)), Event::Pushed));
        }
        events.sort_by_key(|(at, _)| *at);
        events
    }

    /// The commits of a merge request, on top of the default branch or, seldom, of another merge request.
    fn branch(&mut self, id: Id, count: usize) {
        let mr = self.world.merge_requests[&id].clone();
        let Some(head) = mr.sha.clone() else { return };
        let below = self.before.filter(|_| self.rng.random_ratio(1, 8));
        let mut line = below.map(|id| self.world.merge_requests[&id].commits.clone()).unwrap_or_default();
        self.before = Some(id).filter(|_| below.is_none() && count < MANY);
        let trunk = self.world.repository_mut(mr.project_id).head.clone();
        let step = if count == MANY { 2 } else { self.rng.random_range(3..200) };
        for number in (0..count).rev() {
            let at = mr.created_at - TimeDelta::minutes(step * number as i64) - TimeDelta::seconds(20);
            let before = line.first().or(trunk.as_ref()).cloned();
            let mut commit = self.commit(mr.project_id, Some(mr.author_id), before.into_iter().collect(), at);
            match number {
                0 => commit.sha.clone_from(&head),
                1 if count > 3 && self.rng.random_ratio(1, 3) => merge_trunk(&mut commit, &trunk, &mr),
                _ => {}
            }
            line.insert(0, commit.sha.clone());
            self.world.repository_mut(mr.project_id).add(commit);
        }
        self.world.merge_request_mut(id).commits = line;
    }

    /// One commit on the default branch; some were made long before they came.
    fn push(&mut self, project_id: Id, at: Time) {
        let head = self.world.repository_mut(project_id).head.clone();
        let mut commit = self.commit(project_id, None, head.into_iter().collect(), at);
        if self.rng.random_ratio(1, 25) {
            let made = at - TimeDelta::days(self.rng.random_range(20..700));
            commit.author = commit.author.moved_to(made);
            commit.committer = commit.committer.moved_to(made);
        }
        self.world.repository_mut(project_id).advance(commit);
    }

    /// A commit by this user or somebody, made at this moment or written a while before it.
    fn commit(&mut self, project_id: Id, by: Option<Id>, parents: Vec<String>, at: Time) -> Commit {
        let sha = self.world.repository_mut(project_id).new_sha(project_id);
        let committer = self.signature(by, at);
        let mut author = committer.clone();
        if self.rng.random_ratio(1, 5) {
            let written = at - TimeDelta::minutes(self.rng.random_range(1..3_000));
            author = self.signature(by, written);
        }
        let message = self.message();
        Commit { committer, ..new_commit(sha, parents, author, &message) }
    }

    fn signature(&mut self, by: Option<Id>, at: Time) -> Signature {
        if self.rng.random_ratio(1, 10) {
            let (name, email) = OUTSIDERS[self.rng.random_range(0..OUTSIDERS.len())];
            return Signature::new(name, email, at, 60);
        }
        let somebody = self.people[self.rng.random_range(0..self.people.len())];
        self.world.signature(by.unwrap_or(somebody), at)
    }

    fn message(&mut self) -> String {
        if self.rng.random_ratio(1, 20) {
            return ODD_MESSAGES[self.rng.random_range(0..ODD_MESSAGES.len())].to_owned();
        }
        let verb = VERBS[self.rng.random_range(0..VERBS.len())];
        let thing = THINGS[self.rng.random_range(0..THINGS.len())];
        let body = if self.rng.random_ratio(1, 3) { "\n\nAs was said in the review.\n" } else { "\n" };
        format!("{verb} {thing}{body}")
    }
}

/// Makes a commit one that brings a branch up to date with the default branch.
fn merge_trunk(commit: &mut Commit, trunk: &Option<String>, mr: &MergeRequest) {
    let new = trunk.iter().filter(|sha| !commit.parents.contains(sha)).cloned();
    commit.parents.extend(new.collect::<Vec<_>>());
    if commit.is_merge() {
        commit.message = format!("Merge branch '{}' into '{}'", mr.target_branch, mr.source_branch);
    }
}
