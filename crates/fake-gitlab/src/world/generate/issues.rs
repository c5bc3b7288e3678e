//! Issues, and the groups invited into projects and groups: what was added to the world after merge requests, so that
//! a seed still makes the same merge requests.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::words::{COMMENTS, THINGS};
use super::{READER, Scale};
use crate::world::access::Viewer;
use crate::world::change::NewIssue;
use crate::world::issue::{IssueType, Severity};
use crate::world::model::{Id, Owner, Time, UserType, World};

/// Issues the first project has on top.
const MORE: usize = 100;
/// Labels and assignees of the issue with many: more than a nested list brings.
const MANY: usize = 25;

/// Writes the issues of the reader's projects. The clock, the ticks and the activity of projects stay as they are.
pub(super) fn write(world: &mut World, rng: ChaCha8Rng, scale: &Scale) {
    let (now, ticks) = (world.now, world.ids.ticks);
    let active: BTreeMap<Id, Time> = world.projects.values().map(|it| (it.id, it.last_activity_at)).collect();
    let users = world.users.values().filter(|user| user.user_type == UserType::Human);
    let people = users.map(|user| user.id).collect();
    let mut tracker = Tracker { end: now - TimeDelta::minutes(15), world, rng, people };
    tracker.projects(scale);
    world.now = now;
    world.ids.ticks = ticks;
    for project in world.projects.values_mut() {
        project.last_activity_at = active[&project.id];
    }
}

struct Tracker<'w> {
    world: &'w mut World,
    rng: ChaCha8Rng,
    people: Vec<Id>,
    end: Time,
}

impl Tracker<'_> {
    fn projects(&mut self, scale: &Scale) {
        let reader = self.world.users.values().find(|user| user.username == READER).map(|user| user.id);
        let reader = Viewer::of(reader.unwrap_or_default());
        let seen = self.world.projects.values();
        let seen = seen.filter(|it| self.world.project_access_level(&reader, it).is_some());
        let projects: Vec<Id> = seen.map(|it| it.id).collect();
        for (number, id) in projects.iter().copied().enumerate() {
            let more = if scale.oddities && number == 0 { MORE } else { 0 };
            self.project(id, scale.issues_per_project + more);
        }
        if scale.oddities {
            self.oddities(&projects);
        }
    }

    fn project(&mut self, project_id: Id, count: usize) {
        let begin = self.world.projects[&project_id].created_at;
        let span = (self.end - begin).num_seconds().max(1);
        let mut moments: Vec<i64> = (0..count).map(|_| self.rng.random_range(0..span)).collect();
        moments.sort_unstable();
        for seconds in moments {
            self.world.now = begin + TimeDelta::seconds(seconds);
            let id = self.open(project_id);
            self.live(id);
        }
    }

    fn open(&mut self, project_id: Id) -> Id {
        let issue_type = match self.rng.random_range(0..20) {
            0..4 => IssueType::Incident,
            4..6 => IssueType::Task,
            _ => IssueType::Issue,
        };
        let mut title = format!("Look at {}", THINGS[self.rng.random_range(0..THINGS.len())]);
        if self.rng.random_ratio(1, 15) {
            COMMENTS[self.rng.random_range(0..COMMENTS.len())].clone_into(&mut title);
        }
        let author_id = self.person();
        let description = self.description(project_id);
        let id = self.world.open_issue(NewIssue { project_id, author_id, title, description, issue_type });
        if issue_type == IssueType::Incident {
            let all =
                [Severity::Unknown, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
            self.world.set_issue_severity(id, all[self.rng.random_range(0..all.len())]);
        }
        id
    }

    /// Text that names merge requests, issues and pages, as people do.
    fn description(&mut self, project_id: Id) -> Option<String> {
        let path = self.world.project_full_path(&self.world.projects[&project_id]);
        let number = self.rng.random_range(1..12);
        Some(match self.rng.random_range(0..6) {
            0 => return None,
            1 => format!("Came with !{number}, see also #{number}."),
            2 => format!(
                "Caused by {path}!{number}; dashboards at https://status.example.com/incidents/{number}?a=1&b=2."
            ),
            3 => format!(
                "https://gitlab.example.com/{path}/-/merge_requests/{number}\n\n- [ ] mend\n- [x] measure"
            ),
            4 => format!("Blocks {path}#{number}+ and [this](https://example.com/a_(b))."),
            _ => COMMENTS[self.rng.random_range(0..COMMENTS.len())].to_owned(),
        })
    }

    fn person(&mut self) -> Id {
        self.people[self.rng.random_range(0..self.people.len())]
    }

    fn live(&mut self, id: Id) {
        for _ in 0..self.rng.random_range(0..6) {
            let wait = [20, 200, 9_000, 300_000][self.rng.random_range(0..4)];
            let next = self.world.now + TimeDelta::seconds(wait);
            if next > self.end {
                return;
            }
            self.world.now = next;
            self.step(id);
        }
        let left = (self.end - self.world.now).num_seconds();
        if left > 120 && self.rng.random_ratio(3, 5) {
            self.world.now += TimeDelta::seconds(self.rng.random_range(60..left.min(2_000_000)));
            self.close(id);
        }
    }

    fn step(&mut self, id: Id) {
        let person = self.person();
        match self.rng.random_range(0..8) {
            0 | 1 => self.world.comment_on_issue(id),
            2 => self.label(id, 2),
            3 => self.world.assign_issue(id, &[person]),
            4 => self.plan(id),
            5 => self.world.retitle_issue(id, "Look at it again"),
            6 => self.world.set_issue_confidential(id, true),
            _ => self.world.describe_issue(id, "Known since !1."),
        }
    }

    /// Labels of the project and of its top-level group, which it keeps when it moves within that.
    fn label(&mut self, id: Id, count: usize) {
        let project = &self.world.projects[&self.world.issues[&id].project_id];
        let top = self.world.project_groups(project).last().copied();
        let owners: Vec<Owner> =
            std::iter::once(Owner::Project(project.id)).chain(top.map(Owner::Group)).collect();
        let labels = self.world.labels.values().filter(|it| owners.contains(&it.owner));
        let labels: Vec<Id> = labels.map(|it| it.id).collect();
        let begin = self.rng.random_range(0..labels.len());
        let some: Vec<Id> = labels.iter().cycle().skip(begin).take(count).copied().collect();
        self.world.label_issue(id, &some);
    }

    fn plan(&mut self, id: Id) {
        let project_id = self.world.issues[&id].project_id;
        let own = self.world.milestones.values().find(|it| it.owner == Owner::Project(project_id));
        let milestone = own.map(|it| it.id);
        self.world.set_issue_milestone(id, milestone);
        let day = self.world.now.date_naive() + TimeDelta::days(self.rng.random_range(-3..30));
        self.world.set_issue_due_date(id, Some(day));
    }

    fn close(&mut self, id: Id) {
        let by = self.person();
        self.world.close_issue(id, by);
        if self.rng.random_ratio(1, 8) {
            self.world.reopen_issue(id);
        }
    }

    /// An issue with many labels and assignees, some that share a moment, one by the ghost; a project without
    /// issues, and groups invited into the first project and the first group.
    fn oddities(&mut self, projects: &[Id]) {
        let first = self.world.projects[&projects[0]].issue_ids.clone();
        let (many, shared) = (first[0], first[1]);
        self.world.now = self.end - TimeDelta::days(50);
        self.label(many, MANY);
        let assignees: Vec<Id> = self.people.iter().copied().take(MANY).collect();
        self.world.assign_issue(many, &assignees);
        let at = self.world.issues[&shared].updated_at;
        let ghost = self.world.users.values().find(|it| it.user_type == UserType::Ghost).map(|it| it.id);
        for id in &first[2..7] {
            let issue = self.world.issues.get_mut(id).expect("it was just made");
            issue.updated_at = at.max(issue.created_at);
            issue.author_id = ghost.unwrap_or(issue.author_id);
        }
        if let Some(project) = projects.get(2).and_then(|id| self.world.projects.get_mut(id)) {
            "disabled".clone_into(&mut project.issues_access_level);
        }
        self.invite(projects[0]);
    }

    fn invite(&mut self, project_id: Id) {
        let groups: Vec<Id> = self.world.groups.keys().copied().collect();
        let [first, second, third, ..] = groups[..] else { return };
        self.world.invite_group_to_project(project_id, third, 30);
        self.world.invite_group_to_group(first, second, 20);
    }
}
