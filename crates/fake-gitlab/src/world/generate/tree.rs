//! Groups and projects with their members, labels and milestones.

use chrono::TimeDelta;
use rand::RngExt;

use super::Maker;
use super::words::{COLORS, GROUPS, LABELS, PROJECTS};
use crate::world::access::DEVELOPER;
use crate::world::hash::{hex40, kind};
use crate::world::model::{Id, Namespace, Owner, UserType};

/// Which of the reader's projects are odd; those before are ordinary.
const ARCHIVED: usize = 1;
const MERGE_REQUESTS_OFF: usize = 2;
/// The project without commits and merge requests.
pub(super) const EMPTY: usize = 3;
const IN_A_USERS_NAMESPACE: usize = 4;

impl Maker {
    /// A third of the groups, two at least, lies on top; every other lies below the one that many before it.
    pub(super) fn groups(&mut self) {
        let top = (self.scale.groups / 3).max(2);
        for number in 0..self.scale.groups {
            let parent = number.checked_sub(top).map(|above| self.groups[above]);
            let name = GROUPS[number % GROUPS.len()];
            let path = match number / GROUPS.len() {
                0 => name.to_lowercase(),
                round => format!("{}-{round}", name.to_lowercase()),
            };
            let visibility = if number == 1 { "internal" } else { "private" };
            let id = self.world.create_group(parent, name, &path, visibility);
            self.groups.push(id);
            self.fill_group(id, parent.is_none());
        }
    }

    fn fill_group(&mut self, group_id: Id, top: bool) {
        if top {
            self.world.set_group_member(group_id, self.reader, DEVELOPER, None);
            self.group_bot(group_id);
        }
        for _ in 0..6 {
            let person = self.someone();
            let level = [10, 20, 30, 30, 40, 50][self.rng.random_range(0..6)];
            self.world.set_group_member(group_id, person, level, None);
        }
        let next_year = self.end().date_naive() + TimeDelta::days(300);
        let person = self.someone();
        self.world.set_group_member(group_id, person, 30, Some(next_year));
        self.labels(Owner::Group(group_id), if top { 5 } else { 2 });
        self.world.create_milestone(Owner::Group(group_id), &format!("Release of group {group_id}"));
    }

    fn group_bot(&mut self, group_id: Id) {
        let hex = &hex40(kind::BOT, group_id as u64)[..32];
        let username = format!("group_{group_id}_bot_{hex}");
        let bot = self.world.create_user(&username, "Metrics token", UserType::ProjectBot);
        self.world.set_group_member(group_id, bot, DEVELOPER, None);
        self.bots.push(bot);
    }

    pub(super) fn someone(&mut self) -> Id {
        self.humans[self.rng.random_range(0..self.humans.len())]
    }

    fn labels(&mut self, owner: Owner, count: usize) {
        let offset = self.rng.random_range(0..LABELS.len());
        for number in 0..count {
            let word = LABELS[(offset + number) % LABELS.len()];
            let title = match number / LABELS.len() {
                0 => word.to_owned(),
                round => format!("{word} {round}"),
            };
            let id = self.world.create_label(owner, &title, COLORS[number % COLORS.len()]);
            if let Some(label) = self.world.labels.get_mut(&id).filter(|_| number % 2 == 0) {
                label.description = Some(format!("What is about {title}."));
            }
        }
    }

    pub(super) fn projects(&mut self) {
        for number in 0..self.scale.projects {
            self.world.now = self.end() - TimeDelta::days(740 - (number % 90) as i64);
            let namespace = self.namespace_of(number);
            let word = PROJECTS[number % PROJECTS.len()];
            let path = if number < PROJECTS.len() { word.to_owned() } else { format!("{word}-{number}") };
            let visibility = if number % 6 == 5 { "internal" } else { "private" };
            let id = self.world.create_project(namespace, &path, &path, visibility);
            self.projects.push(id);
            self.fill_project(id, number);
        }
        self.strangers();
    }

    fn namespace_of(&self, number: usize) -> Namespace {
        if self.scale.oddities && number == IN_A_USERS_NAMESPACE {
            return Namespace::User(self.humans[0]);
        }
        Namespace::Group(self.groups[number % self.groups.len()])
    }

    fn fill_project(&mut self, id: Id, number: usize) {
        let many = self.scale.oddities && number == 0;
        self.labels(Owner::Project(id), if many { 125 } else { 6 });
        self.world.create_milestone(Owner::Project(id), "Next");
        let closed = self.world.create_milestone(Owner::Project(id), "Done");
        self.world.close_milestone(closed);
        for level in [30, 40] {
            let person = self.someone();
            self.world.set_project_member(id, person, level, None);
        }
        let (name, topics): (_, &[&str]) = (format!("Service {number}"), &["rust", "service"]);
        self.world.describe_project(id, &name, if number.is_multiple_of(3) { topics } else { &[] });
        if self.scale.oddities {
            self.make_odd(id, number);
        }
    }

    fn make_odd(&mut self, id: Id, number: usize) {
        match number {
            0 => self.project_bot(id),
            ARCHIVED => self.world.archive_project(id, true),
            MERGE_REQUESTS_OFF => self.world.set_merge_requests_access(id, "disabled"),
            IN_A_USERS_NAMESPACE => {
                self.world.set_project_member(id, self.reader, DEVELOPER, None);
                self.world.set_project_member(id, self.humans[0], 50, None);
                let origin = self.projects[0];
                if let Some(project) = self.world.projects.get_mut(&id) {
                    project.forked_from = Some(origin);
                }
            }
            _ => {}
        }
    }

    fn project_bot(&mut self, project_id: Id) {
        let hex = &hex40(kind::BOT, project_id as u64)[..32];
        let username = format!("project_{project_id}_bot_{hex}");
        let bot = self.world.create_user(&username, "Deploy token", UserType::ProjectBot);
        self.world.set_project_member(project_id, bot, DEVELOPER, None);
        self.bots.push(bot);
    }

    /// A public group the reader is not in, with one project of its own and one shared into the reader's group.
    fn strangers(&mut self) {
        let group = self.world.create_group(None, "Open Source", "open-source", "public");
        let owner = self.someone();
        self.world.set_group_member(group, owner, 50, None);
        self.labels(Owner::Group(group), 3);
        self.world.create_project(Namespace::Group(group), "handbook", "handbook", "public");
        let shared = self.world.create_project(Namespace::Group(group), "library", "library", "public");
        if let Some(group) = self.world.groups.get_mut(&self.groups[0]) {
            group.shared_projects.insert(shared);
        }
    }
}
