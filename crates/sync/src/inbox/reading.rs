//! Reading again what deliveries name, with the tokens of each connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use catalogue::Connector;
use catalogue::commits::COMMITS;
use store::{ConnectionRow, StoreError};

use super::hints::{Hints, Named};
use crate::connection::{Settings, client, options};
use crate::ending::failure;
use crate::engine::{Engine, Halt};
use crate::run::engine;
use crate::tasks::Worker;
use crate::{Progress, Stop, commits, deployments, issues, listing, merge_requests, pipelines, refresh, run};

/// What was learnt of a GitLab serves so long; then its version is asked for again.
const FRESH: Duration = Duration::from_secs(60);

/// What is known of the GitLabs of connections, kept between deliveries.
#[derive(Clone, Default)]
pub(super) struct Readers(Arc<Mutex<HashMap<i64, Known>>>);

#[derive(Clone)]
struct Known {
    engine: Arc<Engine>,
    settings: Settings,
    made_at: Instant,
    /// A connection or a credential that changed since counts as unknown.
    version: String,
}

impl Readers {
    /// Reads what is named, for every connection to the instance. Fails with a sentence if any of it could not be read.
    pub(super) async fn read(&self, worker: &Worker, instance: i64, hints: &Hints) -> Result<(), String> {
        let told = |error: StoreError| error.to_string();
        let all = worker.store.every_connection().await.map_err(told)?;
        let ours = |it: &ConnectionRow| it.extractor_id.is_none() || worker.store.is_away();
        let works = |it: &ConnectionRow| it.disabled_at.is_none() && it.paused_at.is_none() && ours(it);
        let ours = all.into_iter().filter(|it| it.instance == instance && works(it));
        let reads: Vec<_> = ours.map(|connection| self.one(worker, connection, hints)).collect();
        let failed: Vec<String> =
            futures::future::join_all(reads).await.into_iter().filter_map(Result::err).collect();
        if failed.is_empty() { Ok(()) } else { Err(failed.join(" ")) }
    }

    async fn one(&self, worker: &Worker, connection: ConnectionRow, hints: &Hints) -> Result<(), String> {
        let Some(connector) = Connector::named(&connection.connector) else { return Ok(()) };
        let failed = |halt: Halt| failure(halt).message;
        if hints.groups && connector == Connector::Gitlab {
            // Which groups and projects there are is what every sync begins with.
            let now = worker.clock.now();
            worker.store.hurry_task(connection.id, "sync", now).await.map_err(|it| it.to_string())?;
            worker.wake.notify_one();
        }
        if !hints.projects.values().any(|it| concerns(connector, it)) {
            return Ok(());
        }
        let known = self.known(worker, &connection, connector).await.map_err(failed)?;
        let mut read = Ok(());
        for (project, named) in hints.projects.iter().filter(|it| concerns(connector, it.1)) {
            if let Err(halt) = project_again(&known, connector, *project, named).await {
                read = Err(failed(halt));
            }
        }
        read
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
            .map_err(|it| Halt::Failed(crate::Failure::new("failed", "settings", it.to_string())))?;
        let client = client(&settings, &usable.tokens, &worker.network).map_err(Halt::Failed)?;
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
                pipeline_again(engine, project, *pipeline).await?;
            }
        }
        Connector::GitlabCommitsTrunk | Connector::GitlabDeployments => whole(known, project).await?,
    }
    refresh::settle(engine).await
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

/// A pipeline that is gone already is found by the next sweep.
async fn pipeline_again(engine: &Engine, project: i64, pipeline: i64) -> Result<(), Halt> {
    match refresh::read_pipeline(engine, project, pipeline).await {
        Err(Halt::Failed(failure)) if failure.reason == "not_found_or_no_access" => Ok(()),
        other => other,
    }
}

/// Syncs one project: what is named has no request of its own that would do.
async fn whole(known: &Known, project: i64) -> Result<(), Halt> {
    let engine = &known.engine;
    let mut options = engine.options.clone();
    options.scope.projects = vec![project.to_string()];
    options.scope.groups = Vec::new();
    options.workers = known.settings.concurrency;
    options.patience = Duration::ZERO;
    let (client, store) = (engine.client.clone(), engine.store.clone());
    let outcome = run(client, store, options, Arc::<Progress>::default(), Stop::default()).await;
    outcome.error.map_or(Ok(()), |it| Err(Halt::Failed(it)))
}
