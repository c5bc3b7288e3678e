//! The lives of ordinary merge requests, played with the world's own changes.

use chrono::TimeDelta;
use rand::RngExt;

use super::words::{COMMENTS, THINGS, VERBS};
use super::{Maker, tree};
use crate::world::change::{MergeStyle, NewMergeRequest, NewNote};
use crate::world::model::{Id, NoteType, ReviewState, Time};

/// The people around one project, and what they can use.
pub(super) struct Team {
    pub project_id: Id,
    pub people: Vec<Id>,
    pub labels: Vec<Id>,
    pub milestones: Vec<Id>,
}

impl Maker {
    pub(super) fn merge_requests(&mut self) {
        for (number, project_id) in self.projects.clone().into_iter().enumerate() {
            if self.scale.oddities && number == tree::EMPTY {
                continue;
            }
            let team = self.team(project_id);
            let mut ordinary = self.scale.merge_requests_per_project;
            if self.scale.oddities && number == 0 {
                ordinary = ordinary.saturating_sub(self.oddities(&team));
            }
            for at in self.moments(project_id, ordinary) {
                self.live(&team, at);
            }
        }
    }

    fn team(&mut self, project_id: Id) -> Team {
        let people = (0..10).map(|_| self.someone()).collect();
        let labels = self.world.labels_of_project(project_id).into_iter().map(|label| label.id).collect();
        let milestones = self.world.milestones_of_project(project_id).into_iter().map(|m| m.id).collect();
        Team { project_id, people, labels, milestones }
    }

    /// When the merge requests of a project are opened, in order.
    fn moments(&mut self, project_id: Id, count: usize) -> Vec<Time> {
        let start = self.world.projects[&project_id].created_at;
        let span = (self.end() - start - TimeDelta::hours(2)).num_seconds();
        let mut moments: Vec<Time> = (0..count)
            .map(|_| start + TimeDelta::microseconds(self.rng.random_range(0..span * 1_000_000)))
            .collect();
        moments.sort_unstable();
        moments
    }

    pub(super) fn pick(&mut self, from: &[Id]) -> Id {
        from[self.rng.random_range(0..from.len())]
    }

    pub(super) fn open(&mut self, team: &Team, at: Time) -> Id {
        self.world.now = at;
        let author_id = self.pick(&team.people);
        let verb = VERBS[self.rng.random_range(0..VERBS.len())];
        let thing = THINGS[self.rng.random_range(0..THINGS.len())];
        self.world.open_merge_request(NewMergeRequest {
            project_id: team.project_id,
            author_id,
            title: format!("{verb} {thing}"),
            draft: self.rng.random_bool(0.2),
            source_project_id: None,
        })
    }

    fn live(&mut self, team: &Team, at: Time) {
        let mr = self.open(team, at);
        self.prepare(mr, team);
        let steps = self.rng.random_range(0..=(2 * self.scale.notes_per_merge_request).saturating_sub(4));
        for _ in 0..steps {
            if !self.wait() {
                break;
            }
            self.step(mr, team);
        }
        if self.wait() {
            self.end_of_life(mr, team);
        }
    }

    /// What an author does right after opening.
    fn prepare(&mut self, mr: Id, team: &Team) {
        let author = self.world.merge_requests[&mr].author_id;
        self.world.now += TimeDelta::milliseconds(400);
        if self.rng.random_bool(0.6) {
            let labels = [self.pick(&team.labels), self.pick(&team.labels)];
            self.world.add_labels(mr, author, &labels);
        }
        if self.rng.random_bool(0.5) {
            self.world.assign(mr, author, &[author]);
        }
        if self.rng.random_bool(0.7) {
            let reviewers = [self.pick(&team.people), self.pick(&team.people)];
            self.world.request_review(mr, author, &reviewers);
        }
    }

    /// Lets time pass: seconds, minutes or days. False when the world's end is reached.
    pub(super) fn wait(&mut self) -> bool {
        let seconds = match self.rng.random_range(0..10) {
            0..3 => self.rng.random_range(3..58),
            3..7 => self.rng.random_range(61..3_600),
            _ => self.rng.random_range(3_600..200_000),
        };
        let next = self.world.now + TimeDelta::seconds(seconds);
        if next > self.end() {
            return false;
        }
        self.world.now = next;
        true
    }

    pub(super) fn words(&mut self) -> &'static str {
        COMMENTS[self.rng.random_range(0..COMMENTS.len())]
    }

    fn step(&mut self, mr: Id, team: &Team) {
        let person = self.pick(&team.people);
        let author = self.world.merge_requests[&mr].author_id;
        let text = self.words();
        match self.rng.random_range(0..100) {
            0..33 => drop(self.world.comment(mr, person, text)),
            33..43 => drop(self.world.comment(mr, author, text)),
            43..54 => drop(self.world.comment_on_diff(mr, person, text)),
            54..64 => self.answer(mr, author, text),
            64..70 => self.bot_comments(mr, text),
            70..78 => self.world.approve(mr, person),
            78..82 => self.withdraw(mr),
            82..85 => self.world.request_changes(mr, person),
            85..90 => {
                let reset = self.rng.random_bool(0.5);
                self.world.push(mr, author, 1 + text.len() % 3, reset);
            }
            90..92 => self.relabel(mr, person, team),
            92..95 => {
                let draft = !self.world.merge_requests[&mr].draft;
                self.world.set_draft(mr, author, draft);
            }
            _ => self.seldom(mr, person, team),
        }
    }

    fn seldom(&mut self, mr: Id, person: Id, team: &Team) {
        match self.rng.random_range(0..7) {
            0 => self.world.retitle(mr, person, "Say it better"),
            1 => self.world.describe(mr, person, "With more words."),
            2 => {
                let milestone = self.pick(&team.milestones);
                self.world.set_milestone(mr, person, Some(milestone));
            }
            3 => self.internal_note(mr, person),
            4 => self.world.cross_reference(mr, person, "commit 1a2b3c4d"),
            5 => self.world.set_review_state(mr, person, ReviewState::ReviewStarted),
            _ => drop(self.world.comment(mr, self.ghost, "I was here before my account was deleted.")),
        }
    }

    fn internal_note(&mut self, merge_request_id: Id, author_id: Id) {
        self.world.add_note(NewNote {
            merge_request_id,
            author_id,
            body: "Not for outsiders.".to_owned(),
            note_type: NoteType::Plain,
            internal: true,
        });
    }

    fn answer(&mut self, mr: Id, author: Id, text: &str) {
        let notes = &self.world.merge_requests[&mr].note_ids;
        let Some(note) = notes.iter().rev().find(|id| !self.world.notes[id].system).copied() else { return };
        self.world.reply(note, author, text);
        if self.rng.random_bool(0.5) {
            self.world.resolve(note, true);
        }
    }

    fn bot_comments(&mut self, mr: Id, text: &str) {
        let bots = self.bots.clone();
        let bot = self.pick(&bots);
        self.world.comment(mr, bot, text);
    }

    fn withdraw(&mut self, mr: Id) {
        if let Some(approval) = self.world.merge_requests[&mr].approvals.first().cloned() {
            self.world.unapprove(mr, approval.user_id);
        }
    }

    fn relabel(&mut self, mr: Id, person: Id, team: &Team) {
        match self.world.merge_requests[&mr].label_ids.first().copied() {
            Some(label) => self.world.remove_label(mr, person, label),
            None => {
                let label = self.pick(&team.labels);
                self.world.add_labels(mr, person, &[label]);
            }
        }
    }

    fn end_of_life(&mut self, mr: Id, team: &Team) {
        let person = self.pick(&team.people);
        match self.rng.random_range(0..100) {
            0..70 => {
                if self.world.merge_requests[&mr].draft {
                    self.world.set_draft(mr, person, false);
                    self.world.now += TimeDelta::seconds(75);
                }
                let styles = [MergeStyle::MergeCommit, MergeStyle::Squash, MergeStyle::FastForward];
                let style = styles[self.rng.random_range(0..styles.len())];
                self.world.merge(mr, person, style);
            }
            70..82 => self.world.close(mr, person),
            _ => {}
        }
    }
}
