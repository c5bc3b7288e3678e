//! One pipeline or deployment for every oddity GitLab is known for, all in the first project.

use chrono::TimeDelta;

use super::CiMaker;
use crate::world::change::{JobOutcome, NewJob, NewPipeline};
use crate::world::model::{FailureReason, Id};

impl CiMaker<'_> {
    /// Makes them and says how many there are; those that share a timestamp and those that are triggered are on top.
    pub(super) fn oddities(&mut self, project_id: Id) -> usize {
        let all: &[fn(&mut Self, Id)] = &[
            Self::invalid,
            Self::canceled_before_its_start,
            Self::passed_with_warnings,
            Self::of_150_jobs,
            Self::retried_five_times,
            Self::never_played,
            Self::without_jobs,
            Self::played_weeks_later,
            Self::by_nobody,
            Self::measured,
            Self::erased,
            Self::named,
            Self::of_every_reason,
            Self::of_strange_names,
            Self::family,
            Self::elsewhere,
            Self::failed_bridges,
        ];
        for (number, make) in all.iter().enumerate() {
            self.world.now = self.end - TimeDelta::days(190 - number as i64);
            make(self, project_id);
        }
        self.of_every_source(project_id);
        self.sharing_a_timestamp(project_id);
        self.odd_deployments(project_id);
        self.of_every_open_status(project_id);
        all.len()
    }

    /// A pipeline of a push to the default branch.
    pub(super) fn odd(&mut self, project_id: Id) -> Id {
        let user = self.someone();
        self.world.create_pipeline(NewPipeline::push(project_id, user, "main"))
    }

    pub(super) fn job(&mut self, pipeline: Id, name: &str) -> Id {
        self.world.add_job(pipeline, &NewJob::build("test", name))
    }

    /// Starts a job, and ends it half a minute later.
    pub(super) fn run_job(&mut self, job: Id, outcome: JobOutcome) {
        self.world.advance(TimeDelta::milliseconds(1_300));
        self.world.start_job(job);
        self.world.advance(TimeDelta::milliseconds(30_700));
        self.world.finish_job(job, outcome);
    }

    /// Failed without a start, because its configuration cannot be read.
    fn invalid(&mut self, project_id: Id) {
        let user = self.someone();
        let new = NewPipeline::push(project_id, user, "broken-config");
        self.world.create_invalid_pipeline(new, "jobs:rspec config contains unknown keys: 'skript'");
    }

    /// One of its jobs was waiting for a runner: its `queued_duration` grows to this day.
    fn canceled_before_its_start(&mut self, project_id: Id) {
        let pipeline = self.odd(project_id);
        self.job(pipeline, "download");
        self.world.add_job(pipeline, &NewJob::build("later", "deploy"));
        self.world.begin_pipeline(pipeline);
        self.world.advance(TimeDelta::minutes(4));
        self.world.cancel_pipeline(pipeline);
    }

    fn passed_with_warnings(&mut self, project_id: Id) {
        let pipeline = self.odd(project_id);
        let lint = NewJob { allow_failure: true, ..NewJob::build("test", "lint") };
        let lint = self.world.add_job(pipeline, &lint);
        let test = self.job(pipeline, "rspec");
        self.world.begin_pipeline(pipeline);
        self.run_job(lint, JobOutcome::Failed(FailureReason::Script));
        self.run_job(test, JobOutcome::Success);
    }

    /// More than a page of jobs.
    fn of_150_jobs(&mut self, project_id: Id) {
        let pipeline = self.odd(project_id);
        for number in 1..=150 {
            self.job(pipeline, &format!("rspec {number}/150"));
        }
        self.world.run_pipeline(pipeline);
    }

    /// Six attempts, the last of which succeeded; the deployment behind it was skipped and came after all.
    fn retried_five_times(&mut self, project_id: Id) {
        let pipeline = self.odd(project_id);
        let mut job = self.job(pipeline, "flaky");
        let behind = self.world.add_job(pipeline, &NewJob::build("later", "publish"));
        self.world.begin_pipeline(pipeline);
        for _ in 0..5 {
            self.run_job(job, JobOutcome::Failed(FailureReason::RunnerSystem));
            self.world.advance(TimeDelta::minutes(7));
            let person = self.someone();
            job = self.world.retry_job(job, person);
        }
        self.run_job(job, JobOutcome::Success);
        self.run_job(behind, JobOutcome::Success);
    }

    /// Two jobs wait for a person for ever: one holds the pipeline up, the other does not.
    fn never_played(&mut self, project_id: Id) {
        for allow_failure in [true, false] {
            let pipeline = self.odd(project_id);
            let test = self.job(pipeline, "rspec");
            let deploy = NewJob::build("deploy", "to production");
            self.world.add_job(pipeline, &NewJob { manual: true, allow_failure, ..deploy });
            self.world.begin_pipeline(pipeline);
            self.run_job(test, JobOutcome::Success);
        }
    }

    /// As `[ci skip]` makes it: skipped, never started, never finished.
    fn without_jobs(&mut self, project_id: Id) {
        let pipeline = self.odd(project_id);
        self.world.begin_pipeline(pipeline);
    }

    /// Finished twice: a manual job moves it long after.
    fn played_weeks_later(&mut self, project_id: Id) {
        let pipeline = self.odd(project_id);
        let test = self.job(pipeline, "rspec");
        let manual = NewJob { manual: true, allow_failure: true, ..NewJob::build("deploy", "clean up") };
        let manual = self.world.add_job(pipeline, &manual);
        self.world.begin_pipeline(pipeline);
        self.run_job(test, JobOutcome::Success);
        self.world.advance(TimeDelta::days(24));
        let person = self.someone();
        self.world.play_job(manual, person);
        self.run_job(manual, JobOutcome::Success);
    }

    /// Its account is gone; it started within the second, so that it was not queued; nothing was there before.
    fn by_nobody(&mut self, project_id: Id) {
        let new = NewPipeline { user_id: None, ..NewPipeline::tag(project_id, 0, "v0.0.1") };
        let pipeline = self.world.create_pipeline(new);
        let job = self.job(pipeline, "release");
        self.world.begin_pipeline(pipeline);
        self.world.start_job(job);
        self.world.advance(TimeDelta::seconds(12));
        self.world.finish_job(job, JobOutcome::Success);
    }

    /// 87.40: the mean of two jobs, in which the attempt that was retried does not count.
    fn measured(&mut self, project_id: Id) {
        let pipeline = self.odd(project_id);
        let first = self.job(pipeline, "rspec");
        let other = self.job(pipeline, "jest");
        self.world.begin_pipeline(pipeline);
        self.world.job_mut(first).coverage = Some(12.5);
        self.run_job(first, JobOutcome::Failed(FailureReason::Script));
        let person = self.someone();
        let again = self.world.retry_job(first, person);
        for (job, percent) in [(again, 80.5), (other, 94.3)] {
            self.world.job_mut(job).coverage = Some(percent);
            self.run_job(job, JobOutcome::Success);
        }
    }

    fn erased(&mut self, project_id: Id) {
        let pipeline = self.odd(project_id);
        let job = self.job(pipeline, "secrets in its log");
        self.world.run_pipeline(pipeline);
        self.world.advance(TimeDelta::days(2));
        self.world.erase_job(job);
    }

    fn named(&mut self, project_id: Id) {
        let pipeline = self.odd(project_id);
        self.world.pipeline_mut(pipeline).name = Some("Nightly 🌙 \"full\" run".to_owned());
        let committed_at = self.world.now - TimeDelta::hours(5);
        self.world.pipeline_mut(pipeline).committed_at = Some(committed_at);
        self.job(pipeline, "rspec");
        self.world.run_pipeline(pipeline);
    }

    fn sharing_a_timestamp(&mut self, project_id: Id) {
        let shared = self.end - TimeDelta::days(100);
        for number in 0..self.scale.shared_timestamp {
            self.world.now = shared - TimeDelta::minutes(2_000 - (number % 1_900) as i64);
            let pipeline = self.odd(project_id);
            self.world.begin_pipeline(pipeline);
            self.world.pipeline_mut(pipeline).updated_at = shared;
        }
    }
}
