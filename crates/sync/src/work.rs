//! The workers of a run: each takes a unit of work or some pending lists, until nothing is left anywhere.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use catalogue::commits::COMMITS;
use store::{Joined, Lease, StoreError};
use tokio::task::JoinSet;

use crate::engine::{Engine, Halt};
use crate::listing::{self, Done, Listing};
use crate::run::{PATIENCE, PLANNING, interrupted, pause};
use crate::{Failure, Progress, deployments, pending, trunk};

/// How often a part that fails is tried again within a run.
const RETRIES: i32 = 3;
/// The longest sleep between two looks for work: all workers of all processes look.
pub(crate) const IDLE: Duration = Duration::from_millis(160);
/// A failed part goes behind all others.
const FAILED: i32 = 1000;

/// Reads units and pending lists with several workers until nothing is left anywhere.
pub(crate) async fn together(engine: &Arc<Engine>, joined: &Joined, owner: &str) -> Result<(), Halt> {
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
    let mut idle = PATIENCE;
    loop {
        if engine.stop.asked() {
            return Err(Halt::Failed(interrupted()));
        }
        if engine.ending() {
            break;
        }
        // Lists go first: a long one is a chain of requests, which had better begin early.
        match pending::some(engine, &owner, engine.options.lists_of).await {
            Ok(true) => {
                idle = PATIENCE;
                continue;
            }
            Ok(false) => {}
            Err(Halt::Later(detail)) => {
                failed = Some(detail);
                break;
            }
            Err(halt) => {
                engine.stop_others();
                return Err(halt);
            }
        }
        if let Some(lease) = engine.store.claim(sync_id, &owner).await? {
            idle = PATIENCE;
            unit(engine, &lease, &mut failed).await.inspect_err(|_| engine.stop_others())?;
        } else if nothing_left(engine, sync_id).await? {
            break;
        } else {
            pause(&engine.store, idle).await;
            idle = (idle * 2).min(IDLE);
        }
    }
    failed.map_or(Ok(()), |detail| Err(Halt::Later(detail)))
}

async fn nothing_left(engine: &Engine, sync_id: i64) -> Result<bool, Halt> {
    if engine.ending() {
        return Ok(true);
    }
    if !planned(engine, sync_id).await? {
        return Ok(false);
    }
    Ok(engine.store.units_left(sync_id).await? == 0
        && engine.store.pending_left(engine.instance.0, &engine.lists(), engine.options.lists_of).await? == 0)
}

/// Whether all work is laid out. Who helps learns it from the run's phase; a leader that has died lays out nothing any more.
async fn planned(engine: &Engine, sync_id: i64) -> Result<bool, Halt> {
    if engine.helps && !engine.planned.load(Relaxed) {
        let phase = engine.store.running_phase(sync_id).await?;
        engine.planned.store(phase.as_deref() != Some(PLANNING), Relaxed);
    }
    Ok(engine.planned.load(Relaxed))
}

/// Two versions of the program work on one sync, and the other knows more.
fn other_version(lease: &Lease) -> Halt {
    let message = format!(
        "Another version of Weir leads this sync and reads {}, which this version does not know: use the same version everywhere.",
        lease.unit.resource
    );
    Halt::Failed(Failure::new("failed", "version", message))
}

async fn read(engine: &Engine, lease: &Lease) -> Result<Done, Halt> {
    if deployments::is_ours(&lease.unit) {
        return deployments::project(engine, lease).await;
    }
    if lease.unit.resource == COMMITS.name {
        return trunk::project(engine, lease).await;
    }
    let Some(listing) = Listing::named(&lease.unit.resource) else { return Err(other_version(lease)) };
    listing::project(engine, lease, listing).await
}

/// Whether a unit has only an older part left, and the time for such parts is over.
fn is_left_to_the_next_run(engine: &Engine, lease: &Lease) -> bool {
    (listing::OLDER..FAILED).contains(&lease.unit.priority) && engine.older_is_over()
}

async fn unit(engine: &Engine, lease: &Lease, failed: &mut Option<String>) -> Result<(), Halt> {
    if is_left_to_the_next_run(engine, lease) {
        engine.store.finish(lease).await?;
        return Ok(());
    }
    match read(engine, lease).await {
        Ok(Done::OlderLeft) => {
            engine.store.release(lease, listing::older(lease)).await?;
            return Ok(());
        }
        Ok(Done::Whole) => {}
        // GraphQL shows an empty list to those who may not read it: when they may again, all of it has to be read.
        Err(Halt::Skipped) => {
            let parent = [lease.unit.parent_id];
            engine.store.forget(engine.instance.0, &lease.unit.resource, Some(&parent)).await?;
        }
        Err(Halt::Later(_)) if lease.unit.priority < FAILED * RETRIES => {
            engine.store.release(lease, lease.unit.priority + FAILED).await?;
            return Ok(());
        }
        Err(Halt::Later(detail)) => *failed = Some(detail),
        // Another process took over: the work is in its hands.
        Err(Halt::Store(StoreError::LeaseLost)) => return Ok(()),
        Err(halt) => {
            engine.store.release(lease, lease.unit.priority).await?;
            return Err(halt);
        }
    }
    Progress::add(&engine.progress.projects_done, 1);
    engine.store.finish(lease).await?;
    Ok(())
}
