//! A run from beginning to end: who leads it, its phases, and how it ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use catalogue::Instance;
use catalogue::merge_requests::MERGE_REQUESTS;
use chrono::{DateTime, Utc};
use gitlab_client::Client;
use serde::Serialize;
use store::{InstanceRow, Joined, Store, SyncEnd};
use tokio::task::JoinSet;

use crate::capabilities::{self, Capabilities};
use crate::details::Standing;
use crate::engine::{Engine, Halt, Options, Stop};
use crate::merge_requests::OVERLAP;
use crate::sight::{Found, Sight};
use crate::{
    Failure, Outcome, Progress, details, discovery, merge_requests, open_set, pending, users, verify,
};

/// How long to wait for others who hold the last parts of the work.
const PATIENCE: Duration = Duration::from_millis(50);
/// How often a part that fails is tried again within a run.
const RETRIES: i32 = 3;
/// A failed part goes behind all others.
const FAILED: i32 = 1000;

/// What a first import would cost.
#[derive(Debug, Clone, Serialize)]
pub struct Estimate {
    /// Projects in sight.
    pub projects: usize,
    /// Merge requests that GitLab counts in them; none where it was not asked.
    pub merge_requests: Option<i64>,
    /// Requests expected.
    pub requests: Option<i64>,
    /// Seconds expected at the pace measured while asking.
    pub seconds: Option<f64>,
}

/// The failure of a run that was asked to stop.
pub(crate) fn interrupted() -> Failure {
    Failure::new("stopped", "interrupted", "Stopped as asked. The same command goes on from here.")
}

/// Runs a sync.
pub async fn run(
    client: Client,
    store: Store,
    options: Options,
    progress: Arc<Progress>,
    stop: Stop,
) -> Outcome {
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
        waited_seconds: 0.0,
        duration_seconds: 0.0,
    };
    match attend(&client, &store, options, progress, stop, &mut outcome).await {
        Ok(()) => outcome.ok = true,
        Err(halt) => outcome.error = Some(failure(halt)),
    }
    let usage = client.usage();
    outcome.requests = usage.requests;
    outcome.bytes = usage.bytes;
    outcome.waited_seconds = usage.waited.as_secs_f64();
    outcome.duration_seconds = began.elapsed().as_secs_f64();
    outcome
}

fn failure(halt: Halt) -> Failure {
    match halt {
        Halt::Failed(failure) => failure,
        Halt::Later(detail) => Failure::new("failed", "unavailable", detail),
        Halt::Skipped => Failure::new("failed", "skipped", "A part that the sync needs could not be read."),
        Halt::Store(error) if error.is_disk_full() => Failure::new(
            "failed",
            "disk_full",
            "The database's disk is full. Nothing is lost: free some space and run the same command again.",
        ),
        Halt::Store(error) => Failure::new("failed", "database", error.to_string()),
    }
}

/// Joins or leads runs until one of them is complete.
async fn attend(
    client: &Client,
    store: &Store,
    options: Options,
    progress: Arc<Progress>,
    stop: Stop,
    outcome: &mut Outcome,
) -> Result<(), Halt> {
    let owner = format!("{}-{:08x}", std::process::id(), rand_word(&options));
    let row = store.instance(client.base_url().as_str()).await?;
    loop {
        let scope = options.scope.text();
        let joined =
            store.join_sync(row.number, &outcome.connectors, &scope, &owner, options.clock.now()).await?;
        let helped = joined.leadership.is_none().then_some(joined.id);
        let engine = engine(client, store, &options, &row, helped, progress.clone(), stop.clone()).await;
        let ended = match engine {
            Ok(engine) => {
                let engine = Arc::new(engine);
                let ended = if joined.leadership.is_some() {
                    lead(&engine, &joined, &owner).await.map(Some)
                } else {
                    help(&engine, &joined, &owner).await
                };
                finish(&engine, &joined, &owner, &ended, outcome).await?;
                ended
            }
            Err(halt) => {
                abandon(store, &joined, &options).await?;
                Err(halt)
            }
        };
        // The leader whom this process helped has died: lead what is left.
        if ended?.is_some() {
            return Ok(());
        }
    }
}

/// A word that tells processes of one number apart: on other machines, or in other containers.
fn rand_word(options: &Options) -> u32 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_i64(options.clock.now().timestamp_micros());
    hasher.finish() as u32
}

async fn engine(
    client: &Client,
    store: &Store,
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
    Ok(Engine {
        client: client.clone(),
        store: store.clone(),
        options: options.clone(),
        instance: Instance(row.number),
        capabilities,
        started,
        tally: Default::default(),
        progress,
        stop,
        ending: Default::default(),
        sizes: Default::default(),
        paths: Default::default(),
    })
}

/// Asks GitLab what it can do; what its schema has is asked once per version.
async fn learn(
    client: &Client,
    store: &Store,
    options: &Options,
    row: &InstanceRow,
) -> Result<(Capabilities, DateTime<Utc>), Halt> {
    let failed = |error| Halt::Failed(verify::failure(&error, client.base_url(), Some("version")));
    let (version, date) = match options.scope.projects.first().filter(|_| options.job_token) {
        Some(project) => (None, capabilities::job_date(client, project).await.map_err(failed)?),
        None => capabilities::version(client).await.map_err(failed)?,
    };
    let started = date.unwrap_or_else(|| options.clock.now());
    let known =
        Capabilities::stored(row).filter(|it| it.version == version && version.is_some() && it.graphql);
    let mut capabilities = match known {
        Some(known) => known,
        None => {
            let asked = !options.job_token && !options.rest_only;
            let fields = if asked { capabilities::schema(client).await.map_err(failed)? } else { None };
            Capabilities { version, graphql: fields.is_some(), fields: fields.unwrap_or_default() }
        }
    };
    if !options.rest_only && !options.job_token {
        let Capabilities { version, graphql, fields } = &capabilities;
        store.save_capabilities(row.number, version.as_deref(), *graphql, fields, started).await?;
    }
    capabilities.graphql &= !options.rest_only && !options.job_token;
    Ok((capabilities, started))
}

/// What the leader has learnt, once it has discovered the work.
async fn learned(
    store: &Store,
    options: &Options,
    row: &InstanceRow,
    sync_id: i64,
) -> Result<(Capabilities, DateTime<Utc>), Halt> {
    while store.running_phase(sync_id).await?.as_deref() == Some("discovery") {
        tokio::time::sleep(PATIENCE).await;
    }
    let row = store.instance(&row.base_url).await?;
    let mut capabilities = Capabilities::stored(&row).unwrap_or_default();
    capabilities.graphql &= !options.rest_only && !options.job_token;
    Ok((capabilities, row.checked_at.unwrap_or_else(|| options.clock.now())))
}

/// Leads a run: discovers, reads with everybody who helps, and completes.
async fn lead(engine: &Arc<Engine>, joined: &Joined, owner: &str) -> Result<(), Halt> {
    engine.progress.enter("discovering");
    let mut sight = discovery::discover(engine).await?;
    let idle = prepare(engine, joined, &mut sight).await?;
    engine.store.enter_phase(joined.id, "partitions").await?;
    engine.progress.enter("reading");
    open_set::check(engine, &idle).await?;
    work_together(engine, joined, owner).await?;
    engine.progress.enter("people");
    users::complete(engine).await?;
    engine.progress.enter("finishing");
    engine.store.assign_label_groups(engine.now()).await?;
    Ok(())
}

/// Helps with a run that another process leads. None when the leader has died meanwhile.
async fn help(engine: &Arc<Engine>, joined: &Joined, owner: &str) -> Result<Option<()>, Halt> {
    engine.progress.enter("helping");
    work_together(engine, joined, owner).await?;
    loop {
        match engine.store.running_phase(joined.id).await? {
            Some(_) => tokio::time::sleep(PATIENCE).await,
            None if engine.store.sync_completed(joined.id).await? => return Ok(Some(())),
            None => return Ok(None),
        }
    }
}

/// Reads the complete listings and lays out the work. Gives the projects whose merge requests did not move.
async fn prepare(engine: &Engine, joined: &Joined, sight: &mut Sight) -> Result<Vec<i64>, Halt> {
    let known = engine.store.known_projects(engine.instance.0).await?;
    let groups: Vec<i64> = sight.groups.keys().copied().collect();
    let direct = details::groups(engine, &groups).await?;
    unlisted(engine, sight, direct).await?;
    lost(engine, sight, &known).await?;
    let projects: Vec<i64> = sight.projects.keys().copied().collect();
    let standings = details::projects(engine, &projects).await?;
    moved(engine, sight, &known).await?;
    plan(engine, joined, sight, &standings).await
}

/// Projects that a group lists directly and no other listing showed.
async fn unlisted(
    engine: &Engine,
    sight: &mut Sight,
    direct: std::collections::BTreeSet<i64>,
) -> Result<(), Halt> {
    if !engine.options.scope.is_everything() {
        return Ok(());
    }
    for project in direct {
        if !sight.projects.contains_key(&project) && !sight.excluded.contains(&project) {
            let _ = discovery::look_at(engine, project, sight).await?;
        }
    }
    Ok(())
}

/// Most lost projects that are looked at singly in one run.
const LOOKS: usize = 50;

/// Projects that were in sight and are in no listing: each is asked for by its number before it is called lost.
async fn lost(engine: &Engine, sight: &mut Sight, known: &[store::KnownProject]) -> Result<(), Halt> {
    let seen: Vec<i64> = sight.projects.keys().map(|it| engine.instance.id(*it)).collect();
    engine.store.mark_accessible(&seen, engine.now()).await?;
    if !sight.complete || !engine.options.scope.is_everything() {
        return Ok(());
    }
    let missing = known.iter().filter(|it| {
        it.api_accessible
            && !sight.projects.contains_key(&it.source_id)
            && !sight.excluded.contains(&it.source_id)
    });
    for project in missing.take(LOOKS).cloned().collect::<Vec<_>>() {
        let Err(error) = discovery::look_at(engine, project.source_id, sight).await? else { continue };
        let reason = match error.kind {
            gitlab_client::ErrorKind::NotFound => "not_found_or_no_access",
            gitlab_client::ErrorKind::Forbidden { .. } => "forbidden",
            // Nothing may be concluded from an outage.
            _ => continue,
        };
        engine.store.mark_inaccessible(&[project.id], reason, engine.now()).await?;
    }
    Ok(())
}

/// Projects that changed their namespace: GitLab gave them other labels without touching their merge requests.
async fn moved(engine: &Engine, sight: &Sight, known: &[store::KnownProject]) -> Result<(), Halt> {
    let moved = known.iter().filter(|it| {
        let now = sight.projects.get(&it.source_id).and_then(|found| found.namespace_id);
        now.is_some() && it.namespace_id.is_some() && now != it.namespace_id
    });
    let moved: Vec<i64> = moved.map(|it| it.id).collect();
    if !moved.is_empty() {
        engine.store.forget(engine.instance.0, MERGE_REQUESTS.name, Some(&moved)).await?;
    }
    Ok(())
}

/// Lays out the units of work, and confirms the projects in which nothing moved.
async fn plan(
    engine: &Engine,
    joined: &Joined,
    sight: &Sight,
    standings: &BTreeMap<i64, Standing>,
) -> Result<Vec<i64>, Halt> {
    if engine.options.scope.full {
        let projects: Vec<i64> = sight.projects.keys().map(|it| engine.instance.id(*it)).collect();
        engine.store.forget(engine.instance.0, MERGE_REQUESTS.name, Some(&projects)).await?;
    }
    let stored = engine.store.partitions(engine.instance.0, MERGE_REQUESTS.name).await?;
    let mut units = Vec::new();
    let mut idle = Vec::new();
    for found in sight.projects.values() {
        let id = engine.instance.id(found.source_id);
        if found.merge_requests_off {
            switched_off(engine, id, found);
        } else if is_idle(engine, id, &stored, standings.get(&found.source_id)) {
            idle.push(id);
        } else {
            let total = standings.get(&found.source_id).map_or(0, |it| it.total);
            Progress::add(&engine.progress.expected, total.unsigned_abs());
            units.push(merge_requests::unit(id));
        }
    }
    Progress::add(&engine.progress.projects, units.len() as u64);
    engine.store.confirm(engine.instance.0, MERGE_REQUESTS.name, &idle, engine.started).await?;
    engine.store.add_units(joined.id, &units).await?;
    Ok(idle)
}

fn switched_off(engine: &Engine, id: i64, found: &Found) {
    let detail = format!("Merge requests are switched off in {}.", found.path);
    engine.skip(MERGE_REQUESTS.name, id, "feature_disabled", detail);
}

/// Whether every partition of a project is whole and nothing moved since: then there is nothing to read.
fn is_idle(engine: &Engine, id: i64, stored: &[store::Partition], standing: Option<&Standing>) -> bool {
    let Some(standing) = standing else { return false };
    merge_requests::keys(engine, id).iter().all(|key| {
        let partition = stored.iter().find(|it| it.key == *key);
        partition.is_some_and(|it| {
            let since = engine.options.scope.since;
            let far_enough =
                it.whole || since.is_some_and(|since| it.complete_from.is_some_and(|from| from <= since));
            let unmoved =
                it.complete_to.is_some_and(|to| standing.newest.is_none_or(|newest| newest < to - OVERLAP));
            far_enough && unmoved
        })
    })
}

/// Reads units and pending lists with several workers until nothing is left anywhere.
async fn work_together(engine: &Arc<Engine>, joined: &Joined, owner: &str) -> Result<(), Halt> {
    // Tasks of their own, so that parsing and writing use every core; they end with this set when it is dropped.
    let mut workers = JoinSet::new();
    for number in 0..engine.options.workers.max(1) {
        workers.spawn(worker(engine.clone(), joined.id, format!("{owner}/{number}")));
    }
    let ends = workers.join_all().await;
    // A failure that ends the run is told before one that only concerns a part.
    let mut later = None;
    for halt in ends.into_iter().filter_map(Result::err) {
        match halt {
            Halt::Later(detail) => later = Some(Halt::Later(detail)),
            halt => return Err(halt),
        }
    }
    later.map_or(Ok(()), Err)
}

async fn worker(engine: Arc<Engine>, sync_id: i64, owner: String) -> Result<(), Halt> {
    let engine = &*engine;
    let mut failed = None;
    loop {
        if engine.stop.asked() {
            return Err(Halt::Failed(interrupted()));
        }
        if engine.ending() {
            break;
        }
        if let Some(lease) = engine.store.claim(sync_id, &owner).await? {
            unit(engine, &lease, &mut failed).await.inspect_err(|_| engine.stop_others())?;
        } else {
            match pending::some(engine, &owner).await {
                Ok(true) => {}
                Ok(false) if nothing_left(engine, sync_id).await? => break,
                Ok(false) => tokio::time::sleep(PATIENCE).await,
                Err(Halt::Later(detail)) => {
                    failed = Some(detail);
                    break;
                }
                Err(halt) => {
                    engine.stop_others();
                    return Err(halt);
                }
            }
        }
    }
    failed.map_or(Ok(()), |detail| Err(Halt::Later(detail)))
}

async fn nothing_left(engine: &Engine, sync_id: i64) -> Result<bool, Halt> {
    if engine.ending() {
        return Ok(true);
    }
    Ok(engine.store.units_left(sync_id).await? == 0
        && engine.store.pending_left(engine.instance.0).await? == 0)
}

async fn unit(engine: &Engine, lease: &store::Lease, failed: &mut Option<String>) -> Result<(), Halt> {
    match merge_requests::project(engine, lease).await {
        Ok(merge_requests::Done::OlderLeft) => {
            engine.store.release(lease, merge_requests::older(lease)).await?;
            return Ok(());
        }
        Ok(merge_requests::Done::Whole) | Err(Halt::Skipped) => {}
        Err(Halt::Later(_)) if lease.unit.priority < FAILED * RETRIES => {
            engine.store.release(lease, lease.unit.priority + FAILED).await?;
            return Ok(());
        }
        Err(Halt::Later(detail)) => *failed = Some(detail),
        // Another process took over: the work is in its hands.
        Err(Halt::Store(store::StoreError::LeaseLost)) => return Ok(()),
        Err(halt) => {
            engine.store.release(lease, lease.unit.priority).await?;
            return Err(halt);
        }
    }
    Progress::add(&engine.progress.projects_done, 1);
    engine.store.finish(lease).await?;
    Ok(())
}

/// Ends a run in the database and in the outcome.
async fn finish(
    engine: &Engine,
    joined: &Joined,
    owner: &str,
    ended: &Result<Option<()>, Halt>,
    outcome: &mut Outcome,
) -> Result<(), Halt> {
    for (table, counts) in engine.tally.tables() {
        let total = outcome.resources.entry(table).or_default();
        total.read += counts.read;
        total.written += counts.written;
        total.unchanged += counts.unchanged;
        total.rejected += counts.rejected;
    }
    let skips = engine.tally.skips();
    let store_is_gone = matches!(ended, Err(Halt::Store(error)) if error.is_outage());
    if store_is_gone {
        return Ok(());
    }
    engine.store.release_all(joined.id, owner).await?;
    engine.store.release_pending(engine.instance.0, owner).await?;
    if joined.leadership.is_some() {
        let parents = engine.named();
        engine.store.save_skips(engine.instance.0, &parents, &skips, engine.started).await?;
        end(engine, joined, ended, outcome).await?;
    }
    outcome.skips = skips;
    outcome.skips.extend(rest_only_skip(engine));
    Ok(())
}

/// Without GraphQL there are no diff statistics, which is said and not hidden.
fn rest_only_skip(engine: &Engine) -> Option<store::Skip> {
    (!engine.capabilities.graphql).then(|| store::Skip {
        connector: catalogue::Connector::Gitlab.name().to_owned(),
        resource: "diff_statistics".to_owned(),
        parent_id: 0,
        parent: String::new(),
        reason: "graphql_off".to_owned(),
        detail: "Additions, deletions and changed files stay empty: only GraphQL has them, and REST would have to read source code."
            .to_owned(),
    })
}

async fn end(
    engine: &Engine,
    joined: &Joined,
    ended: &Result<Option<()>, Halt>,
    outcome: &Outcome,
) -> Result<(), Halt> {
    let usage = engine.client.usage();
    let (state, error) = match ended {
        Ok(_) => ("complete", None),
        Err(Halt::Failed(failure)) if failure.code == "stopped" => ("stopped", Some(failure.clone())),
        Err(Halt::Failed(failure)) => ("failed", Some(failure.clone())),
        Err(Halt::Later(detail)) => ("failed", Some(Failure::new("failed", "unavailable", detail.clone()))),
        Err(Halt::Store(error)) => ("failed", Some(Failure::new("failed", "database", error.to_string()))),
        Err(Halt::Skipped) => ("failed", None),
    };
    let end = SyncEnd {
        state,
        requests: usage.requests.cast_signed(),
        bytes: usage.bytes.cast_signed(),
        waited_seconds: usage.waited.as_secs_f64(),
        resources: serde_json::to_value(&outcome.resources).unwrap_or_default(),
        error: error.and_then(|it| serde_json::to_value(it).ok()),
    };
    engine.store.end_sync(joined.id, &end, engine.now()).await?;
    Ok(())
}

/// A run that ended before it knew anything of the GitLab.
async fn abandon(store: &Store, joined: &Joined, options: &Options) -> Result<(), Halt> {
    if joined.leadership.is_some() {
        let end = SyncEnd {
            state: "failed",
            requests: 0,
            bytes: 0,
            waited_seconds: 0.0,
            resources: serde_json::Value::Object(Default::default()),
            error: None,
        };
        store.end_sync(joined.id, &end, options.clock.now()).await?;
    }
    Ok(())
}

/// Says what a sync would read and cost, without reading it.
pub async fn dry_run(
    client: Client,
    store: Store,
    options: Options,
    progress: Arc<Progress>,
) -> Result<Estimate, Failure> {
    let began = Instant::now();
    let row = store.instance(client.base_url().as_str()).await.map_err(|it| failure(it.into()))?;
    let engine =
        engine(&client, &store, &options, &row, None, progress, Stop::default()).await.map_err(failure)?;
    let sight = discovery::discover(&engine).await.map_err(failure)?;
    let projects: Vec<i64> = sight.projects.keys().copied().collect();
    let standings = details::projects(&engine, &projects).await.map_err(failure)?;
    let merge_requests = engine.capabilities.graphql.then(|| standings.values().map(|it| it.total).sum());
    let used = client.usage().requests.max(1);
    let requests =
        merge_requests.map(|count: i64| used.cast_signed() + 2 * projects.len() as i64 + count * 3 / 100);
    let pace = began.elapsed().as_secs_f64() / used as f64;
    let seconds = requests.map(|it| it as f64 * pace);
    Ok(Estimate { projects: projects.len(), merge_requests, requests, seconds })
}
