//! Reading again what deliveries name, with the tokens of each connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use catalogue::Connector;
use catalogue::commits::COMMITS;
use store::{ConnectionRow, StoreError};

use super::absence::{Absences, Trouble, Unread};
use super::desk::Item;
use super::hints::{Hints, Named};
use crate::connection::{Observed, Settings, belong, hasty_client, options};
use crate::ending::failure;
use crate::engine::{Engine, Halt};
use crate::run::engine;
use crate::tasks::Worker;
use crate::{
    Failure, Progress, Stop, commits, deployments, issues, listing, merge_requests, outage, pipelines,
    refresh, run,
};

/// What was learnt of a GitLab serves so long; then its version is asked for again.
const FRESH: Duration = Duration::from_secs(60);

/// So long may the reading of one project take. What takes longer is for the next sync.
const LONGEST: Duration = Duration::from_secs(120);
const TOO_SLOW: &str = "too_slow";
/// How long what is older than the first window is read for, where a whole project is read.
const OLDER: Duration = Duration::from_secs(30);

/// What is known of the GitLabs of connections, kept between deliveries.
#[derive(Clone, Default)]
pub(super) struct Readers(Arc<Shared>);

#[derive(Default)]
struct Shared {
    known: Mutex<HashMap<i64, Known>>,
    absences: Absences,
}

#[derive(Clone)]
struct Known {
    engine: Arc<Engine>,
    settings: Settings,
    made_at: Instant,
    /// A connection or a credential that changed since counts as unknown.
    version: String,
}

impl Readers {
    /// Reads what deliveries name, for every connection to the instance. Gives what each could not read.
    pub(super) async fn read(
        &self,
        worker: &Worker,
        instance: i64,
        items: &[Item],
    ) -> Result<Vec<(i64, Unread)>, StoreError> {
        let all = worker.store.every_connection().await?;
        let ours = |it: &ConnectionRow| it.extractor_id.is_none() || worker.store.is_away();
        let works = |it: &ConnectionRow| it.disabled_at.is_none() && it.paused_at.is_none() && ours(it);
        let ours = all.into_iter().filter(|it| it.instance == instance && works(it));
        let reads: Vec<_> = ours
            .map(|connection| {
                let hints = hints_for(connection.id, items);
                self.one(worker, connection, hints)
            })
            .collect();
        Ok(futures::future::join_all(reads).await)
    }

    async fn one(&self, worker: &Worker, connection: ConnectionRow, hints: Hints) -> (i64, Unread) {
        (connection.id, self.attempt(worker, &connection, &hints).await)
    }

    async fn attempt(&self, worker: &Worker, connection: &ConnectionRow, hints: &Hints) -> Unread {
        let Some(connector) = Connector::named(&connection.connector) else { return Unread::default() };
        if hints.groups && connector == Connector::Gitlab {
            // Which groups and projects there are is what every sync begins with.
            let now = worker.clock.now();
            if let Err(error) = worker.store.hurry_task(connection.id, "sync", now).await {
                return Unread::all(Trouble::Other(error.to_string()));
            }
            worker.wake.notify_one();
        }
        let all = hints.projects.iter();
        let wanted: Vec<(i64, &Named)> =
            all.filter(|it| concerns(connector, it.1)).map(|it| (*it.0, it.1)).collect();
        if wanted.is_empty() {
            return Unread::default();
        }
        if let Some((until, why)) = self.0.absences.of(connection.id, worker.clock.now()) {
            return Unread::all(Trouble::Away(until, why));
        }
        let known = match in_time(self.known(worker, connection, connector)).await {
            Ok(known) => known,
            Err(halt) => return Unread::all(self.trouble(worker, connection, None, halt).await),
        };
        let mut unread = Unread::default();
        for (at, (project, named)) in wanted.iter().enumerate() {
            let Err(halt) = in_time(project_again(&known, connector, *project, named)).await else {
                continue;
            };
            if is_too_slow(&halt) && !outage::gitlab_is_away(&known.engine.client, &Stop::default()).await {
                // GitLab answers, and there is only much of it.
                if let Err(error) = worker.store.hurry_task(connection.id, "sync", worker.clock.now()).await {
                    unread.projects.insert(*project, Trouble::Other(error.to_string()));
                }
                worker.wake.notify_one();
                continue;
            }
            let trouble = self.trouble(worker, connection, Some(&known), halt).await;
            if let Trouble::Away(..) = trouble {
                unread.projects.extend(wanted[at..].iter().map(|it| (it.0, trouble.clone())));
                return unread;
            }
            unread.projects.insert(*project, trouble);
        }
        self.0.absences.is_back(connection.id);
        unread
    }

    /// What keeps a connection from reading: whether all of its GitLab is away, or only this cannot be read.
    async fn trouble(
        &self,
        worker: &Worker,
        connection: &ConnectionRow,
        known: Option<&Known>,
        halt: Halt,
    ) -> Trouble {
        let away = match &halt {
            Halt::Unmet(_) => true,
            Halt::Failed(failure) => matches!(failure.reason.as_str(), "rate_limited" | TOO_SLOW),
            Halt::Later(_) => match known {
                Some(known) => outage::gitlab_is_away(&known.engine.client, &Stop::default()).await,
                None => true,
            },
            Halt::Skipped | Halt::Store(_) => false,
        };
        let refused = is_refusal(&halt);
        let why = failure(halt).message;
        if refused {
            return Trouble::Refused(why);
        }
        // A client remembers which tokens were refused: the next reading asks with a new one.
        self.all().remove(&connection.id);
        if !away {
            return Trouble::Other(why);
        }
        let until = self.0.absences.note(connection.id, &why, worker.clock.now());
        tracing::warn!(connection = connection.id, why, "webhooks wait for GitLab");
        Trouble::Away(until, why)
    }

    /// The engine of a connection, made anew where it is old or something changed.
    async fn known(
        &self,
        worker: &Worker,
        connection: &ConnectionRow,
        connector: Connector,
    ) -> Result<Known, Halt> {
        let usable = worker.tokens.usable(connection.id).await?;
        let version = format!("{} {}", connection.updated_at, usable.version);
        if let Some(known) = self.all().get(&connection.id)
            && known.version == version
            && known.made_at.elapsed() < FRESH
        {
            return Ok(known.clone());
        }
        let settings = Settings::parse(&connection.settings)
            .map_err(|it| Halt::Failed(Failure::new("failed", "settings", it.to_string())))?;
        let observed = Observed { connection: connection.id, telemetry: worker.telemetry.clone() };
        let client =
            hasty_client(&settings, &usable.tokens, &worker.network, observed).map_err(Halt::Failed)?;
        belong(&client, &usable.users);
        let mut options = options(&settings, connector, worker.clock.clone());
        options.connection = Some(connection.id);
        let row = worker.store.instance(client.base_url().as_str()).await?;
        let progress = Arc::<Progress>::default();
        let engine = engine(&client, &worker.store, &options, &row, None, progress, Stop::default()).await?;
        let known = Known { engine: Arc::new(engine), settings, made_at: Instant::now(), version };
        self.all().insert(connection.id, known.clone());
        Ok(known)
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Known>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether GitLab answered that this is not to be seen: lost access, a feature that was switched off, what was deleted.
fn is_refusal(halt: &Halt) -> bool {
    match halt {
        Halt::Skipped => true,
        Halt::Failed(failure) => {
            let reason = failure.reason.as_str();
            let by_gitlab = failure.code == "invalid_permissions" && reason != "blocked_by_proxy";
            by_gitlab || reason == "not_found_or_no_access"
        }
        Halt::Unmet(_) | Halt::Later(_) | Halt::Store(_) => false,
    }
}

/// Whether something took longer than a webhook is read for.
fn is_too_slow(halt: &Halt) -> bool {
    matches!(halt, Halt::Failed(failure) if failure.reason == TOO_SLOW)
}

/// What is new to a connection.
fn hints_for(connection: i64, items: &[Item]) -> Hints {
    let mut hints = Hints::default();
    let new = items.iter().filter(|it| !it.read_by.contains(&connection));
    new.for_each(|it| hints.add(it.changed, it.project));
    hints
}

/// Nobody waits for ever: while a GitLab that hangs is waited for, what others name is not read.
async fn in_time<T>(reading: impl Future<Output = Result<T, Halt>>) -> Result<T, Halt> {
    tokio::time::timeout(LONGEST, reading).await.unwrap_or_else(|_| {
        let message = "GitLab took longer than two minutes over what a webhook named.";
        Err(Halt::Failed(Failure::new("failed", TOO_SLOW, message)))
    })
}

/// Whether a connector reads any of what is named.
fn concerns(connector: Connector, named: &Named) -> bool {
    match connector {
        Connector::Gitlab => !named.merge_requests.is_empty() || !named.issues.is_empty() || named.project,
        Connector::GitlabPipelines => !named.pipelines.is_empty(),
        Connector::GitlabCommits => !named.merge_requests.is_empty(),
        Connector::GitlabCommitsTrunk => named.trunk,
        Connector::GitlabDeployments => named.deployments,
    }
}

/// What a connector reads of every project that it does not leave out.
fn resources(connector: Connector) -> Vec<&'static str> {
    match connector {
        Connector::Gitlab => vec![merge_requests::LISTING.resource.name, issues::LISTING.resource.name],
        Connector::GitlabPipelines => vec![pipelines::LISTING.resource.name],
        Connector::GitlabCommits => vec![commits::LISTING.resource.name],
        Connector::GitlabCommitsTrunk => vec![COMMITS.name],
        Connector::GitlabDeployments => vec![deployments::LISTING.resource.name],
    }
}

/// Reads again what is named of one project (GitLab's id), unless the connection leaves it out.
async fn project_again(known: &Known, connector: Connector, project: i64, named: &Named) -> Result<(), Halt> {
    let engine = &*known.engine;
    let parent = engine.instance.id(project);
    if !engine.store.has_partition(engine.instance.0, &resources(connector), parent).await? {
        // It was never read, or is left out: the next sync knows.
        return Ok(());
    }
    let iids = |set: &std::collections::BTreeSet<i64>| set.iter().copied().collect::<Vec<i64>>();
    match connector {
        Connector::Gitlab => {
            by_iids(engine, &merge_requests::LISTING, project, &iids(&named.merge_requests)).await?;
            if engine.options.issues {
                by_iids(engine, &issues::LISTING, project, &iids(&named.issues)).await?;
            }
            if named.project {
                whole(known, project).await?;
            }
        }
        Connector::GitlabCommits => {
            by_iids(engine, &commits::LISTING, project, &iids(&named.merge_requests)).await?;
        }
        Connector::GitlabPipelines => {
            for pipeline in &named.pipelines {
                match refresh::read_pipeline(engine, project, *pipeline).await {
                    // One that is gone already is found by the next sweep.
                    Err(Halt::Failed(failure)) if failure.reason == "not_found_or_no_access" => {}
                    other => other?,
                }
            }
        }
        Connector::GitlabCommitsTrunk | Connector::GitlabDeployments => whole(known, project).await?,
    }
    refresh::settle(engine, project).await
}

async fn by_iids(
    engine: &Engine,
    listing: &'static listing::Listing,
    project: i64,
    iids: &[i64],
) -> Result<(), Halt> {
    if !iids.is_empty() {
        listing::by_iids(engine, listing, project, iids).await?;
    }
    Ok(())
}

/// Syncs one project: what is named has no request of its own that would do.
async fn whole(known: &Known, project: i64) -> Result<(), Halt> {
    let engine = &known.engine;
    let mut options = engine.options.clone();
    options.scope.projects = vec![project.to_string()];
    options.scope.groups = Vec::new();
    options.workers = known.settings.concurrency;
    options.patience = Duration::ZERO;
    options.older_for = Some(OLDER);
    options.lists_of = Some(project);
    let (client, store) = (engine.client.clone(), engine.store.clone());
    let outcome = run(client, store, options, Arc::<Progress>::default(), Stop::default()).await;
    outcome.error.map_or(Ok(()), |it| Err(Halt::Failed(it)))
}
