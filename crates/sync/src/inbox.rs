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
/// How long is waited for others after the first one.
const GATHER: Duration = Duration::from_millis(100);
/// How often is looked for deliveries that another process took in.
const LOOK: Duration = Duration::from_millis(500);
/// The same where the database is elsewhere, which says when there is something.
const LOOK_AWAY: Duration = Duration::from_secs(30);
/// GitLabs that are read at once.
const AT_ONCE: usize = 8;
/// A delivery is tried so often, each time later.
const ATTEMPTS: i32 = 6;
const RETRY: TimeDelta = TimeDelta::seconds(5);
/// How long deliveries are kept that were dealt with, and how often old ones are looked for.
const KEPT: TimeDelta = TimeDelta::days(7);
const CLEAN_EVERY: TimeDelta = TimeDelta::hours(1);

/// Looks at deliveries until it is asked to stop.
pub async fn work(worker: Worker, stop: Stop) {
    let readers = Readers::default();
    let mut packs = JoinSet::new();
    let mut cleaned = worker.clock.now();
    let look = if worker.store.is_away() { LOOK_AWAY } else { LOOK };
    while !stop.asked() {
        while packs.try_join_next().is_some() {}
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
            () = tokio::time::sleep(look) => {}
            () = stop.wait() => {}
        }
    }
    while packs.join_next().await.is_some() {}
}

/// Takes what is due and starts reading. Gives whether there may be more.
async fn begin(worker: &Worker, readers: &Readers, packs: &mut JoinSet<()>) -> Result<bool, StoreError> {
    if packs.len() >= AT_ONCE {
        packs.join_next().await;
    }
    let due = worker.store.claim_deliveries(&worker.owner, TOGETHER, worker.clock.now()).await?;
    if due.is_empty() {
        return Ok(false);
    }
    let full = due.len() as i64 == TOGETHER;
    for (instance, (hints, deliveries)) in sort(worker, due).await? {
        let (worker, readers) = (worker.clone(), readers.clone());
        packs.spawn(async move {
            let read = readers.read(&worker, instance, &hints).await;
            if let Err(error) = end(&worker, &deliveries, read).await {
                // They are looked at again when the lease lapses.
                tracing::warn!(%error, "the end of deliveries could not be written");
            }
        });
    }
    Ok(full)
}

/// What deliveries name, by instance; those that name nothing that is read are ended.
async fn sort(
    worker: &Worker,
    due: Vec<DueDelivery>,
) -> Result<BTreeMap<i64, (Hints, Vec<DueDelivery>)>, StoreError> {
    let senders = senders(worker).await?;
    let mut packs: BTreeMap<i64, (Hints, Vec<DueDelivery>)> = BTreeMap::new();
    let (mut unknown, mut strangers) = (Vec::new(), Vec::new());
    let mut handed: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for delivery in due {
        // What could not be read was not taken in.
        let event = Event::read(&delivery.body).ok().filter(|it| it.changed.is_some());
        let Some(event) = event else {
            unknown.push(delivery.id);
            continue;
        };
        match sender(&senders, &delivery, &event) {
            Some(Sender { extractor: Some(extractor), .. }) if !worker.store.is_away() => {
                handed.entry(*extractor).or_default().push(delivery.id);
            }
            Some(Sender { instance, .. }) => {
                let (hints, deliveries) = packs.entry(*instance).or_default();
                hints.add(&event);
                deliveries.push(delivery);
            }
            None => strangers.push(delivery.id),
        }
    }
    let now = worker.clock.now();
    worker.store.end_deliveries(&unknown, "unknown", None, now).await?;
    for (extractor, deliveries) in handed {
        worker.store.hand_deliveries(&deliveries, extractor).await?;
    }
    let note = "No connection is to the GitLab that sent it.";
    worker.store.end_deliveries(&strangers, "unknown", Some(note), now).await?;
    Ok(packs)
}

/// A GitLab that connections are to.
struct Sender {
    instance: i64,
    address: BaseUrl,
    /// Who reads it, where workers of this database do not.
    extractor: Option<i64>,
}

/// The GitLabs that connections are to.
async fn senders(worker: &Worker) -> Result<Vec<Sender>, StoreError> {
    let rows: Vec<ConnectionRow> = worker.store.every_connection().await?;
    let mut all: Vec<Sender> = Vec::new();
    for row in rows {
        let address = row.settings["base_url"].as_str().and_then(|it| BaseUrl::parse(it).ok());
        if let Some(address) = address.filter(|_| all.iter().all(|it| it.instance != row.instance)) {
            all.push(Sender { instance: row.instance, address, extractor: row.extractor_id });
        }
    }
    Ok(all)
}

/// The GitLab that sent a delivery: as it says, else by the addresses in it, else the only one there is.
fn sender<'s>(senders: &'s [Sender], delivery: &DueDelivery, event: &Event) -> Option<&'s Sender> {
    let told = [delivery.sender.as_deref(), event.web_url.as_deref()];
    for address in told.into_iter().flatten() {
        let within = |base: &BaseUrl| {
            let rest = address.strip_prefix(base.as_str());
            rest.is_some_and(|it| it.is_empty() || it.starts_with('/'))
        };
        if let Some(sender) = senders.iter().find(|it| within(&it.address)) {
            return Some(sender);
        }
    }
    match senders {
        // Behind a gateway a GitLab may call itself by another name.
        [sender] => Some(sender),
        _ => None,
    }
}

/// Writes what became of deliveries.
async fn end(
    worker: &Worker,
    deliveries: &[DueDelivery],
    read: Result<(), String>,
) -> Result<(), StoreError> {
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
