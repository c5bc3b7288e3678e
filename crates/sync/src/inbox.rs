//! Webhooks at work: what deliveries name is read again. Many that name the same are one reading, in whatever order they came.

mod absence;
mod desk;
mod ending;
mod hints;
mod reading;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use catalogue::Instance;
use catalogue::events::Event;
use chrono::TimeDelta;
use gitlab_client::BaseUrl;
use store::{ConnectionRow, DueDelivery, PutOff, StoreError};
use tokio::task::JoinSet;

use crate::Stop;
use crate::tasks::Worker;
use desk::{Age, Desk, Item};
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
/// The same where the database is elsewhere, which says when there is something.
const LOOK_AWAY: Duration = Duration::from_secs(30);
/// How often this process says of what it has taken that it lives. The lease is five minutes.
const RENEW: Duration = Duration::from_secs(60);
/// How long readings that are under way may take once the process is asked to stop.
const GRACE: Duration = Duration::from_secs(8);
/// How long what there is no room for waits before it is looked at again.
const CROWDED: TimeDelta = TimeDelta::seconds(30);
/// How long deliveries are kept that were dealt with, and how often old ones are looked for.
const KEPT: TimeDelta = TimeDelta::days(7);
const CLEAN_EVERY: Duration = Duration::from_secs(60 * 60);

/// Looks at deliveries until it is asked to stop.
pub async fn work(worker: Worker, stop: Stop) {
    let (desk, readers) = (Desk::default(), Readers::default());
    let mut readings = JoinSet::new();
    let (mut cleaned, mut renewed) = (Instant::now(), Instant::now());
    let look = if worker.store.is_away() { LOOK_AWAY } else { LOOK };
    while !stop.asked() {
        while readings.try_join_next().is_some() {}
        begin(&worker, &desk, &readers, &mut readings);
        match take(&worker, &desk).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the inbox could not be read"),
        }
        begin(&worker, &desk, &readers, &mut readings);
        if renewed.elapsed() > RENEW {
            renewed = Instant::now();
            renew(&worker, &desk).await;
        }
        if cleaned.elapsed() > CLEAN_EVERY {
            cleaned = Instant::now();
            clean(&worker).await;
        }
        tokio::select! {
            () = worker.arrived.notified() => tokio::time::sleep(GATHER).await,
            () = tokio::time::sleep(look) => {}
            _ = readings.join_next(), if !readings.is_empty() => {}
            () = stop.wait() => {}
        }
    }
    let ending = async { while readings.join_next().await.is_some() {} };
    let in_time = tokio::time::timeout(GRACE, ending).await;
    let left = desk.ids();
    if in_time.is_err() {
        readings.shutdown().await;
    }
    if let Err(error) = worker.store.release_deliveries(&worker.owner, &left).await {
        tracing::warn!(%error, "deliveries could not be given back; they are looked at in five minutes");
    }
}

/// Begins to read what lies on the desk.
fn begin(worker: &Worker, desk: &Desk, readers: &Readers, readings: &mut JoinSet<()>) {
    for reading in desk.take() {
        let (worker, readers) = (worker.clone(), readers.clone());
        readings.spawn(async move {
            let ended = match readers.read(&worker, reading.instance, &reading.items).await {
                Ok(unread) => ending::end(&worker, &reading.items, &unread).await,
                Err(error) => Err(error),
            };
            if let Err(error) = ended {
                // They are looked at again when the lease lapses.
                tracing::warn!(%error, "the end of deliveries could not be written");
            }
        });
    }
}

async fn renew(worker: &Worker, desk: &Desk) {
    if let Err(error) = worker.store.renew_deliveries(&worker.owner, &desk.ids()).await {
        tracing::warn!(%error, "a worker could not say that it lives");
    }
    if let Err(error) = worker.store.catch_up_deliveries(worker.clock.now()).await {
        tracing::warn!(%error, "deliveries could not be looked through");
    }
}

async fn clean(worker: &Worker) {
    let before = worker.clock.now() - KEPT;
    let forgotten = worker.store.clean_inbox(before).await;
    let hints = worker.store.clean_webhook_hints(before).await;
    if let Err(error) = forgotten.and(hints) {
        tracing::warn!(%error, "old deliveries could not be forgotten");
    }
}

/// Takes what is due and lays it on the desk: what has just come, and what waits for longer. Gives whether there may be more
/// that is wanted now.
async fn take(worker: &Worker, desk: &Desk) -> Result<bool, StoreError> {
    let mut more = false;
    for age in [Age::Fresh, Age::Older] {
        if !desk.wants(age) {
            continue;
        }
        let now = worker.clock.now();
        let since = (age == Age::Fresh).then(|| now - FRESH);
        let due = worker.store.claim_deliveries(&worker.owner, TOGETHER, since, now).await?;
        let bytes: usize = due.iter().map(|it| it.body.len()).sum();
        more |= due.len() as i64 == TOGETHER || bytes > MANY_BYTES;
        for (instance, items) in sort(worker, due).await? {
            note(worker, instance, &items).await;
            lay(worker, desk, age, instance, items).await?;
        }
    }
    Ok(more)
}

/// Lays deliveries on the desk. Where there is no room the GitLab is slow: they wait in the database, out of the way of others.
async fn lay(
    worker: &Worker,
    desk: &Desk,
    age: Age,
    instance: i64,
    items: Vec<Item>,
) -> Result<(), StoreError> {
    let crowded: Vec<i64> = desk.lay(age, instance, items).iter().map(|it| it.id).collect();
    if crowded.is_empty() {
        return Ok(());
    }
    let off = PutOff {
        due_at: worker.clock.now() + CROWDED,
        note: "Many others of the same GitLab wait before it.".to_owned(),
        read_by: Vec::new(),
        counts: false,
    };
    worker.store.put_off_deliveries(&crowded, &off).await
}

/// Keeps what was named, so that it is known of what was not. Before it is read: what a reading brings may be newer.
async fn note(worker: &Worker, instance: i64, items: &[Item]) {
    let Some(last) = items.iter().map(|it| it.received_at).max() else { return };
    let mut hints = Hints::default();
    items.iter().for_each(|it| hints.add(it.changed, it.project));
    if let Err(error) = worker.store.note_webhook_hints(&hints.named(Instance(instance)), last).await {
        tracing::warn!(%error, "what webhooks named could not be noted");
    }
}

/// What deliveries name, by instance; those that name nothing that is read are ended.
async fn sort(worker: &Worker, due: Vec<DueDelivery>) -> Result<BTreeMap<i64, Vec<Item>>, StoreError> {
    let senders = senders(worker).await?;
    let mut sorted: BTreeMap<i64, Vec<Item>> = BTreeMap::new();
    let (mut unknown, mut strangers) = (Vec::new(), Vec::new());
    let mut handed: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for delivery in due {
        // What could not be read was not taken in.
        let event = Event::read(&delivery.body).ok();
        let Some((event, changed)) = event.and_then(|it| it.changed.map(|changed| (it, changed))) else {
            unknown.push(delivery.id);
            continue;
        };
        match sender(&senders, &delivery, &event) {
            Some(Sender { extractor: Some(extractor), .. }) if !worker.store.is_away() => {
                handed.entry(*extractor).or_default().push(delivery.id);
            }
            Some(Sender { instance, .. }) => sorted.entry(*instance).or_default().push(Item {
                id: delivery.id,
                received_at: delivery.received_at,
                attempts: delivery.attempts,
                read_by: delivery.read_by,
                changed,
                project: event.project,
            }),
            None => strangers.push(delivery.id),
        }
    }
    let now = worker.clock.now();
    worker.telemetry.deliveries_ended("unknown", unknown.len() + strangers.len());
    worker.store.end_deliveries(&unknown, "unknown", None, now).await?;
    for (extractor, deliveries) in handed {
        worker.store.hand_deliveries(&deliveries, extractor).await?;
    }
    let note = "No connection is to the GitLab that sent it.";
    worker.store.end_deliveries(&strangers, "unknown", Some(note), now).await?;
    Ok(sorted)
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
