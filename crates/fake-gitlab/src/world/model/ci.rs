//! Pipelines with their jobs, runners, environments and deployments.

mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Id, Time};

pub use words::{
    CiStatus, DeploymentStatus, EnvironmentState, FailureReason, JobKind, PipelineSource, RunnerType, Tier,
};

/// A commit that is none: what GitLab shows where there was no commit before.
pub const NO_SHA: &str = "0000000000000000000000000000000000000000";

/// Everything about CI/CD on the instance, keyed by GitLab's numeric ids.
#[derive(Debug, Clone, Default)]
pub struct Ci {
    pub pipelines: BTreeMap<Id, Pipeline>,
    /// The pipeline each job belongs to.
    pub pipeline_of: BTreeMap<Id, Id>,
    pub runners: BTreeMap<Id, Runner>,
    pub environments: BTreeMap<Id, Environment>,
    pub deployments: BTreeMap<Id, Deployment>,
    /// Who may use environments of a project: disabled or private; enabled where nothing is said.
    pub environments_access: BTreeMap<Id, String>,
    pub ids: CiIds,
    texts: BTreeSet<Arc<str>>,
}

impl Ci {
    /// One copy of a text that many rows share.
    pub fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let shared: Arc<str> = text.into();
        self.texts.insert(shared.clone());
        shared
    }

    /// The job with this id, and the pipeline it is in.
    pub fn job(&self, id: Id) -> Option<(&Pipeline, &Job)> {
        let pipeline = self.pipelines.get(self.pipeline_of.get(&id)?)?;
        Some((pipeline, pipeline.job(id)?))
    }

    /// The pipeline whose bridge triggered this one.
    pub fn upstream(&self, pipeline: &Pipeline) -> Option<&Pipeline> {
        self.pipelines.get(self.pipeline_of.get(&pipeline.source_job_id?)?)
    }
}

/// The last id and number given out for each kind of row.
#[derive(Debug, Clone)]
pub struct CiIds {
    pub pipeline: Id,
    pub job: Id,
    pub runner: Id,
    pub environment: Id,
    pub deployment: Id,
    /// How often CI moved the clock. A count of its own, so that nothing outside CI depends on it.
    pub ticks: u64,
    /// The last iids of each project: of pipelines and of deployments.
    pub numbers: BTreeMap<Id, (i64, i64)>,
}

impl Default for CiIds {
    fn default() -> Self {
        Self {
            pipeline: 1_250_000_000,
            // Beyond 32 bits, as on gitlab.com.
            job: 6_620_000_000,
            runner: 12_270_800,
            environment: 585_600,
            deployment: 13_426_700,
            ticks: 0,
            numbers: BTreeMap::new(),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Pipeline {
    pub id: Id,
    pub iid: i64,
    pub project_id: Id,
    /// From `workflow:name`.
    pub name: Option<String>,
    pub status: CiStatus,
    pub source: PipelineSource,
    /// A branch, a tag, or `refs/merge-requests/<iid>/head`, `/merge` or `/train`.
    pub git_ref: Arc<str>,
    pub tag: bool,
    pub sha: String,
    pub before_sha: String,
    /// None where the account was deleted.
    pub user_id: Option<Id>,
    /// Why the configuration could not be used.
    pub yaml_errors: Option<String>,
    pub created_at: Time,
    pub updated_at: Time,
    pub started_at: Option<Time>,
    pub finished_at: Option<Time>,
    pub committed_at: Option<Time>,
    /// Seconds in which a job ran, computed whenever it ends.
    pub duration: Option<i64>,
    /// The bridge that triggered it.
    pub source_job_id: Option<Id>,
    /// Every attempt of every job, lowest id first.
    pub jobs: Vec<Job>,
}

impl Pipeline {
    /// The job with this id.
    pub fn job(&self, id: Id) -> Option<&Job> {
        self.jobs.binary_search_by_key(&id, |job| job.id).ok().map(|at| &self.jobs[at])
    }

    /// The jobs that were not retried.
    pub fn latest_jobs(&self) -> impl DoubleEndedIterator<Item = &Job> {
        self.jobs.iter().filter(|job| !job.retried)
    }

    /// Whether a pipeline of the same project triggered it.
    pub fn is_child(&self) -> bool {
        self.source == PipelineSource::ParentPipeline
    }

    /// Seconds between creation and start; GitLab shows none instead of 0.
    pub fn queued_duration(&self) -> Option<i64> {
        let seconds = (self.started_at? - self.created_at).num_seconds();
        (seconds != 0).then_some(seconds)
    }

    /// The mean coverage of the jobs that tell one, in hundredths of a percent.
    pub fn coverage(&self) -> Option<f64> {
        let told: Vec<f64> = self.latest_jobs().filter_map(|job| job.coverage).collect();
        let mean = told.iter().sum::<f64>() / told.len() as f64;
        (!told.is_empty()).then(|| (mean * 100.0).round() / 100.0)
    }
}

#[derive(Debug, Clone)]
pub struct Job {
    pub id: Id,
    pub kind: JobKind,
    pub name: Arc<str>,
    pub stage: Arc<str>,
    pub status: CiStatus,
    /// Whether a later attempt took its place.
    pub retried: bool,
    pub allow_failure: bool,
    /// Waits for a person (`when: manual`).
    pub manual: bool,
    /// Only while it is failed.
    pub failure_reason: Option<FailureReason>,
    pub exit_code: Option<i32>,
    /// The account of who started it; none where that was deleted.
    pub user_id: Option<Id>,
    pub runner_id: Option<Id>,
    /// Sorted; bridges have none.
    pub tags: Arc<[Arc<str>]>,
    pub coverage: Option<f64>,
    pub created_at: Time,
    pub queued_at: Option<Time>,
    pub started_at: Option<Time>,
    pub finished_at: Option<Time>,
    pub erased_at: Option<Time>,
    /// The deployment it makes.
    pub deployment_id: Option<Id>,
    /// Of a bridge: the pipeline it triggered.
    pub downstream_id: Option<Id>,
    /// Of a bridge: why that pipeline could not be made.
    pub downstream_errors: Option<Arc<str>>,
}

impl Job {
    /// GitLab's `duration`: up to now while it runs.
    pub fn duration(&self, now: Time) -> Option<f64> {
        self.started_at.map(|start| seconds(start, self.finished_at.unwrap_or(now)))
    }

    /// GitLab's `queued_duration`: up to now as long as it was not started, even when it never will be.
    pub fn queued_duration(&self, now: Time) -> Option<f64> {
        self.queued_at.map(|start| seconds(start, self.started_at.unwrap_or(now)))
    }
}

fn seconds(from: Time, to: Time) -> f64 {
    (to - from).num_microseconds().unwrap_or_default() as f64 / 1e6
}

#[derive(Debug, Clone)]
pub struct Runner {
    pub id: Id,
    pub description: String,
    pub runner_type: RunnerType,
}

#[derive(Debug, Clone)]
pub struct Environment {
    pub id: Id,
    pub project_id: Id,
    pub name: Arc<str>,
    pub slug: Arc<str>,
    pub external_url: Option<String>,
    pub state: EnvironmentState,
    pub tier: Tier,
    pub created_at: Time,
    pub updated_at: Time,
}

#[derive(Debug, Clone)]
pub struct Deployment {
    pub id: Id,
    pub iid: i64,
    pub project_id: Id,
    pub environment_id: Id,
    pub status: DeploymentStatus,
    pub git_ref: Arc<str>,
    pub tag: bool,
    pub sha: String,
    pub user_id: Option<Id>,
    /// The job that deploys; none when the API made it, or the job was deleted.
    pub job_id: Option<Id>,
    pub created_at: Time,
    pub updated_at: Time,
    pub finished_at: Option<Time>,
    /// What it brought to the environment.
    pub merge_request_ids: Vec<Id>,
}
