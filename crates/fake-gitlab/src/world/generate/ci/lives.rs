//! The lives of ordinary pipelines, played with the world's own changes.

use rand::RngExt;

use super::CiMaker;
use crate::world::change::{JobOutcome, NewJob, NewPipeline};
use crate::world::model::{CiStatus, FailureReason, Id, Job, PipelineSource, Time};

/// Jobs with their stages; a pipeline has the first so many of them, and counts on from there.
const JOBS: &[(&str, &str)] = &[
    ("build", "compile"),
    ("test", "lint"),
    ("test", "unit tests"),
    ("test", "integration tests"),
    ("deploy", "package"),
    ("test", "coverage"),
    ("build", "assets"),
    ("deploy", "publish"),
];

const REASONS: &[FailureReason] = &[
    FailureReason::Script,
    FailureReason::Script,
    FailureReason::Script,
    FailureReason::RunnerSystem,
    FailureReason::JobExecutionTimeout,
    FailureReason::StuckOrTimeout,
];

impl CiMaker<'_> {
    /// Makes a pipeline and plays it to its end.
    pub(super) fn live(&mut self, project_id: Id, at: Time) {
        self.world.now = at;
        let new = self.origin(project_id, at);
        let pipeline = self.world.create_pipeline(new);
        self.fill(pipeline, self.scale.jobs_per_pipeline);
        self.play(pipeline);
    }

    fn origin(&mut self, project_id: Id, at: Time) -> NewPipeline {
        let user = self.someone();
        let number = self.rng.random_range(1..90);
        let push = |branch: &str| NewPipeline::push(project_id, user, branch);
        let plain =
            [PipelineSource::Schedule, PipelineSource::Web, PipelineSource::Api, PipelineSource::Trigger];
        match self.rng.random_range(0..100_usize) {
            0..35 => push("main"),
            35..55 => push(&format!("feature-{number}")),
            55..80 => self.of_merge_request(project_id, user, at).unwrap_or_else(|| push("main")),
            80..86 => NewPipeline::tag(project_id, user, &format!("v1.{number}.0")),
            kind => NewPipeline { source: plain[kind % plain.len()], ..push("main") },
        }
    }

    /// A pipeline for a merge request that was open by then.
    fn of_merge_request(&mut self, project_id: Id, user: Id, at: Time) -> Option<NewPipeline> {
        let opened = self.merge_requests.get(&project_id)?;
        let open = opened.partition_point(|(created_at, _)| *created_at < at);
        if open == 0 {
            return None;
        }
        let (_, iid) = opened[self.rng.random_range(0..open)];
        let on = ["head", "head", "merge", "train"][self.rng.random_range(0..4)];
        Some(NewPipeline::merge_request(project_id, user, iid, on))
    }

    /// Adds ordinary jobs.
    pub(super) fn fill(&mut self, pipeline: Id, count: usize) {
        for number in 0..count {
            let (stage, name) = JOBS[number % JOBS.len()];
            let name = match number / JOBS.len() {
                0 => name.to_owned(),
                round => format!("{name} {}", round + 1),
            };
            let allow_failure = name.starts_with("lint");
            let tags: &[&str] = if number % 3 == 0 { &["docker", "linux"] } else { &[] };
            self.world.add_job(pipeline, &NewJob { allow_failure, tags, ..NewJob::build(stage, &name) });
        }
    }

    /// Plays all that can run, a stage at a time; jobs of a stage overlap.
    pub(super) fn play(&mut self, pipeline: Id) {
        self.world.begin_pipeline(pipeline);
        loop {
            let pending = |job: &&Job| job.status == CiStatus::Pending && !job.retried;
            let jobs = self.world.ci.pipelines[&pipeline].jobs.iter().filter(pending);
            let jobs: Vec<Id> = jobs.map(|job| job.id).collect();
            if jobs.is_empty() {
                return;
            }
            self.play_together(&jobs);
        }
    }

    fn play_together(&mut self, jobs: &[Id]) {
        let start = self.world.now;
        let mut events = Vec::with_capacity(2 * jobs.len());
        for job in jobs {
            let began = start + self.seconds(0, 20);
            events.push((began, *job, false));
            events.push((began + self.seconds(5, 240), *job, true));
        }
        events.sort_unstable();
        for (at, job, ends) in events {
            self.world.now = self.world.now.max(at);
            if ends { self.end_somehow(job) } else { self.world.start_job(job) }
        }
    }

    fn end_somehow(&mut self, job: Id) {
        let outcome = match self.rng.random_range(0..100) {
            0..88 => JobOutcome::Success,
            88..98 => JobOutcome::Failed(REASONS[self.rng.random_range(0..REASONS.len())]),
            _ => JobOutcome::Canceled,
        };
        if outcome == JobOutcome::Success && self.rng.random_bool(0.1) {
            self.world.job_mut(job).coverage = Some(f64::from(self.rng.random_range(400..1_000)) / 10.0);
        }
        self.world.finish_job(job, outcome);
        if matches!(outcome, JobOutcome::Failed(_)) && self.rng.random_bool(0.4) {
            let person = self.someone();
            self.world.retry_job(job, person);
        }
    }
}
