//! One merge request for every oddity GitLab is known for, all in the first project.

use chrono::TimeDelta;

use super::Maker;
use super::lives::Team;
use crate::world::change::MergeStyle;
use crate::world::model::{Id, MergeRequestState, ReviewState};

impl Maker {
    /// Makes them and says how many there are; those that share a timestamp are on top of that number.
    pub(super) fn oddities(&mut self, team: &Team) -> usize {
        let all: &[fn(&mut Self, &Team)] = &[
            |maker, team| maker.with_notes(team, 101),
            |maker, team| maker.with_notes(team, 1_000),
            Self::without_a_diff,
            Self::out_of_a_deleted_fork,
            Self::by_the_ghost,
            Self::with_many_of_everything,
            Self::reopened,
            Self::being_merged,
            Self::set_to_merge,
            Self::approved_twice,
            Self::reset_by_a_push,
            Self::out_of_a_fork,
        ];
        for (number, make) in all.iter().enumerate() {
            self.world.now = self.end() - TimeDelta::days(200 - number as i64);
            make(self, team);
        }
        self.sharing_a_timestamp(team);
        all.len()
    }

    fn odd(&mut self, team: &Team) -> Id {
        let at = self.world.now;
        let mr = self.open(team, at);
        self.world.advance(TimeDelta::seconds(90));
        mr
    }

    fn with_notes(&mut self, team: &Team, count: usize) {
        let mr = self.odd(team);
        for number in 0..count {
            self.world.advance(TimeDelta::seconds(10 + (number % 100) as i64));
            let person = self.pick(&team.people);
            let text = self.words();
            if number % 10 == 9 {
                self.world.comment_on_diff(mr, person, text);
            } else {
                self.world.comment(mr, person, text);
            }
        }
    }

    fn without_a_diff(&mut self, team: &Team) {
        let mr = self.odd(team);
        let mr = self.world.merge_request_mut(mr);
        mr.sha = None;
        mr.diff_stats = None;
    }

    fn out_of_a_deleted_fork(&mut self, team: &Team) {
        let mr = self.odd(team);
        self.world.close(mr, team.people[0]);
        self.world.merge_request_mut(mr).source_project_id = None;
    }

    fn out_of_a_fork(&mut self, team: &Team) {
        let mr = self.odd(team);
        let fork = self.world.projects.values().find(|project| project.forked_from == Some(team.project_id));
        if let Some(id) = fork.map(|project| project.id) {
            self.world.merge_request_mut(mr).source_project_id = Some(id);
        }
    }

    fn by_the_ghost(&mut self, team: &Team) {
        let mr = self.odd(team);
        self.world.merge_request_mut(mr).author_id = self.ghost;
        self.world.comment(mr, team.people[1], "Who wrote this?");
        self.world.advance(TimeDelta::seconds(61));
        self.world.merge(mr, team.people[2], MergeStyle::Squash);
    }

    /// More than 20 labels, assignees, reviewers and approvers: more than a nested list brings.
    fn with_many_of_everything(&mut self, team: &Team) {
        let mr = self.odd(team);
        let people: Vec<Id> = self.humans.iter().copied().take(25).collect();
        let labels: Vec<Id> = team.labels.iter().copied().take(25).collect();
        self.world.add_labels(mr, people[0], &labels);
        self.world.assign(mr, people[0], &people);
        self.world.request_review(mr, people[0], &people);
        for person in people {
            self.world.advance(TimeDelta::seconds(20));
            self.world.approve(mr, person);
        }
    }

    /// Open, though it was closed once.
    fn reopened(&mut self, team: &Team) {
        let mr = self.odd(team);
        self.world.close(mr, team.people[0]);
        self.world.advance(TimeDelta::hours(3));
        self.world.reopen(mr, team.people[1]);
    }

    fn being_merged(&mut self, team: &Team) {
        let mr = self.odd(team);
        self.world.lock(mr);
        debug_assert_eq!(self.world.merge_requests[&mr].state, MergeRequestState::Locked);
    }

    /// Open, though `merge_user` is set.
    fn set_to_merge(&mut self, team: &Team) {
        let mr = self.odd(team);
        let member = self.reader_colleague();
        self.world.enable_auto_merge(mr, member);
    }

    /// A direct member of the first group.
    fn reader_colleague(&self) -> Id {
        let members = &self.world.groups[&self.groups[0]].members;
        members.keys().copied().find(|id| self.humans.contains(id)).unwrap_or(self.humans[0])
    }

    /// Approved, taken back, approved again; another reviewer asks for changes; draft and ready in turn.
    fn approved_twice(&mut self, team: &Team) {
        let mr = self.odd(team);
        let (first, second) = (self.humans[1], self.humans[2]);
        self.world.request_review(mr, first, &[first, second]);
        for draft in [true, false, true, false] {
            self.world.advance(TimeDelta::minutes(5));
            self.world.set_draft(mr, first, draft);
        }
        self.world.approve(mr, first);
        self.world.advance(TimeDelta::minutes(9));
        self.world.unapprove(mr, first);
        self.world.advance(TimeDelta::seconds(30));
        self.world.approve(mr, first);
        self.world.advance(TimeDelta::minutes(2));
        self.world.request_changes(mr, second);
    }

    /// Approvals that go away on a push without a note; one reviewer has begun again.
    fn reset_by_a_push(&mut self, team: &Team) {
        let mr = self.odd(team);
        let (first, second) = (self.humans[3], self.humans[4]);
        self.world.request_review(mr, first, &[first, second]);
        self.world.approve(mr, first);
        self.world.advance(TimeDelta::minutes(4));
        self.world.push(mr, team.people[0], 2, true);
        self.world.set_review_state(mr, second, ReviewState::ReviewStarted);
    }

    fn sharing_a_timestamp(&mut self, team: &Team) {
        let shared = self.end() - TimeDelta::days(100);
        for number in 0..self.scale.shared_timestamp {
            let at = shared - TimeDelta::minutes(2_000 - (number % 1_900) as i64);
            let mr = self.open(team, at);
            self.world.merge_request_mut(mr).updated_at = shared;
        }
    }
}
