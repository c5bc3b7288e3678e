//! What every part of a run shares.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use catalogue::issues::ISSUES;
use catalogue::{Connector, Instance, List, Origin, RESOURCES, Resource, Rows};
use chrono::{DateTime, Utc};
use gitlab_client::{Client, Clock, Error};
use store::{Handle, Page, Skip, StoreError, Written};

use crate::budget::Sizes;
use crate::capabilities::Capabilities;
use crate::policy::{Decision, decide};
use crate::refusals::Refusals;
use crate::tally::Tally;
use crate::{Failure, Progress, Scope, verify};

/// Parts read at once, unless told otherwise.
const WORKERS: usize = 8;

/// What the caller decides about a run.
#[derive(Clone)]
pub struct Options {
    /// The connectors to run.
    pub connectors: Vec<Connector>,
    /// What it is limited to.
    pub scope: Scope,
    /// Whether texts of notes and issues are kept.
    pub keep_bodies: bool,
    /// Whether approval rules are read too: a request per merge request.
    pub approval_rules: bool,
    /// Whether what is stored is held against what GitLab has, and mended.
    pub sweep: bool,
    /// Whether what changes unseen in open merge requests and running pipelines is looked at.
    pub open_set: bool,
    /// Whether the merge requests of deployments are read too: a request per successful deployment.
    pub deployment_merge_requests: bool,
    /// Whether the size of each commit of default branches is asked for.
    pub commit_statistics: bool,
    /// Whether issues are read.
    pub issues: bool,
    /// Whether every user of the instance is listed, with the token of an administrator.
    pub all_users: bool,
    /// Whether all reading is done by REST.
    pub rest_only: bool,
    /// The project (GitLab's id) whose lists alone are read, where what others have left is not to be waited for.
    pub lists_of: Option<i64>,
    /// How many parts are read at once. The client limits the requests under way on its own.
    pub workers: usize,
    /// How long a run waits for a GitLab that went away in the middle.
    pub patience: Duration,
    /// How long it waits for a database that did.
    pub database_patience: Duration,
    /// Whether the credentials are job tokens, which read one project by REST and little of it.
    pub job_token: bool,
    /// The connection this is for, where there is one.
    pub connection: Option<i64>,
    /// Whether it covers all of that connection: then its end tells how far each resource is up to date.
    pub covers_connection: bool,
    /// Whether only a sync that another process leads is worked on.
    pub only_help: bool,
    /// How long what is older than the first window is read for; what is left then is left to the next run.
    pub older_for: Option<Duration>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// An upgrade of GitLab takes an hour.
pub const PATIENCE: Duration = Duration::from_secs(2 * 60 * 60);
/// A restart of the database takes seconds, one of its machine minutes.
pub const DATABASE_PATIENCE: Duration = Duration::from_secs(5 * 60);

impl Options {
    /// Everything there is of these connectors, and nothing that costs extra.
    pub fn new(connectors: Vec<Connector>, clock: Arc<dyn Clock>) -> Options {
        Options {
            connectors,
            scope: Scope::default(),
            keep_bodies: false,
            approval_rules: false,
            sweep: false,
            open_set: true,
            deployment_merge_requests: false,
            commit_statistics: false,
            issues: true,
            all_users: false,
            rest_only: false,
            lists_of: None,
            workers: WORKERS,
            patience: PATIENCE,
            database_patience: DATABASE_PATIENCE,
            job_token: false,
            connection: None,
            covers_connection: false,
            only_help: false,
            older_for: None,
            clock,
        }
    }

    /// What is read and how, as one text: only runs of equal text share their work.
    pub(crate) fn text(&self) -> String {
        let mut words = vec![self.scope.text()];
        words.extend(self.keep_bodies.then(|| "keep-bodies".to_owned()));
        words.extend(self.approval_rules.then(|| "approval-rules".to_owned()));
        words.extend(self.sweep.then(|| "sweep".to_owned()));
        words.extend((!self.open_set).then(|| "without-open-set".to_owned()));
        words.extend(self.lists_of.map(|it| format!("lists-of-{it}")));
        words.extend(self.deployment_merge_requests.then(|| "deployment-merge-requests".to_owned()));
        words.extend(self.commit_statistics.then(|| "commit-statistics".to_owned()));
        words.extend((!self.issues).then(|| "no-issues".to_owned()));
        words.extend(self.all_users.then(|| "all-users".to_owned()));
        words.extend(self.rest_only.then(|| "rest-only".to_owned()));
        words.join(" ").trim().to_owned()
    }
}

/// How long a run that was asked to stop may take to finish the page in hand.
const GRACE: Duration = Duration::from_secs(5);

/// Asks a run to stop: it finishes the page in hand.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks.
    pub fn ask(&self) {
        self.0.store(true, Relaxed);
    }

    /// Whether somebody asked.
    pub fn asked(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Returns when somebody has asked.
    pub async fn wait(&self) {
        while !self.asked() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Returns when somebody has asked and the page in hand takes too long: it may be waiting for a limit.
    pub(crate) async fn overdue(&self) {
        self.wait().await;
        tokio::time::sleep(GRACE).await;
    }
}

/// Why a part of a run ended early.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The run ends, with this failure.
    Failed(Failure),
    /// GitLab did not answer the first question. Where it never did, the run ends with this failure: the address may be wrong.
    Unmet(Failure),
    /// This part could not be read now; it may be later.
    Later(String),
    /// This part cannot be read; the reason is kept.
    Skipped,
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Halt {
        Halt::Store(error)
    }
}

/// What every part of a run shares. Cheap to clone; clones share everything but the client.
#[derive(Clone)]
pub(crate) struct Engine {
    pub(crate) client: Client,
    pub(crate) store: Handle,
    pub(crate) options: Options,
    pub(crate) instance: Instance,
    pub(crate) capabilities: Arc<Capabilities>,
    /// Whether approval rules are read: they were asked for and this GitLab has them.
    pub(crate) approval_rules: bool,
    /// When the run began, by GitLab's clock: cursors of what is read to its end move here.
    pub(crate) started: DateTime<Utc>,
    /// The same by our own clock.
    pub(crate) began: DateTime<Utc>,
    pub(crate) tally: Arc<Tally>,
    /// What GitLab refused lately.
    pub(crate) refusals: Arc<Refusals>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) stop: Stop,
    /// Until when what is older than the first window is read.
    pub(crate) older_until: Option<Instant>,
    /// Set when a worker met something that ends the run.
    pub(crate) ending: Arc<AtomicBool>,
    /// Set when all the work is laid out: before that, workers without work wait for more.
    pub(crate) planned: Arc<AtomicBool>,
    /// Another process leads.
    pub(crate) helps: bool,
    pub(crate) sizes: Arc<Sizes>,
    /// Projects (Weir's ids) whose environments this run has read. Not by time: two runs may begin in one second.
    pub(crate) environments: Arc<Mutex<HashSet<i64>>>,
    /// Paths of projects by Weir's id, for people.
    pub(crate) paths: Arc<RwLock<HashMap<i64, String>>>,
}

impl Engine {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.options.clock.now()
    }

    /// Whether the time for what is older than the first window is over.
    pub(crate) fn older_is_over(&self) -> bool {
        self.older_until.is_some_and(|it| it <= Instant::now())
    }

    /// The engine for each user whose tokens there are: what they see may differ.
    pub(crate) fn of_each_user(&self) -> Vec<Engine> {
        let clients = self.client.of_each_user().into_iter();
        clients.map(|client| Engine { client, ..self.clone() }).collect()
    }

    pub(crate) fn origin(&self) -> Origin {
        let (keep_bodies, approval_rules) = (self.options.keep_bodies, self.approval_rules);
        let deployment_merge_requests = self.options.deployment_merge_requests;
        Origin { keep_bodies, approval_rules, deployment_merge_requests, ..Origin::instance(self.instance) }
    }

    /// The pending lists that this run reads. Those that only a run with other options asks for are left to it.
    pub(crate) fn lists(&self) -> Vec<List> {
        let asked_for = |it: &List| match it {
            List::ApprovalRules => self.approval_rules,
            List::DeploymentMergeRequests => self.options.deployment_merge_requests,
            List::IssueLabels | List::IssueAssignees => self.options.issues,
            _ => true,
        };
        List::ALL.into_iter().filter(|it| self.has(it.connector()) && asked_for(it)).collect()
    }

    /// Whether this run includes the connector.
    pub(crate) fn has(&self, connector: Connector) -> bool {
        self.options.connectors.contains(&connector)
    }

    /// Whether this run reads the resource, if it runs into it.
    pub(crate) fn reads(&self, resource: &Resource) -> bool {
        self.has(resource.connector) && (self.options.issues || resource.name != ISSUES.name)
    }

    /// A page of nothing but rows.
    pub(crate) fn page<'a>(&self, rows: &'a Rows, sent_at: DateTime<Utc>) -> Page<'a> {
        Page::new(self.instance.0, rows, sent_at)
    }

    /// Writes a page and counts it.
    pub(crate) async fn write(&self, page: &Page<'_>) -> Result<Written, StoreError> {
        let written = self.store.write_page(page).await?;
        self.count(&written);
        for reject in page.rejects {
            self.tally.rejected(table_of(reject.resource), 1);
        }
        Ok(written)
    }

    pub(crate) fn count(&self, written: &Written) {
        let (read, changed) = self.tally.written(written);
        Progress::add(&self.progress.rows, read);
        Progress::add(&self.progress.written, changed);
    }

    /// Notes that something is not read, with the reason.
    pub(crate) fn skip(&self, resource: &str, parent_id: i64, reason: &str, detail: impl Into<String>) {
        self.tally.skip(Skip {
            connector: self.connector_of(resource).name().to_owned(),
            resource: resource.to_owned(),
            parent_id,
            parent: self.path(parent_id),
            reason: reason.to_owned(),
            detail: detail.into(),
        });
    }

    /// The connector that wants a resource; what several want counts as the first of this run.
    fn connector_of(&self, resource: &str) -> Connector {
        let known = RESOURCES.iter().find(|it| it.name == resource).map(|it| it.connector);
        let first = self.options.connectors.first().copied().unwrap_or(Connector::Gitlab);
        known.filter(|it| self.has(*it)).unwrap_or(first)
    }

    /// Whether GitLab refused this list lately: then the skip is noted again, and GitLab is not asked.
    pub(crate) fn refused_lately(&self, resource: &str, parent_id: i64) -> bool {
        let refusal = self.refusals.of(resource, parent_id);
        if let Some(skip) = refusal {
            self.tally.repeat(skip.clone());
        }
        refusal.is_some()
    }

    /// Decides on an error met while reading a part: what is skipped is noted here.
    pub(crate) fn halt(&self, error: &Error, resource: &str, parent_id: i64) -> Halt {
        match decide(error) {
            Decision::Skip(reason) => {
                self.skip(resource, parent_id, reason, error.to_string());
                Halt::Skipped
            }
            Decision::Later => Halt::Later(error.to_string()),
            Decision::StopCredentials => Halt::Failed(verify::failure(error, self.client.base_url(), None)),
            Decision::StopLimited => Halt::Failed(Failure::new("stopped", "rate_limited", error.to_string())),
        }
    }

    /// A worker met the end of the run: the others finish the page in hand.
    pub(crate) fn stop_others(&self) {
        self.ending.store(true, Relaxed);
    }

    /// Whether the run is ending.
    pub(crate) fn ending(&self) -> bool {
        self.stop.asked() || self.ending.load(Relaxed)
    }

    /// Whether this run has read the environments of a project.
    pub(crate) fn has_read_environments(&self, project: i64) -> bool {
        self.environments.lock().unwrap_or_else(|it| it.into_inner()).contains(&project)
    }

    /// Notes that this run has read the environments of a project.
    pub(crate) fn note_environments(&self, project: i64) {
        self.environments.lock().unwrap_or_else(|it| it.into_inner()).insert(project);
    }

    /// Everything this run has had in sight (Weir's ids), the instance itself included.
    pub(crate) fn named(&self) -> Vec<i64> {
        let paths = self.paths.read().unwrap_or_else(|it| it.into_inner());
        paths.keys().copied().chain([0]).collect()
    }

    /// Remembers the path of a group or project, for people.
    pub(crate) fn name(&self, id: i64, path: &str) {
        self.paths.write().unwrap_or_else(|it| it.into_inner()).insert(id, path.to_owned());
    }

    fn path(&self, id: i64) -> String {
        let paths = self.paths.read().unwrap_or_else(|it| it.into_inner());
        paths.get(&id).cloned().unwrap_or_else(|| if id == 0 { String::new() } else { id.to_string() })
    }
}

/// The table that a resource's elements fill first.
fn table_of(resource: &'static str) -> &'static str {
    let known = RESOURCES.iter().find(|it| it.name == resource);
    known.and_then(|it| it.tables.first()).map_or(resource, |it| it.name)
}
