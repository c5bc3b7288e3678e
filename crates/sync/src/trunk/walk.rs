//! How far a walk through a branch has got, and what it asks for next.

use std::collections::{BTreeSet, HashSet};

use catalogue::commits::Lineage;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use store::Prune;

/// A walk from the head of a branch. It is stored with every page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walk {
    /// The start of the run in which it began.
    pub(super) begun_at: DateTime<Utc>,
    /// That run.
    pub(super) sync_id: i64,
    /// Whether the list is read to its end; otherwise until nothing is missing.
    pub(super) everything: bool,
    /// Whether the size of each commit is asked for.
    pub(super) statistics: bool,
    /// What was committed earlier is left out.
    pub(super) since: Option<DateTime<Utc>>,
    /// Whether nothing was stored when it began: then nothing can be gone.
    pub(super) fresh: bool,
    /// The commit in which the branch ended; none before the first page, and where there is nothing.
    pub(super) head: Option<String>,
    /// The commit whose history is listed; none for the branch itself.
    pub(super) from: Option<String>,
    /// The page to be asked for.
    pub(super) page: usize,
    /// What new commits stand on and is not stored.
    missing: BTreeSet<String>,
    /// Whether the list was followed from the head without a break.
    unbroken: bool,
    /// Whether the head of the last reading was met.
    met: bool,
    /// Whether something on the way could not be read.
    pub(super) holes: bool,
    /// Whether it has brought commits that were not stored.
    pub(super) grew: bool,
}

/// A page of the list.
pub(super) struct Listed {
    pub(super) commits: Vec<Lineage>,
    pub(super) more: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another page is to be read.
    More,
    End,
}

impl Walk {
    pub(super) fn new(begun_at: DateTime<Utc>, sync_id: i64) -> Walk {
        Walk {
            begun_at,
            sync_id,
            everything: false,
            statistics: false,
            since: None,
            fresh: false,
            head: None,
            from: None,
            page: 1,
            missing: BTreeSet::new(),
            unbroken: true,
            met: false,
            holes: false,
            grew: false,
        }
    }

    /// Takes a page in. `living` are those of its commits, and of what they stand on, that were stored before;
    /// `old_head` is the head of the last reading.
    pub(super) fn take(&mut self, page: &Listed, living: &HashSet<String>, old_head: Option<&str>) -> Next {
        let listed: HashSet<&str> = page.commits.iter().map(|it| it.sha.as_str()).collect();
        if self.head.is_none() {
            self.head = page.commits.first().map(|it| it.sha.clone());
            self.from.clone_from(&self.head);
        } else if let Some(from) = self.from.as_ref().filter(|_| self.page == 1) {
            // It is read, or it is not to be had: it is not asked for again. What is older than asked for is left out.
            self.missing.remove(from);
            self.holes |= self.since.is_none() && !listed.contains(from.as_str());
        }
        let is_new = |it: &&Lineage| !living.contains(&it.sha);
        let stands_on = |it: &str| listed.contains(it) || living.contains(it);
        for commit in &page.commits {
            self.missing.remove(&commit.sha);
        }
        let mut new = false;
        for commit in page.commits.iter().filter(is_new) {
            new = true;
            self.met |= commit.parents.iter().any(|it| Some(it.as_str()) == old_head);
            self.missing.extend(commit.parents.iter().filter(|it| !stands_on(it)).cloned());
        }
        self.grew |= new;
        self.met |= old_head.is_some_and(|it| listed.contains(it));
        self.next(page.more, new)
    }

    fn next(&mut self, more: bool, new: bool) -> Next {
        let on = more && if self.everything { true } else { new && !self.missing.is_empty() };
        if on {
            self.page += 1;
            return Next::More;
        }
        if self.everything {
            return Next::End;
        }
        // A list that was followed from the head to its end has shown all that is not too old.
        if !more && self.unbroken && self.since.is_some() {
            self.missing.clear();
        }
        self.turn()
    }

    /// GitLab has no such list.
    pub(super) fn nothing(&mut self) -> Next {
        if let Some(from) = &self.from {
            self.missing.remove(from);
            self.holes = true;
        }
        self.turn()
    }

    /// Goes on with the history of something that is missing: it may lie far behind what is known, as where a branch of
    /// long ago was merged.
    fn turn(&mut self) -> Next {
        let Some(missing) = self.missing.first() else { return Next::End };
        self.from = Some(missing.clone());
        self.page = 1;
        self.unbroken = false;
        Next::More
    }

    /// What is known to be gone at the end of the walk.
    pub(super) fn prune(&self, old_head: Option<&str>) -> Option<Prune> {
        // Where the old head is met, everything it led to is still led to.
        let grown = !self.everything && (self.met || self.head.as_deref() == old_head);
        let proven = self.head.is_some() && !self.holes && !self.fresh && !grown;
        proven.then_some(Prune { listed_from: self.since })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(commits: &[(&str, &[&str])], more: bool) -> Listed {
        let commit = |(sha, parents): &(&str, &[&str])| Lineage {
            sha: (*sha).to_owned(),
            parents: parents.iter().map(|it| (*it).to_owned()).collect(),
            committed_at: None,
        };
        Listed { commits: commits.iter().map(commit).collect(), more }
    }

    fn living(shas: &[&str]) -> HashSet<String> {
        shas.iter().map(|it| (*it).to_owned()).collect()
    }

    fn walk() -> Walk {
        Walk::new(DateTime::UNIX_EPOCH, 1)
    }

    #[test]
    fn a_push_ends_where_everything_it_stands_on_is_stored() {
        let mut walk = walk();
        let pushed = page(&[("c", &["b"]), ("b", &["a"]), ("a", &[])], true);
        assert_eq!(walk.take(&pushed, &living(&["a"]), Some("a")), Next::End);
        assert_eq!(walk.prune(Some("a")), None);
    }

    #[test]
    fn an_old_branch_that_was_merged_is_read_from_where_it_ends() {
        let mut walk = walk();
        let merged = page(&[("m", &["b", "x"]), ("b", &["a"])], true);
        assert_eq!(walk.take(&merged, &living(&["a", "b"]), Some("b")), Next::More);
        assert_eq!(
            (walk.from.as_deref(), walk.page),
            (Some("m"), 2),
            "the same list goes on while it is new"
        );
        let known = page(&[("a", &[])], true);
        assert_eq!(walk.take(&known, &living(&["a"]), Some("b")), Next::More);
        assert_eq!((walk.from.as_deref(), walk.page), (Some("x"), 1));
        let old = page(&[("x", &["a"]), ("a", &[])], true);
        assert_eq!(walk.take(&old, &living(&["a"]), Some("b")), Next::End);
        assert_eq!(walk.prune(Some("b")), None, "the old head was met");
    }

    #[test]
    fn a_head_that_is_not_met_any_more_is_a_forced_push() {
        let mut walk = walk();
        let forced = page(&[("d", &["a"]), ("a", &[])], false);
        assert_eq!(walk.take(&forced, &living(&["a"]), Some("c")), Next::End);
        assert!(walk.prune(Some("c")).is_some());
    }

    #[test]
    fn what_is_not_to_be_had_ends_the_walk_and_proves_nothing() {
        let mut walk = walk();
        let forced = page(&[("d", &["gone"])], false);
        assert_eq!(walk.take(&forced, &living(&[]), Some("c")), Next::More);
        assert_eq!(walk.nothing(), Next::End);
        assert_eq!(walk.prune(Some("c")), None);
    }

    #[test]
    fn a_list_that_begins_with_something_else_does_not_go_round_in_circles() {
        let mut walk = walk();
        walk.take(&page(&[("d", &["x"])], false), &living(&[]), Some("c"));
        assert_eq!(walk.take(&page(&[("d", &["x"])], false), &living(&["d"]), Some("c")), Next::End);
        assert!(walk.holes);
    }

    #[test]
    fn what_is_older_than_asked_for_is_not_missed() {
        let mut walk = Walk { since: Some(DateTime::UNIX_EPOCH), ..walk() };
        assert_eq!(walk.take(&page(&[("d", &["old"])], false), &living(&[]), None), Next::End);
        assert!(!walk.holes);
    }

    #[test]
    fn everything_is_read_to_the_end_of_the_list() {
        let mut walk = Walk { everything: true, fresh: true, ..walk() };
        assert_eq!(walk.take(&page(&[("b", &["a"])], true), &living(&[]), None), Next::More);
        assert_eq!(walk.take(&page(&[], false), &living(&[]), None), Next::End);
        assert_eq!(walk.prune(None), None, "nothing was stored before");
    }
}
