//! Environments: made, stopped, given another tier, deleted.

use crate::world::hash::hex40;
use crate::world::model::{Environment, EnvironmentState, Id, Tier, World};

/// The longest slug GitLab makes.
const SLUG_LENGTH: usize = 24;

impl World {
    /// Makes an environment that is available.
    pub fn create_environment(
        &mut self,
        project_id: Id,
        name: &str,
        tier: Tier,
        external_url: Option<&str>,
    ) -> Id {
        let now = self.ci_tick();
        self.ci.ids.environment += 1 + (self.ci.ids.ticks % 4) as i64;
        let id = self.ci.ids.environment;
        let environment = Environment {
            id,
            project_id,
            name: self.ci.share(name),
            slug: self.ci.share(&slug(name)),
            external_url: external_url.map(str::to_owned),
            state: EnvironmentState::Available,
            tier,
            created_at: now,
            updated_at: now,
        };
        self.ci.environments.insert(id, environment);
        id
    }

    fn environment_mut(&mut self, id: Id) -> &mut Environment {
        let now = self.ci_tick();
        let environment = self.ci.environments.get_mut(&id).expect("the environment exists");
        environment.updated_at = now;
        environment
    }

    /// Stops it, or takes it back into use.
    pub fn set_environment_state(&mut self, id: Id, state: EnvironmentState) {
        self.environment_mut(id).state = state;
    }

    /// Says what it is for.
    pub fn set_environment_tier(&mut self, id: Id, tier: Tier) {
        self.environment_mut(id).tier = tier;
    }

    /// Switches environments of a project: disabled, private or enabled. What is there stays, out of everybody's sight.
    pub fn set_environments_access(&mut self, project_id: Id, level: &str) {
        self.ci.environments_access.insert(project_id, level.to_owned());
    }

    /// Deletes it, and its deployments with it.
    pub fn delete_environment(&mut self, id: Id) {
        self.ci.environments.remove(&id);
        self.ci.deployments.retain(|_, deployment| deployment.environment_id != id);
    }
}

/// Letters, digits and hyphens, with something of its own where the name had more.
fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let slug: String = name.to_lowercase().chars().map(plain).collect();
    if slug == name && slug.len() <= SLUG_LENGTH {
        return slug;
    }
    let suffix =
        &hex40(0, name.bytes().fold(7, |sum: u64, byte| sum.wrapping_mul(31) ^ u64::from(byte)))[..6];
    format!("{}-{suffix}", slug[..slug.len().min(SLUG_LENGTH - 7)].trim_matches('-'))
}
