//! How git walks from a commit to those before it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use super::{Commit, Repository};
use crate::world::model::Time;

/// What to list, and how.
#[derive(Debug, Clone, Copy, Default)]
pub struct Log {
    /// No further back than to commits of this time. An older one ends its line, so that newer ones behind it are
    /// missed too.
    pub since: Option<Time>,
    /// None committed later.
    pub until: Option<Time>,
    /// Leaves out what merges brought in.
    pub first_parent: bool,
    /// Lines of history are kept together; otherwise the commit of the latest date comes first.
    pub topo: bool,
}

impl Log {
    fn parents<'c>(&self, commit: &'c Commit) -> impl Iterator<Item = &'c str> + use<'c> {
        let count = if self.first_parent { 1 } else { usize::MAX };
        commit.parents.iter().take(count).map(String::as_str)
    }

    fn reaches(&self, commit: &Commit) -> bool {
        self.since.is_none_or(|since| commit.committer.at >= since)
    }

    fn shows(&self, commit: &Commit) -> bool {
        self.until.is_none_or(|until| commit.committer.at <= until)
    }
}

impl Repository {
    /// The commits from this one back, in git's order.
    pub fn log(&self, from: &str, log: Log) -> Vec<&Commit> {
        let mut found = self.by_date(from, log);
        if log.topo {
            found = self.by_lines(&found, log);
        }
        found.retain(|commit| log.shows(commit));
        found
    }

    /// The commits of the default branch, as git lists them.
    pub fn trunk(&self) -> Vec<&Commit> {
        self.head.as_deref().map(|head| self.log(head, Log::default())).unwrap_or_default()
    }

    /// What GitLab counts as `commit_count`: the commits of the default branch.
    pub fn commit_count(&self) -> usize {
        self.head.as_deref().map_or(0, |head| self.reachable(head).len())
    }

    /// This commit and all before it.
    pub fn reachable(&self, from: &str) -> HashSet<&str> {
        let mut found = HashSet::new();
        let mut open: Vec<&Commit> = self.get(from).into_iter().collect();
        while let Some(commit) = open.pop() {
            if found.insert(commit.sha.as_str()) {
                open.extend(commit.parents.iter().filter_map(|sha| self.get(sha)));
            }
        }
        found
    }

    /// The latest date first among those whose child was listed; of equal dates the one that was met first.
    fn by_date(&self, from: &str, log: Log) -> Vec<&Commit> {
        let mut met = HashSet::from([from]);
        let mut queue = BinaryHeap::new();
        let entry = |at: usize, commit: &Commit| (commit.committer.at, Reverse(at));
        let mut waiting: Vec<&Commit> = self.get(from).into_iter().collect();
        queue.extend(waiting.first().map(|it| entry(0, it)));
        let mut found = Vec::new();
        while let Some((_, Reverse(at))) = queue.pop() {
            let commit = waiting[at];
            if !log.reaches(commit) {
                continue;
            }
            found.push(commit);
            for parent in log.parents(commit).filter_map(|sha| self.get(sha)) {
                if met.insert(&parent.sha) {
                    queue.push(entry(waiting.len(), parent));
                    waiting.push(parent);
                }
            }
        }
        found
    }

    /// No commit before all its children, and what a merge brought in before what it was merged into.
    fn by_lines<'c>(&'c self, found: &[&'c Commit], log: Log) -> Vec<&'c Commit> {
        let mut children: HashMap<&str, usize> = found.iter().map(|it| (it.sha.as_str(), 0)).collect();
        for parent in found.iter().flat_map(|it| log.parents(it)) {
            if let Some(count) = children.get_mut(parent) {
                *count += 1;
            }
        }
        let mut stack: Vec<&Commit> = found.first().copied().into_iter().collect();
        let mut sorted = Vec::with_capacity(found.len());
        while let Some(commit) = stack.pop() {
            sorted.push(commit);
            for parent in log.parents(commit) {
                let Some(count) = children.get_mut(parent) else { continue };
                *count -= 1;
                if *count == 0 {
                    stack.extend(self.get(parent));
                }
            }
        }
        sorted
    }
}
