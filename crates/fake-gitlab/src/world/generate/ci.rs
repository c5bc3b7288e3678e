//! Pipelines, jobs, environments and deployments. They are drawn from a stream of their own and count ids and time
//! apart, so that a seed gives the same groups, projects and merge requests whatever CI holds.

mod deployments;
mod every_word;
mod lives;
mod oddities;
mod strange_jobs;
mod trees;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Maker, Scale, tree};
use crate::world::model::{Id, Time, World};

/// The project whose CI/CD is switched off though it has pipelines.
const SWITCHED_OFF: usize = 4;

/// CI/CD in the making.
struct CiMaker<'a> {
    world: &'a mut World,
    rng: ChaCha8Rng,
    scale: &'a Scale,
    humans: &'a [Id],
    projects: &'a [Id],
    /// Numbers of each project's merge requests by the time they were opened.
    merge_requests: BTreeMap<Id, Vec<(Time, i64)>>,
    end: Time,
}

impl Maker {
    /// Adds CI/CD to the projects of the reader.
    pub(super) fn ci(&mut self, seed: u64) {
        let end = self.end();
        let merge_requests = opened(&self.world);
        let mut maker = CiMaker {
            world: &mut self.world,
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0xC1_C1_C1_C1),
            scale: &self.scale,
            humans: &self.humans,
            projects: &self.projects,
            merge_requests,
            end,
        };
        maker.everything();
    }
}

fn opened(world: &World) -> BTreeMap<Id, Vec<(Time, i64)>> {
    let mut opened: BTreeMap<Id, Vec<(Time, i64)>> = BTreeMap::new();
    for mr in world.merge_requests.values() {
        opened.entry(mr.project_id).or_default().push((mr.created_at, mr.iid));
    }
    opened.values_mut().for_each(|of_project| of_project.sort_unstable());
    opened
}

impl CiMaker<'_> {
    fn everything(&mut self) {
        for (number, project_id) in self.projects.iter().copied().enumerate() {
            if self.scale.oddities && number == tree::EMPTY {
                continue;
            }
            let odd = self.scale.oddities && number == 0;
            let odd = if odd { self.oddities(project_id) } else { 0 };
            let environments = if number % 3 == 0 { self.environments(project_id) } else { Vec::new() };
            let ordinary = self.scale.pipelines_per_project.saturating_sub(odd);
            for at in self.moments(project_id, ordinary) {
                self.live(project_id, at);
            }
            self.deployments(&environments);
            if self.scale.oddities && number == SWITCHED_OFF {
                self.switch_off(project_id, "disabled");
            }
        }
    }

    /// Switches CI/CD as if it had been so for ever: the project does not move.
    fn switch_off(&mut self, project_id: Id, level: &str) {
        if let Some(project) = self.world.projects.get_mut(&project_id) {
            project.builds_access_level = level.to_owned();
        }
    }

    /// When the pipelines of a project are made, in order.
    fn moments(&mut self, project_id: Id, count: usize) -> Vec<Time> {
        let start = self.world.projects[&project_id].created_at;
        let span = (self.end - start - TimeDelta::hours(6)).num_microseconds().unwrap_or(1);
        let mut moments: Vec<Time> =
            (0..count).map(|_| start + TimeDelta::microseconds(self.rng.random_range(0..span))).collect();
        moments.sort_unstable();
        moments
    }

    fn someone(&mut self) -> Id {
        self.humans[self.rng.random_range(0..self.humans.len())]
    }

    fn seconds(&mut self, from: i64, to: i64) -> TimeDelta {
        TimeDelta::microseconds(self.rng.random_range(from * 1_000_000..to * 1_000_000))
    }
}
