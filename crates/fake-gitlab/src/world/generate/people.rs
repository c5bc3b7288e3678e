//! People, bots and the ghost.

use rand::RngExt;

use super::words::{FIRST, LAST};
use super::{Maker, READER};
use crate::world::model::UserType;

impl Maker {
    pub(super) fn people(&mut self) {
        self.ghost = self.world.create_user("ghost", "Ghost User", UserType::Ghost);
        self.reader = self.world.create_user(READER, "Insights reader", UserType::ServiceAccount);
        for number in 0..self.scale.people {
            self.human(number);
        }
        self.custom_bots();
    }

    fn human(&mut self, number: usize) {
        let first = FIRST[self.rng.random_range(0..FIRST.len())];
        let last = LAST[self.rng.random_range(0..LAST.len())];
        let ascii: String = last.chars().filter(char::is_ascii_alphabetic).collect();
        let username = format!("{}{number}", ascii.to_lowercase());
        let id = self.world.create_user(&username, &format!("{first} {last}"), UserType::Human);
        if let Some(user) = self.world.users.get_mut(&id) {
            user.state = match number {
                7 => "blocked",
                8 => "deactivated",
                _ => "active",
            }
            .to_owned();
        }
        self.humans.push(id);
    }

    /// Bots whose names do not tell that they are bots, and GitLab's own.
    fn custom_bots(&mut self) {
        self.bots = vec![
            self.world.create_user("renovate", "Renovate", UserType::ProjectBot),
            self.world.create_user("release-notes", "Release notes", UserType::ServiceAccount),
            self.world.create_user("GitLabDuo", "GitLab Duo", UserType::DuoCodeReviewBot),
            self.world.create_user("duo-developer", "Duo Developer", UserType::LlmBot),
        ];
    }
}
