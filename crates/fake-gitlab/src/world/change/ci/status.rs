//! The status of a pipeline, as GitLab computes it from the jobs that were not retried.

use std::collections::BTreeSet;

use crate::world::event::Happening;
use crate::world::model::{CiStatus, Id, Job, Pipeline, Time, World};

/// What a job counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Plain(CiStatus),
    /// Failed or cancelled, and allowed to be.
    Warning,
    /// Waits for a person, and nothing waits for it.
    Ignored,
}

fn weight(job: &Job) -> Weight {
    match job.status {
        CiStatus::Failed | CiStatus::Canceled if job.allow_failure => Weight::Warning,
        CiStatus::Manual if job.allow_failure => Weight::Ignored,
        status => Weight::Plain(status),
    }
}

/// The status of several jobs together; none for no job at all.
pub(super) fn composite<'a>(jobs: impl IntoIterator<Item = &'a Job>) -> Option<CiStatus> {
    use CiStatus::*;
    let weights: BTreeSet<Weight> = jobs.into_iter().map(weight).collect();
    let harmless = |it: &Weight| matches!(it, Weight::Warning | Weight::Ignored);
    let only = |statuses: &[CiStatus]| {
        weights.iter().all(|it| harmless(it) || statuses.iter().any(|known| *it == Weight::Plain(*known)))
    };
    let any = |status: CiStatus| weights.contains(&Weight::Plain(status));
    if weights.is_empty() {
        return None;
    }
    Some(match () {
        () if only(&[Skipped]) && !weights.contains(&Weight::Warning) => Skipped,
        () if only(&[Success, Skipped]) => Success,
        () if only(&[Created]) => Created,
        () if only(&[Preparing]) => Preparing,
        () if only(&[Canceled, Success, Skipped]) => Canceled,
        () if only(&[Pending, Created, Skipped]) => Pending,
        () if any(Running) || any(Pending) => Running,
        () => {
            let next = [WaitingForResource, WaitingForCallback, Manual, Scheduled, Preparing];
            let waiting = next.into_iter().find(|status| any(*status));
            let rest = || if any(Created) { Running } else { Failed };
            waiting.or_else(|| any(Canceling).then_some(Canceling)).unwrap_or_else(rest)
        }
    })
}

impl World {
    /// Gives a pipeline the status that follows from its jobs.
    pub(crate) fn refresh_pipeline(&mut self, pipeline_id: Id) {
        let pipeline = &self.ci.pipelines[&pipeline_id];
        let status = match pipeline.yaml_errors {
            Some(_) => CiStatus::Failed,
            None => composite(pipeline.latest_jobs()).unwrap_or(CiStatus::Skipped),
        };
        self.set_pipeline_status(pipeline_id, status);
    }

    /// What a change of status does. A status that stays moves nothing.
    pub(crate) fn set_pipeline_status(&mut self, pipeline_id: Id, status: CiStatus) {
        if self.ci.pipelines[&pipeline_id].status == status {
            return;
        }
        let (now, saved) = (self.ci_tick(), self.ci_tick());
        let pipeline = self.pipeline_mut(pipeline_id);
        pipeline.status = status;
        pipeline.updated_at = saved;
        match status {
            CiStatus::Running => pipeline.started_at = pipeline.started_at.or(Some(now)),
            CiStatus::Success | CiStatus::Failed | CiStatus::Canceled => {
                pipeline.finished_at = Some(now);
                pipeline.duration = duration(pipeline, now);
            }
            CiStatus::Manual => pipeline.duration = duration(pipeline, now),
            _ => {}
        }
        self.raise(|world| Happening::Pipeline(Box::new(world.ci.pipelines[&pipeline_id].clone())));
    }
}

/// Seconds in which at least one job ran: waits for a person do not count.
fn duration(pipeline: &Pipeline, now: Time) -> Option<i64> {
    pipeline.started_at?;
    let period = |job: &Job| Some((job.started_at?, job.finished_at.unwrap_or(now)));
    let mut periods: Vec<(Time, Time)> = pipeline.latest_jobs().filter_map(period).collect();
    periods.sort_unstable();
    let mut total = chrono::TimeDelta::zero();
    let mut counted_to = pipeline.created_at;
    for (start, end) in periods {
        total += (end - start.max(counted_to)).max(chrono::TimeDelta::zero());
        counted_to = counted_to.max(end);
    }
    Some(total.num_seconds())
}
