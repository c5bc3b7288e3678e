//! Repositories as a reader of commits sees them: the commits, and where the default branch stands.

mod walk;

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, TimeZone};

use super::hash::{hex40, kind, mix};
use super::model::{Id, Time};

pub use walk::Log;

/// Who made a commit and when, in the words of whoever made it: neither name nor address need be known to GitLab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub name: String,
    pub email: String,
    /// To the second, as git keeps it, with the offset of the author's clock.
    pub at: DateTime<FixedOffset>,
}

impl Signature {
    /// A signature at this moment, shown on a clock so many minutes east.
    pub fn new(name: &str, email: &str, at: Time, minutes_east: i32) -> Self {
        let zone = FixedOffset::east_opt(minutes_east * 60).expect("the offset is less than a day");
        let at = zone.timestamp_opt(at.timestamp(), 0).single().expect("an offset names one moment");
        Self { name: name.to_owned(), email: email.to_owned(), at }
    }

    /// The same person at another moment.
    pub fn moved_to(&self, at: Time) -> Self {
        Self::new(&self.name, &self.email, at, self.at.offset().local_minus_utc() / 60)
    }
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// 40 hexadecimal digits.
    pub sha: String,
    /// None for the first commit, two for a merge.
    pub parents: Vec<String>,
    pub author: Signature,
    pub committer: Signature,
    pub message: String,
    pub additions: i64,
    pub deletions: i64,
}

/// Titles of this length are cut in the short form.
const LONG_TITLE: usize = 100;
/// What is left of a long title, before the dots.
const CUT_TITLE: usize = 78;

impl Commit {
    /// The first line of the message, or what GitLab says where there is none: `title` in REST, `fullTitle` in
    /// GraphQL.
    pub fn title(&self) -> &str {
        if self.message.trim().is_empty() {
            return "No commit message";
        }
        self.message.split(['\r', '\n']).next().unwrap_or_default()
    }

    /// `title` in GraphQL: a title of 100 characters or more is cut at a space.
    pub fn short_title(&self) -> String {
        let title: Vec<char> = self.title().chars().collect();
        if title.len() < LONG_TITLE {
            return title.into_iter().collect();
        }
        let end = title[..=CUT_TITLE].iter().rposition(|it| *it == ' ').unwrap_or(CUT_TITLE);
        let cut: String = title[..end].iter().collect();
        format!("{cut}...")
    }

    /// The first eight digits.
    pub fn short_id(&self) -> &str {
        &self.sha[..8]
    }

    /// Whether it brings lines of history together.
    pub fn is_merge(&self) -> bool {
        self.parents.len() > 1
    }
}

/// All that was ever pushed to a project. Commits that nothing leads to any more can still be read by their sha.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    commits: BTreeMap<String, Commit>,
    /// The newest commit of the default branch.
    pub head: Option<String>,
}

impl Repository {
    /// Takes a commit in.
    pub fn add(&mut self, commit: Commit) {
        self.commits.insert(commit.sha.clone(), commit);
    }

    /// Takes a commit in and lets the default branch end in it.
    pub fn advance(&mut self, commit: Commit) {
        self.head = Some(commit.sha.clone());
        self.add(commit);
    }

    /// The commit with this sha.
    pub fn get(&self, sha: &str) -> Option<&Commit> {
        self.commits.get(sha)
    }

    /// The commit with this sha, or with the only sha that begins so.
    pub fn find(&self, sha: &str) -> Option<&Commit> {
        const SHORTEST: usize = 7;
        let mut found = self.commits.range(sha.to_owned()..).take_while(|(it, _)| it.starts_with(sha));
        let first = found.next().filter(|_| sha.len() >= SHORTEST);
        first.filter(|_| found.next().is_none()).map(|(_, commit)| commit)
    }

    /// What lies between two commits, oldest first; everything where there is no first one.
    pub fn between(&self, before: Option<&str>, after: &str) -> Vec<Commit> {
        let known = before.map(|before| self.reachable(before)).unwrap_or_default();
        let found = self.reachable(after).into_iter().filter(|sha| !known.contains(sha));
        let mut found: Vec<Commit> = found.filter_map(|sha| self.get(sha)).cloned().collect();
        found.sort_by(|one, other| (one.committer.at, &one.sha).cmp(&(other.committer.at, &other.sha)));
        found
    }

    /// A sha that no commit here has.
    pub fn new_sha(&self, project_id: Id) -> String {
        hex40(kind::COMMIT, mix(project_id as u64) ^ self.commits.len() as u64)
    }

    /// Lets the default branch go on in a line of commits, newest first, as a merge without a merge commit does. Where
    /// the branch has moved since, the oldest that is new to it follows its head, as after a rebase.
    pub fn fast_forward(&mut self, line: &[String]) {
        let Some(newest) = line.first() else { return };
        if let Some(head) = self.head.clone() {
            let known = self.reachable(&head);
            let oldest = line.iter().rev().find(|sha| !known.contains(sha.as_str())).cloned();
            let Some(commit) = oldest.and_then(|sha| self.commits.get_mut(&sha)) else { return };
            commit.parents = std::iter::once(head).chain(commit.parents.drain(..).skip(1)).collect();
        }
        self.head = Some(newest.clone());
    }
}
