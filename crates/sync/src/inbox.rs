//! Webhooks at work: what deliveries name is read again. Many that name the same are one reading, in whatever order they came.

mod hints;
mod reading;

use std::collections::BTreeMap;
use std::time::Duration;

use catalogue::events::Event;
use chrono::TimeDelta;
use gitlab_client::BaseUrl;
use store::{ConnectionRow, DueDelivery, StoreError};
use tokio::task::JoinSet;

use crate::Stop;
use crate::tasks::Worker;
use hints::Hints;
use reading::Readers;

/// Deliveries that are looked at together.
const TOGETHER: i64 = 1000;
/// Payloads of this size were perhaps not all there is: the database gives no more than fits into memory.
const MANY_BYTES: usize = 2 * 1024 * 1024;
/// What came within this time does not wait behind what came before.
const FRESH: TimeDelta = TimeDelta::seconds(20);
/// How long is waited for others after the first one.
const GATHER: Duration = Duration::from_millis(100);
/// How often is looked for deliveries that another process took in.
const LOOK: Duration = Duration::from_millis(500);
/// Packs that are read at once: of what has just come, and of what is older.
const AT_ONCE: usize = 4;
/// A delivery is tried so often, each time later.
const ATTEMPTS: i32 = 6;
const RETRY: TimeDelta = TimeDelta::seconds(5);
/// How long deliveries are kept that were dealt with, and how often old ones are looked for.
const KEPT: TimeDelta = TimeDelta::days(7);
const CLEAN_EVERY: TimeDelta = TimeDelta::hours(1);

/// A delivery whose payload was looked at: it need not stay in memory while what it names is read.
struct Named {
    id: i64,
    attempts: i32,
}

/// What is being read now.
#[derive(Default)]
struct Packs {
    /// Of deliveries that have just come. They do not wait behind those that have waited for long.
    fresh: JoinSet<()>,
    /// Of all others.
    older: JoinSet<()>,
}

/// Looks at deliveries until it is asked to stop.
pub async fn work(worker: Worker, stop: Stop) {
    let readers = Readers::default();
    let mut packs = Packs::default();
    let mut cleaned = worker.clock.now();
    while !stop.asked() {
        match begin(&worker, &readers, &mut packs).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the inbox could not be read"),
        }
        if worker.clock.now() - cleaned > CLEAN_EVERY {
            cleaned = worker.clock.now();
            if let Err(error) = worker.store.clean_inbox(cleaned - KEPT).await {
                tracing::warn!(%error, "old deliveries could not be forgotten");
            }
        }
        tokio::select! {
            () = worker.arrived.notified() => tokio::time::sleep(GATHER).await,
            _ = packs.fresh.join_next(), if packs.fresh.len() >= AT_ONCE => {}
            _ = packs.older.join_next(), if packs.older.len() >= AT_ONCE => {}
            () = tokio::time::sleep(LOOK) => {}
            () = stop.wait() => {}
        }
    }
    while packs.fresh.join_next().await.is_some() {}
    while packs.older.join_next().await.is_some() {}
}

/// Takes what is due and starts reading. Gives whether there may be more that can be begun now.
async fn begin(worker: &Worker, readers: &Readers, packs: &mut Packs) -> Result<bool, StoreError> {
    while packs.fresh.try_join_next().is_some() {}
    while packs.older.try_join_next().is_some() {}
    let fresh = (packs.fresh.len() < AT_ONCE, Some(worker.clock.now() - FRESH));
    let older = (packs.older.len() < AT_ONCE, None);
    let mut more = false;
    for (free, since) in [fresh, older] {
        if !free {
            continue;
        }
        let set = if since.is_some() { &mut packs.fresh } else { &mut packs.older };
        let now = worker.clock.now();
        let due = worker.store.claim_deliveries(&worker.owner, TOGETHER, since, now).await?;
        more |=
            due.len() as i64 == TOGETHER || due.iter().map(|it| it.body.len()).sum::<usize>() > MANY_BYTES;
        for (instance, (hints, deliveries)) in sort(worker, due).await? {
            set.spawn(read(worker.clone(), readers.clone(), instance, hints, deliveries));
        }
    }
    Ok(more)
}

async fn read(worker: Worker, readers: Readers, instance: i64, hints: Hints, deliveries: Vec<Named>) {
    let read = readers.read(&worker, instance, &hints).await;
    if let Err(error) = end(&worker, &deliveries, read).await {
        // They are looked at again when the lease lapses.
        tracing::warn!(%error, "the end of deliveries could not be written");
    }
}

/// What deliveries name, by instance; those that name nothing that is read are ended.
async fn sort(
    worker: &Worker,
    due: Vec<DueDelivery>,
) -> Result<BTreeMap<i64, (Hints, Vec<Named>)>, StoreError> {
    let instances = instances(worker).await?;
    let mut packs: BTreeMap<i64, (Hints, Vec<Named>)> = BTreeMap::new();
    let (mut unknown, mut strangers) = (Vec::new(), Vec::new());
    for delivery in due {
        // What could not be read was not taken in.
        let event = Event::read(&delivery.body).ok().filter(|it| it.changed.is_some());
        let Some(event) = event else {
            unknown.push(delivery.id);
            continue;
        };
        match sender(&instances, &delivery, &event) {
            Some(instance) => {
                let (hints, deliveries) = packs.entry(instance).or_default();
                hints.add(&event);
                deliveries.push(Named { id: delivery.id, attempts: delivery.attempts });
            }
            None => strangers.push(delivery.id),
        }
    }
    let now = worker.clock.now();
    worker.store.end_deliveries(&unknown, "unknown", None, now).await?;
    let note = "No connection is to the GitLab that sent it.";
    worker.store.end_deliveries(&strangers, "unknown", Some(note), now).await?;
    Ok(packs)
}

/// The GitLabs that connections are to, with their addresses.
async fn instances(worker: &Worker) -> Result<Vec<(i64, BaseUrl)>, StoreError> {
    let rows: Vec<ConnectionRow> = worker.store.connections(None, i64::MAX).await?;
    let mut all: Vec<(i64, BaseUrl)> = Vec::new();
    for row in rows {
        let address = row.settings["base_url"].as_str().and_then(|it| BaseUrl::parse(it).ok());
        if let Some(address) = address.filter(|_| all.iter().all(|it| it.0 != row.instance)) {
            all.push((row.instance, address));
        }
    }
    Ok(all)
}

/// The GitLab that sent a delivery: as it says, else by the addresses in it, else the only one there is.
fn sender(instances: &[(i64, BaseUrl)], delivery: &DueDelivery, event: &Event) -> Option<i64> {
    let told = [delivery.sender.as_deref(), event.web_url.as_deref()];
    for address in told.into_iter().flatten() {
        let within = |base: &BaseUrl| {
            let rest = address.strip_prefix(base.as_str());
            rest.is_some_and(|it| it.is_empty() || it.starts_with('/'))
        };
        if let Some((instance, _)) = instances.iter().find(|it| within(&it.1)) {
            return Some(*instance);
        }
    }
    match instances {
        // Behind a gateway a GitLab may call itself by another name.
        [(instance, _)] => Some(*instance),
        _ => None,
    }
}

/// Writes what became of deliveries.
async fn end(worker: &Worker, deliveries: &[Named], read: Result<(), String>) -> Result<(), StoreError> {
    let now = worker.clock.now();
    let Err(reason) = read else {
        let ids: Vec<i64> = deliveries.iter().map(|it| it.id).collect();
        return worker.store.end_deliveries(&ids, "done", None, now).await;
    };
    tracing::warn!(reason, deliveries = deliveries.len(), "what webhooks name could not be read");
    let (given_up, again): (Vec<_>, Vec<_>) = deliveries.iter().partition(|it| it.attempts + 1 >= ATTEMPTS);
    let given_up: Vec<i64> = given_up.into_iter().map(|it| it.id).collect();
    worker.store.end_deliveries(&given_up, "failed", Some(&reason), now).await?;
    let most = again.iter().map(|it| it.attempts).max().unwrap_or_default();
    let later = now + RETRY * 2_i32.saturating_pow(most.unsigned_abs());
    let again: Vec<i64> = again.into_iter().map(|it| it.id).collect();
    worker.store.put_off_deliveries(&again, &reason, later).await
}
