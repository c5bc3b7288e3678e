//! Operations that need more than their arguments when they come from elsewhere.

use std::collections::BTreeMap;

use catalogue::List;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::owned::{OwnedPage, OwnedRun, ToldJoined};
use super::{Refusal, Within};
use crate::{
    Audit, ConnectionRow, Counts, DueDelivery, InstanceRow, Lease, PendingRow, PutOff, Store, TaskEnd,
    TaskRow,
};

/// Deliveries that are given out at once.
const DELIVERIES: i64 = 1000;
/// Letters of what an extractor says of its own accord.
const WORDS: usize = 200;

/// An entry of the audit log, as far as an extractor may say.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    pub(super) action: String,
    pub(super) connection_id: Option<i64>,
}

/// An entry, with who it was.
pub(super) async fn audit(store: &Store, within: &Within, entry: Told) -> Result<(), Refusal> {
    if let Some(connection) = entry.connection_id {
        within.connection(store, &connection).await?;
    }
    let action: String = entry.action.chars().take(WORDS).collect();
    let entry = Audit {
        api_key_id: Some(within.api_key),
        actor: "extractor",
        action: &action,
        connection_id: entry.connection_id,
        credential_id: None,
        detail: json!({ "extractor": within.extractor }),
    };
    Ok(store.audit(&entry, within.now).await?)
}

/// A unit of work. What was taken with an answer that got lost is given again.
pub(super) async fn claim(
    store: &Store,
    within: &Within,
    sync_id: i64,
    owner: String,
) -> Result<Option<Lease>, Refusal> {
    within.owner(store, &owner).await?;
    within.sync(store, &sync_id).await?;
    if within.again {
        store.release_claim(sync_id, &owner).await?;
    }
    Ok(store.claim(sync_id, &owner).await?)
}

/// Lists to read; as with units.
pub(super) async fn claim_pending(
    store: &Store,
    within: &Within,
    instance: i64,
    owner: String,
    most: i64,
    lists: Vec<List>,
    project: Option<i64>,
) -> Result<Vec<PendingRow>, Refusal> {
    within.instance(store, &instance).await?;
    within.owner(store, &owner).await?;
    if within.again {
        store.release_pending_of(instance, &owner).await?;
    }
    Ok(store.claim_pending(instance, &owner, most, &lists, project).await?)
}

/// A task of one of its connections. Each claim has a name of its own, so that one that is made again is known.
pub(super) async fn claim_task(
    store: &Store,
    within: &Within,
    owner: String,
    running: Vec<String>,
    now: DateTime<Utc>,
) -> Result<Option<TaskRow>, Refusal> {
    within.owner(store, &owner).await?;
    for name in &running {
        within.owner(store, name).await?;
    }
    store.keep_tasks_of(&running).await?;
    if within.again {
        store.release_tasks_of(&owner).await?;
    }
    Ok(store.claim_task_of(&within.connections, &owner, now).await?)
}

/// Ends a task.
pub(super) async fn end_task(
    store: &Store,
    within: &Within,
    task: TaskRow,
    end: TaskEnd,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    within.task(store, &task).await?;
    Ok(store.end_task(&task, &end, now).await?)
}

/// Deliveries that were handed to it.
pub(super) async fn claim_deliveries(
    store: &Store,
    within: &Within,
    owner: String,
    limit: i64,
    since: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Vec<DueDelivery>, Refusal> {
    within.owner(store, &owner).await?;
    if within.again {
        store.release_deliveries_of(&owner).await?;
    }
    let limit = limit.clamp(0, DELIVERIES);
    Ok(store.claim_deliveries_among(Some(within.extractor), &owner, limit, since, now).await?)
}

/// Its connections, and no others.
pub(super) async fn connections(store: &Store, within: &Within) -> Result<Vec<ConnectionRow>, Refusal> {
    let mut all = store.connections(None, i64::MAX).await?;
    all.retain(|it| within.connections.contains(&it.id));
    Ok(all)
}

pub(super) async fn end_deliveries(
    store: &Store,
    within: &Within,
    ids: Vec<i64>,
    state: String,
    note: Option<String>,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    held(store, within, &ids).await?;
    if !["done", "unknown", "failed"].contains(&state.as_str()) {
        return Err(Refusal::Unreadable("a delivery ends done, unknown or failed".to_owned()));
    }
    Ok(store.end_deliveries(&ids, &state, note.as_deref(), now).await?)
}

pub(super) async fn put_off_deliveries(
    store: &Store,
    within: &Within,
    ids: Vec<i64>,
    off: PutOff,
) -> Result<(), Refusal> {
    held(store, within, &ids).await?;
    for connection in &off.read_by {
        within.connection(store, connection).await?;
    }
    Ok(store.put_off_deliveries(&ids, &off).await?)
}

pub(super) async fn release_deliveries(
    store: &Store,
    within: &Within,
    owner: String,
    ids: Vec<i64>,
) -> Result<(), Refusal> {
    within.owner(store, &owner).await?;
    held(store, within, &ids).await?;
    Ok(store.release_deliveries(&owner, &ids).await?)
}

pub(super) async fn renew_deliveries(
    store: &Store,
    within: &Within,
    owner: String,
    ids: Vec<i64>,
) -> Result<(), Refusal> {
    within.owner(store, &owner).await?;
    held(store, within, &ids).await?;
    Ok(store.renew_deliveries(&owner, &ids).await?)
}

/// Refuses deliveries that were not handed to it. One that was ended already is let pass: its answer may have got lost.
async fn held(store: &Store, within: &Within, ids: &[i64]) -> Result<(), Refusal> {
    match store.are_deliveries_of(within.extractor, ids).await? {
        true => Ok(()),
        false => Err(Refusal::Foreign("a delivery")),
    }
}

/// Its GitLab.
pub(super) async fn instance(
    store: &Store,
    within: &Within,
    base_url: String,
) -> Result<InstanceRow, Refusal> {
    match base_url == within.base_url {
        true => Ok(store.instance(&base_url).await?),
        false => Err(Refusal::Foreign("this address")),
    }
}

/// Joins or leads a sync. Those that it leads already are alive, as this call shows.
pub(super) async fn join_sync(
    store: &Store,
    within: &Within,
    run: OwnedRun,
    leading: Vec<i64>,
    at: DateTime<Utc>,
) -> Result<ToldJoined, Refusal> {
    within.instance(store, &run.instance).await?;
    within.owner(store, &run.owner).await?;
    let connection = run.connection.ok_or(Refusal::Foreign("a sync without a connection"))?;
    within.connection(store, &connection).await?;
    for id in leading {
        lead_on(store, within, id).await?;
    }
    let joined = store.join_sync_leased(&run.lend(), at).await?;
    Ok(ToldJoined { id: joined.0, leads: joined.1 })
}

/// Says that the leader of a sync lives.
pub(super) async fn lead_on(store: &Store, within: &Within, sync_id: i64) -> Result<bool, Refusal> {
    within.sync(store, &sync_id).await?;
    Ok(store.lead_on(sync_id, &within.owner).await?)
}

/// When the next task of its connections is due.
pub(super) async fn next_task_due(store: &Store, within: &Within) -> Result<Option<DateTime<Utc>>, Refusal> {
    Ok(store.next_task_due_of(&within.connections).await?)
}

/// A page.
pub(super) async fn write_page(
    store: &Store,
    within: &Within,
    page: OwnedPage,
) -> Result<BTreeMap<&'static str, Counts>, Refusal> {
    within.page(store, &page).await?;
    Ok(store.write_page(&page.lend()).await?)
}
