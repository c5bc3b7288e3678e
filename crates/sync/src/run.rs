//! A run from beginning to end: who leads it, its phases, and how it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use catalogue::Instance;
use chrono::{DateTime, Utc};
use gitlab_client::Client;
use store::{Handle, InstanceRow, Joined, KnownProject, Proof, Run};

use crate::capabilities::{self, Capabilities};
use crate::ending::{abandon, failure, finish};
use crate::engine::{Engine, Halt, Options, Stop};
use crate::policy::{Decision, decide};
use crate::refusals::Refusals;
use crate::sight::Sight;
use crate::{
    Failure, Outcome, Progress, approval_rules, deployments, discovery, open_set, outage, pipelines, plan,
    sweep, users, verify, work,
};

/// How long to wait for others who hold the last parts of the work.
pub(crate) const PATIENCE: Duration = Duration::from_millis(20);

/// The same where the database is elsewhere, and each look is a request.
const PATIENCE_AWAY: Duration = Duration::from_millis(200);

/// Waits for others who hold the last parts of the work, so long where the database is here.
pub(crate) async fn pause(store: &Handle, here: Duration) {
    tokio::time::sleep(if store.is_away() { PATIENCE_AWAY } else { here }).await;
}

/// The phase of a run in which work is there and more is being laid out.
pub(crate) const PLANNING: &str = "planning";

/// What goes away more often within one run is not only being restarted.
const OUTAGES: u32 = 20;

/// The failure of a run that was asked to stop.
pub(crate) fn interrupted() -> Failure {
    Failure::new("stopped", "interrupted", "Stopped as asked. The same command goes on from here.")
}

/// Runs a sync.
pub async fn run(
    client: Client,
    store: impl Into<Handle>,
    options: Options,
    progress: Arc<Progress>,
    stop: Stop,
) -> Outcome {
    let store = store.into();
    let began = Instant::now();
    let connectors: Vec<String> = options.connectors.iter().map(|it| it.name().to_owned()).collect();
    let mut outcome = Outcome {
        ok: false,
        error: None,
        connectors,
        resources: BTreeMap::new(),
        skips: Vec::new(),
        requests: 0,
        bytes: 0,
        not_modified: 0,
        waited_seconds: 0.0,
        duration_seconds: 0.0,
    };
    match attend(&client, &store, options, progress, stop, &mut outcome).await {
        Ok(()) => outcome.ok = true,
        Err(halt) => outcome.error = Some(failure(halt)),
    }
    outcome.count(&client.usage());
    outcome.duration_seconds = began.elapsed().as_secs_f64();
    outcome
}

/// Joins or leads runs until one of them is complete. A GitLab or a database that goes away is waited for, and what was
/// begun goes on where it stood.
async fn attend(
    client: &Client,
    store: &Handle,
    options: Options,
    progress: Arc<Progress>,
    stop: Stop,
    outcome: &mut Outcome,
) -> Result<(), Halt> {
    let process = std::process::id();
    let owner = format!("{}{process}-{:08x}", store.owner_prefix(), rand_word(&options));
    let mut outages = 0;
    loop {
        match once(client, store, &options, &progress, &stop, &owner, outcome).await {
            Err(Halt::Store(error)) if error.is_outage() && outages < OUTAGES => {
                outages += 1;
                progress.enter("waiting for the database");
                tracing::warn!(%error, "the database went away");
                if !outage::database_is_back(store, &options, &stop).await {
                    return Err(given_up(&stop, Halt::Store(error)));
                }
            }
            Err(halt) if outages < OUTAGES && went_away(&halt, outages > 0, client, &stop).await => {
                outages += 1;
                progress.enter("waiting for GitLab");
                tracing::warn!(?halt, "GitLab went away");
                if !outage::gitlab_is_back(client, &options, &stop).await {
                    return Err(given_up(&stop, halt));
                }
            }
            // The leader whom this process helped has died: lead what is left.
            Ok(None) => {}
            ended => return ended.map(drop),
        }
    }
}

/// Whether a run ended because GitLab went away. `met`: it has answered this process before.
async fn went_away(halt: &Halt, met: bool, client: &Client, stop: &Stop) -> bool {
    match halt {
        Halt::Unmet(_) => met,
        Halt::Later(_) => outage::gitlab_is_away(client, stop).await,
        _ => false,
    }
}

/// What ends a run that has waited: its patience, or somebody who asked.
fn given_up(stop: &Stop, halt: Halt) -> Halt {
    if stop.asked() { Halt::Failed(interrupted()) } else { halt }
}

/// One run, led or helped with. None when the leader has died meanwhile.
async fn once(
    client: &Client,
    store: &Handle,
    options: &Options,
    progress: &Arc<Progress>,
    stop: &Stop,
    owner: &str,
    outcome: &mut Outcome,
) -> Result<Option<()>, Halt> {
    let row = store.instance(client.base_url().as_str()).await?;
    let scope = options.text();
    let run = Run {
        instance: row.number,
        connectors: &outcome.connectors,
        scope: &scope,
        connection: options.connection,
        owner,
    };
    let joined = match options.only_help {
        true => match store.help_sync(&run).await? {
            Some(joined) => joined,
            None => return Ok(Some(())),
        },
        false => store.join_sync(&run, options.clock.now()).await?,
    };
    let helped = joined.leadership.is_none().then_some(joined.id);
    let connecting = engine(client, store, options, &row, helped, progress.clone(), stop.clone());
    let engine = tokio::select! {
        engine = connecting => engine,
        () = stop.overdue() => Err(Halt::Failed(interrupted())),
    };
    let engine = match engine {
        Ok(engine) => Arc::new(engine),
        Err(halt) => {
            abandon(store, &joined, options, &halt).await?;
            return Err(halt);
        }
    };
    let working = async {
        match joined.leadership {
            Some(_) => lead(&engine, &joined, owner).await.map(Some),
            None => help(&engine, &joined, owner).await,
        }
    };
    let ended = tokio::select! {
        ended = working => ended,
        () = engine.stop.overdue() => Err(Halt::Failed(interrupted())),
    };
    finish(&engine, &joined, owner, &ended, outcome).await?;
    ended
}

/// A word that tells processes of one number apart: on other machines, or in other containers.
fn rand_word(options: &Options) -> u32 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_i64(options.clock.now().timestamp_micros());
    hasher.finish() as u32
}

pub(crate) async fn engine(
    client: &Client,
    store: &Handle,
    options: &Options,
    row: &InstanceRow,
    helped: Option<i64>,
    progress: Arc<Progress>,
    stop: Stop,
) -> Result<Engine, Halt> {
    progress.enter("connecting");
    let (capabilities, started) = match helped {
        None => learn(client, store, options, row).await?,
        Some(sync_id) => learned(store, options, row, sync_id).await?,
    };
    let refusals = match options.scope.full {
        true => Refusals::default(),
        false => Refusals::load(store, row.number, started).await?,
    };
    let mut engine = Engine {
        refusals: Arc::new(refusals),
        client: client.clone(),
        store: store.clone(),
        options: options.clone(),
        instance: Instance(row.number),
        capabilities: Arc::new(capabilities),
        approval_rules: false,
        started,
        began: options.clock.now(),
        tally: Default::default(),
        progress,
        stop,
        older_until: options.older_for.map(|it| Instant::now() + it),
        ending: Default::default(),
        planned: Arc::default(),
        helps: helped.is_some(),
        sizes: Default::default(),
        environments: Default::default(),
        paths: Default::default(),
    };
    engine.approval_rules = approval_rules::offered(&engine).await?;
    Ok(engine)
}

/// Asks GitLab what it can do; what its schema has is asked once per version.
async fn learn(
    client: &Client,
    store: &Handle,
    options: &Options,
    row: &InstanceRow,
) -> Result<(Capabilities, DateTime<Utc>), Halt> {
    let failed = |error| halt(client, &error);
    // Whoever has told the version is there.
    let gone = |error| match failed(error) {
        Halt::Unmet(failure) => Halt::Later(failure.message),
        halt => halt,
    };
    let stored = Capabilities::stored(row).filter(|it| it.graphql);
    let wants_graphql = !options.job_token && !options.rest_only;
    // A GitLab met for the first time is asked for its version and its schema at once.
    let unknown = wants_graphql && stored.is_none();
    let schema = async { if unknown { capabilities::schema(client).await } else { Ok(None) } };
    let (version, fields) = tokio::join!(version(client, options), schema);
    let (version, date) = version.map_err(failed)?;
    let mut fields = fields.map_err(gone)?;
    let started = date.unwrap_or_else(|| options.clock.now());
    let known = stored.filter(|it| it.version == version && version.is_some());
    if wants_graphql && !unknown && known.is_none() {
        fields = capabilities::schema(client).await.map_err(gone)?;
    }
    let graphql = fields.is_some();
    let mut capabilities =
        known.unwrap_or_else(|| Capabilities { version, graphql, fields: fields.unwrap_or_default() });
    if !options.rest_only && !options.job_token {
        let Capabilities { version, graphql, fields } = &capabilities;
        store.save_capabilities(row.number, version.as_deref(), *graphql, fields, started).await?;
    }
    capabilities.graphql &= !options.rest_only && !options.job_token;
    Ok((capabilities, started))
}

/// What an error of the first questions means.
fn halt(client: &Client, error: &gitlab_client::Error) -> Halt {
    let failure = verify::failure(error, client.base_url(), Some("version"));
    match decide(error) {
        Decision::Later => Halt::Unmet(failure),
        _ => Halt::Failed(failure),
    }
}

/// The version and GitLab's time. A job token may not ask for the version; its one listing tells the time.
async fn version(
    client: &Client,
    options: &Options,
) -> Result<(Option<String>, Option<DateTime<Utc>>), gitlab_client::Error> {
    match options.scope.projects.first().filter(|_| options.job_token) {
        Some(project) => Ok((None, capabilities::job_date(client, project).await?)),
        None => capabilities::version(client).await,
    }
}

/// What the leader has learnt, once it has discovered the first work.
async fn learned(
    store: &Handle,
    options: &Options,
    row: &InstanceRow,
    sync_id: i64,
) -> Result<(Capabilities, DateTime<Utc>), Halt> {
    while store.running_phase(sync_id).await?.as_deref() == Some("discovery") {
        pause(store, PATIENCE).await;
    }
    let row = store.instance(&row.base_url).await?;
    let mut capabilities = Capabilities::stored(&row).unwrap_or_default();
    capabilities.graphql &= !options.rest_only && !options.job_token;
    Ok((capabilities, row.checked_at.unwrap_or_else(|| options.clock.now())))
}

/// Leads a run: discovers, reads with everybody who helps, and completes.
async fn lead(engine: &Arc<Engine>, joined: &Joined, owner: &str) -> Result<(), Halt> {
    engine.progress.enter("discovering");
    let known = engine.store.known_projects(engine.instance.0).await?;
    let mut sight = discovery::discover(engine).await?;
    engine.progress.enter("reading");
    let fresh = plan::begin(engine, joined, &sight).await?;
    // From here on others can help.
    engine.store.enter_phase(joined.id, PLANNING).await?;
    // What was never read needs no probe: it is read while the complete listings are.
    let (prepared, worked) = tokio::join!(
        prepare(engine, joined, &mut sight, &known, &fresh),
        work::together(engine, joined, owner)
    );
    prepared.and(worked)?;
    if engine.options.sweep {
        engine.progress.enter("sweeping");
        sweep(engine, joined, owner, &sight).await?;
    }
    engine.progress.enter("people");
    users::everyone(engine).await?;
    users::complete(engine).await?;
    engine.progress.enter("finishing");
    engine.store.assign_label_groups(engine.instance.0, engine.now()).await?;
    Ok(())
}

/// Holds what is stored against what GitLab has and mends it; what was mended is held against it once more.
async fn sweep(engine: &Arc<Engine>, joined: &Joined, owner: &str, sight: &Sight) -> Result<(), Halt> {
    sweep::mark_deleted(engine, sight).await?;
    let projects = sweep::projects(sight);
    let mut proofs = sweep::compare(engine, &projects, Some(joined.id)).await?;
    let differing = sweep::differing(&projects, &proofs, engine);
    if !differing.is_empty() {
        work::together(engine, joined, owner).await?;
        let again = sweep::compare(engine, &differing, None).await?;
        // The later of two proofs of one resource counts.
        let later =
            |it: &Proof| again.iter().any(|a| (a.project_id, &a.resource) == (it.project_id, &it.resource));
        proofs.retain(|it| !later(it));
        proofs.extend(again);
    }
    for proof in proofs.iter().filter(|it| it.state != "proved") {
        engine.skip(&proof.resource, proof.project_id, "unproved", &proof.detail);
    }
    engine.store.save_proofs(engine.instance.0, &proofs, engine.started).await?;
    Ok(())
}

/// Lays out the rest of the work, and checks what has none. Workers end when this fails.
async fn prepare(
    engine: &Engine,
    joined: &Joined,
    sight: &mut Sight,
    known: &[KnownProject],
    fresh: &BTreeSet<i64>,
) -> Result<(), Halt> {
    let preparing = async {
        let before = plan::prepare(engine, joined, sight, known, fresh).await?;
        engine.store.enter_phase(joined.id, "partitions").await?;
        if engine.options.open_set {
            open_set::check(engine, &before).await?;
            pipelines::check(engine, &before.pipelines).await?;
        }
        approval_rules::make_up(engine, &before.merge_requests).await?;
        deployments::make_up(engine, &before.deployments).await?;
        // Only now: the check may leave lists to read.
        engine.planned.store(true, Relaxed);
        Ok(())
    };
    preparing.await.inspect_err(|_| engine.stop_others())
}

/// Helps with a run that another process leads. None when the leader has died meanwhile.
async fn help(engine: &Arc<Engine>, joined: &Joined, owner: &str) -> Result<Option<()>, Halt> {
    engine.progress.enter("helping");
    work::together(engine, joined, owner).await?;
    loop {
        match engine.store.running_phase(joined.id).await? {
            Some(_) => pause(&engine.store, work::IDLE).await,
            None if engine.store.sync_completed(joined.id).await? => return Ok(Some(())),
            None => return Ok(None),
        }
    }
}
