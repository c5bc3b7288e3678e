//! Jobs that failed for every reason, and jobs whose names and tags have broken programs before.

use super::CiMaker;
use crate::world::change::{JobOutcome, NewJob};
use crate::world::model::{FailureReason, Id};

/// Names GitLab accepts.
const NAMES: &[&str] = &[
    "\"quoted\" & <b>bold</b> %s {}",
    "👩‍👩‍👧‍👦 ship it 🚀",
    "מה זה? \u{202e}txet",
    "build: [linux, amd64]",
    "build: [linux, arm64]",
    "a\\b 'c' `d`",
];

impl CiMaker<'_> {
    /// Every second one is allowed to fail.
    pub(super) fn of_every_reason(&mut self, project_id: Id) {
        let pipeline = self.odd(project_id);
        let job = |(number, reason): (usize, &FailureReason)| {
            let new = NewJob { allow_failure: number % 2 == 1, ..NewJob::build("test", reason.word()) };
            (self.world.add_job(pipeline, &new), *reason)
        };
        let jobs: Vec<(Id, FailureReason)> = FailureReason::ALL.iter().enumerate().map(job).collect();
        self.world.begin_pipeline(pipeline);
        for (job, reason) in jobs {
            self.run_job(job, JobOutcome::Failed(reason));
        }
    }

    pub(super) fn of_strange_names(&mut self, project_id: Id) {
        let pipeline = self.odd(project_id);
        let tags = ["gpu", "a tag with spaces", "ärm64", "docker"];
        for name in NAMES {
            self.world.add_job(pipeline, &NewJob { tags: &tags, ..NewJob::build("🧪 tests", name) });
        }
        self.world.run_pipeline(pipeline);
    }
}
