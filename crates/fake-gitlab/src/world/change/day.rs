//! A day in the life: so many merge requests and pipelines move, and nothing else.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::JobOutcome;
use crate::world::model::{Id, Job, World};

/// How many move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Merge requests that somebody comments on.
    pub merge_requests: usize,
    /// Pipelines of which somebody runs a job again.
    pub pipelines: usize,
    /// Where they are.
    pub spread: Spread,
}

/// Where what moves is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// As many projects as possible have something that moves, and it is of every age.
    Scattered,
    /// The newest of as few projects as possible.
    Clustered,
}

impl World {
    /// Lets hours pass in which as much moves as in a day. Returns how many merge requests and pipelines moved: fewer than wanted where there are fewer.
    pub fn pass_a_day(&mut self, day: Day) -> (usize, usize) {
        self.advance(TimeDelta::hours(3));
        let merge_requests = chosen(self.lively_merge_requests(), day.merge_requests, day.spread);
        let pipelines = chosen(self.lively_pipelines(), day.pipelines, day.spread);
        for id in &merge_requests {
            let author = self.merge_requests[id].author_id;
            self.comment(*id, author, "One more thing.");
        }
        for id in &pipelines {
            self.run_a_job_again(*id);
        }
        self.advance(TimeDelta::hours(1));
        (merge_requests.len(), pipelines.len())
    }

    fn lively_merge_requests(&self) -> BTreeMap<Id, Vec<Id>> {
        let mut by_project: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
        for mr in self.merge_requests.values() {
            let project = &self.projects[&mr.project_id];
            if !project.archived && project.merge_requests_access_level == "enabled" {
                by_project.entry(mr.project_id).or_default().push(mr.id);
            }
        }
        by_project
    }

    fn lively_pipelines(&self) -> BTreeMap<Id, Vec<Id>> {
        let mut by_project: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
        for pipeline in self.ci.pipelines.values() {
            let project = &self.projects[&pipeline.project_id];
            let lively = !project.archived && project.builds_access_level == "enabled";
            if lively && pipeline.latest_jobs().any(is_repeatable) {
                by_project.entry(pipeline.project_id).or_default().push(pipeline.id);
            }
        }
        by_project
    }

    fn run_a_job_again(&mut self, pipeline: Id) {
        let job = self.ci.pipelines[&pipeline].latest_jobs().find(|it| is_repeatable(it));
        let Some((job, by)) = job.and_then(|it| it.user_id.map(|by| (it.id, by))) else { return };
        let again = self.retry_job(job, by);
        self.start_job(again);
        self.advance(TimeDelta::seconds(40));
        self.finish_job(again, JobOutcome::Success);
    }
}

/// A job that ended and deploys nothing: to run it again moves its pipeline alone.
fn is_repeatable(job: &Job) -> bool {
    job.finished_at.is_some()
        && job.deployment_id.is_none()
        && job.downstream_id.is_none()
        && job.user_id.is_some()
}

/// Chooses so many of those that each project has, oldest first.
fn chosen(by_project: BTreeMap<Id, Vec<Id>>, count: usize, spread: Spread) -> Vec<Id> {
    match spread {
        Spread::Clustered => {
            by_project.into_values().flat_map(|ids| ids.into_iter().rev()).take(count).collect()
        }
        Spread::Scattered => scattered(&by_project, count),
    }
}

/// One of each project in turn; of a project, evenly from the oldest to the newest.
fn scattered(by_project: &BTreeMap<Id, Vec<Id>>, count: usize) -> Vec<Id> {
    let rounds = count.div_ceil(by_project.len().max(1));
    let of_round = |round: usize| {
        // Where there are fewer than rounds, each is taken once.
        by_project.values().filter_map(move |ids| match ids.len() >= rounds {
            true => ids.get(round * ids.len() / rounds),
            false => ids.get(round),
        })
    };
    (0..rounds).flat_map(of_round).copied().take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projects() -> BTreeMap<Id, Vec<Id>> {
        (1..=3).map(|project| (project, (0..4).map(|it| project * 10 + it).collect())).collect()
    }

    #[test]
    fn what_is_scattered_is_in_every_project_and_of_every_age() {
        assert_eq!(chosen(projects(), 6, Spread::Scattered), [10, 20, 30, 12, 22, 32]);
        assert_eq!(chosen(projects(), 2, Spread::Scattered), [10, 20]);
    }

    #[test]
    fn what_is_clustered_is_the_newest_of_the_first_projects() {
        assert_eq!(chosen(projects(), 5, Spread::Clustered), [13, 12, 11, 10, 23]);
        assert_eq!(chosen(projects(), 99, Spread::Clustered).len(), 12);
    }
}
