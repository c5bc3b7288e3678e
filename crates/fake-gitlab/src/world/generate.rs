//! A world made from a seed: the same seed and scale give the same world, to the microsecond.

mod approval_rules;
mod ci;
mod history;
mod issues;
mod lives;
mod messages;
mod oddities;
mod people;
mod tree;
mod words;

use chrono::{DateTime, TimeDelta};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::model::{Id, Time, World};

/// Username of the account behind the default token: a member of every top-level group, but not of the public one.
pub const READER: &str = "insights-reader";

/// Unix seconds of 2026-06-01T12:00:00Z, the moment a generated world stands at.
const NOW: i64 = 1_780_315_200;

/// How much there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// Groups the reader is in, subgroups included; a public group of strangers comes on top.
    pub groups: usize,
    /// Projects the reader sees by membership.
    pub projects: usize,
    /// Merge requests in each project.
    pub merge_requests_per_project: usize,
    /// Notes of an ordinary merge request, on average, system notes included.
    pub notes_per_merge_request: usize,
    /// Commits of a default branch, about; with oddities the first project has a hundred more.
    pub commits_per_project: usize,
    /// Issues in each project; with oddities the first project has a hundred more.
    pub issues_per_project: usize,
    /// People.
    pub people: usize,
    /// Whether the first projects hold one of each oddity GitLab is known for.
    pub oddities: bool,
    /// Merge requests in the first project, on top of the others, that share one `updated_at`; and as many pipelines.
    pub shared_timestamp: usize,
    /// Pipelines in each project that has commits.
    pub pipelines_per_project: usize,
    /// Jobs of an ordinary pipeline.
    pub jobs_per_pipeline: usize,
    /// Environments in every third project.
    pub environments_per_project: usize,
    /// Deployments in every third project.
    pub deployments_per_project: usize,
}

impl Scale {
    /// For tests: little of everything, and every oddity.
    pub fn tiny() -> Self {
        Self {
            groups: 4,
            projects: 5,
            merge_requests_per_project: 12,
            notes_per_merge_request: 6,
            commits_per_project: 30,
            issues_per_project: 8,
            people: 40,
            oddities: true,
            shared_timestamp: 130,
            pipelines_per_project: 4,
            jobs_per_pipeline: 4,
            environments_per_project: 3,
            deployments_per_project: 4,
        }
    }

    /// 20 projects with 50 merge requests each.
    pub fn small() -> Self {
        Self {
            groups: 6,
            projects: 20,
            merge_requests_per_project: 50,
            notes_per_merge_request: 5,
            commits_per_project: 200,
            issues_per_project: 20,
            people: 60,
            oddities: true,
            shared_timestamp: 0,
            pipelines_per_project: 20,
            jobs_per_pipeline: 5,
            environments_per_project: 3,
            deployments_per_project: 6,
        }
    }

    /// 40 projects with 200 merge requests each.
    pub fn medium() -> Self {
        Self {
            groups: 10,
            projects: 40,
            merge_requests_per_project: 200,
            notes_per_merge_request: 10,
            commits_per_project: 400,
            issues_per_project: 40,
            people: 120,
            oddities: true,
            shared_timestamp: 0,
            pipelines_per_project: 100,
            jobs_per_pipeline: 8,
            environments_per_project: 4,
            deployments_per_project: 20,
        }
    }

    /// 40,000 merge requests with 400,000 notes, 20,000 pipelines with 160,000 jobs.
    pub fn large() -> Self {
        Self { groups: 24, projects: 200, people: 400, ..Self::medium() }
    }

    /// The model organisation, or one part in so many of it: 1,000 projects with 200,000 merge requests, and
    /// 1,000,000 pipelines with 8,000,000 jobs. A smaller part has fewer projects, each as large as ever.
    pub fn model(one_in: usize) -> Self {
        let part = |whole: usize, least: usize| (whole / one_in.max(1)).max(least);
        Self {
            groups: part(150, 6),
            projects: part(1_000, 1),
            merge_requests_per_project: 200,
            pipelines_per_project: 1_000,
            people: part(2_000, 40),
            deployments_per_project: 100,
            oddities: false,
            ..Self::medium()
        }
    }
}

/// Makes a world. It stands at 2026-06-01T12:00:00Z; its newest change is at least ten minutes old.
pub fn generate(seed: u64, scale: &Scale) -> World {
    let mut maker = Maker::new(seed, scale.clone());
    maker.people();
    maker.groups();
    maker.projects();
    maker.approval_rules();
    maker.merge_requests();
    maker.ci(seed);
    let mut world = maker.finish();
    // Each draws from a stream of its own, so that what one makes does not depend on the others.
    history::write(&mut world, stream(seed, 1), scale);
    issues::write(&mut world, stream(seed, 2), scale);
    world
}

fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}

/// The world in the making.
struct Maker {
    world: World,
    rng: ChaCha8Rng,
    scale: Scale,
    /// People who write, review and merge.
    humans: Vec<Id>,
    ghost: Id,
    reader: Id,
    /// Bots and service accounts that comment.
    bots: Vec<Id>,
    groups: Vec<Id>,
    /// Projects of the reader, in the order of the scale.
    projects: Vec<Id>,
}

impl Maker {
    fn new(seed: u64, scale: Scale) -> Self {
        let mut world = World { now: moment(NOW) - TimeDelta::days(760), ..World::default() };
        world.tick();
        Self {
            world,
            rng: ChaCha8Rng::seed_from_u64(seed),
            scale,
            humans: Vec::new(),
            ghost: 0,
            reader: 0,
            bots: Vec::new(),
            groups: Vec::new(),
            projects: Vec::new(),
        }
    }

    /// The last moment anything happened.
    fn end(&self) -> Time {
        moment(NOW) - TimeDelta::minutes(15)
    }

    fn finish(mut self) -> World {
        for mr in self.world.merge_requests.values() {
            if let Some(project) = self.world.projects.get_mut(&mr.project_id) {
                project.last_activity_at = project.last_activity_at.max(mr.updated_at);
            }
        }
        self.world.now = moment(NOW);
        self.world
    }
}

fn moment(unix_seconds: i64) -> Time {
    DateTime::from_timestamp(unix_seconds, 0).expect("the constant is a valid moment")
}
