//! The database as a sync sees it: here, or elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalogue::{List, Table};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use super::leading::Leading;
use super::owned::ToldJoined;
use super::special::Told;
use super::{Call, Carrier};
use crate::{
    Audit, ConnectionRow, Counts, DueDelivery, InstanceRow, Joined, Leadership, Lease, Page, PendingRow,
    PutOff, Run, Store, StoreError, TaskEnd, TaskRow, Written,
};

/// The database as a sync sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Handle {
    /// A database of this process.
    Here(Store),
    /// A Weir elsewhere, which has the database.
    Away(Away),
}

/// A Weir elsewhere.
#[derive(Debug, Clone)]
pub struct Away {
    carrier: Arc<dyn Carrier>,
    /// What everything is called that this process holds, at the beginning.
    owner: Arc<str>,
    /// Tells claims apart, so that one whose answer was lost can be made again.
    claims: Arc<AtomicU64>,
    /// The syncs that this process leads now.
    leading: Leading,
    /// The names under which it runs tasks now.
    tasks: Arc<Mutex<BTreeSet<String>>>,
}

impl From<Store> for Handle {
    fn from(store: Store) -> Handle {
        Handle::Here(store)
    }
}

impl From<&Store> for Handle {
    fn from(store: &Store) -> Handle {
        Handle::Here(store.clone())
    }
}

impl Away {
    /// A Weir that this carrier leads to, where this process is known by a name.
    pub fn new(carrier: Arc<dyn Carrier>, owner: &str) -> Away {
        Away {
            carrier,
            owner: owner.into(),
            claims: Arc::default(),
            leading: Leading::default(),
            tasks: Arc::default(),
        }
    }

    /// What everything is called that this process holds, at the beginning.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    pub(super) async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, StoreError> {
        let answer = self.carrier.carry(&call).await?;
        serde_json::from_slice(&answer).map_err(StoreError::unreadable)
    }

    /// A name for one claim.
    fn claimant(&self, owner: &str) -> String {
        format!("{owner}#{}", self.claims.fetch_add(1, Relaxed))
    }

    async fn join(&self, run: &Run<'_>, at: DateTime<Utc>) -> Result<Joined, StoreError> {
        let call = Call::new("join_sync").with("run", run)?;
        let call = call.with("leading", &self.leading.all())?.with("at", &at)?;
        let ToldJoined { id, leads } = self.ask(call).await?;
        let leadership = leads.then(|| Leadership::away(self.leading.lead(id, self.clone())));
        Ok(Joined { id, leadership })
    }

    /// Says that this process still leads a sync.
    pub(super) async fn lead_on(&self, sync_id: i64) -> Result<bool, StoreError> {
        self.ask(Call::new("lead_on").with("sync_id", &sync_id)?).await
    }

    /// Claims a task. Those that run here are alive, however long the line was cut: none of them is given out again.
    async fn claim_task(&self, owner: &str, now: DateTime<Utc>) -> Result<Option<TaskRow>, StoreError> {
        let running: Vec<String> = self.tasks().iter().cloned().collect();
        let call = Call::new("claim_task").with("owner", &self.claimant(owner))?;
        let task: Option<TaskRow> = self.ask(call.with("running", &running)?.with("now", &now)?).await?;
        self.tasks().extend(task.iter().filter_map(|it| it.owner.clone()));
        Ok(task)
    }

    async fn end_task(&self, task: &TaskRow, end: &TaskEnd, now: DateTime<Utc>) -> Result<(), StoreError> {
        // From here on it is not run any more, whatever comes of saying so.
        self.tasks().retain(|it| Some(it) != task.owner.as_ref());
        let call = Call::new("end_task").with("task", task)?.with("end", end)?;
        self.ask(call.with("now", &now)?).await
    }

    fn tasks(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write_page(&self, page: &Page<'_>) -> Result<Written, StoreError> {
        let written: BTreeMap<String, Counts> = self.ask(Call::new("write_page").with("page", page)?).await?;
        let known = |name: &str| {
            Table::named(name).map_or(if name == REVIEWS { REVIEWS } else { "others" }, |it| it.name)
        };
        Ok(written.into_iter().map(|(name, counts)| (known(&name), counts)).collect())
    }
}

/// The one table that no reader fills.
const REVIEWS: &str = "gitlab_reviews";

/// What is not the same in both places.
impl Handle {
    /// Whether the database is elsewhere.
    pub fn is_away(&self) -> bool {
        matches!(self, Handle::Away(_))
    }

    /// What the names of everything that this process holds begin with.
    pub fn owner_prefix(&self) -> &str {
        match self {
            Handle::Here(_) => "",
            Handle::Away(away) => away.owner(),
        }
    }

    /// See [`Store::write_page`].
    pub async fn write_page(&self, page: &Page<'_>) -> Result<Written, StoreError> {
        match self {
            Handle::Here(store) => store.write_page(page).await,
            Handle::Away(away) => away.write_page(page).await,
        }
    }

    /// See [`Store::join_sync`].
    pub async fn join_sync(&self, run: &Run<'_>, at: DateTime<Utc>) -> Result<Joined, StoreError> {
        match self {
            Handle::Here(store) => store.join_sync(run, at).await,
            Handle::Away(away) => away.join(run, at).await,
        }
    }

    /// See [`Store::help_sync`]. Nobody helps an extractor: it is the only one in its network.
    pub async fn help_sync(&self, run: &Run<'_>) -> Result<Option<Joined>, StoreError> {
        match self {
            Handle::Here(store) => store.help_sync(run).await,
            Handle::Away(_) => Ok(None),
        }
    }

    /// See [`Store::task_to_help`].
    pub async fn task_to_help(
        &self,
        owner: &str,
        here: &[i64],
        now: DateTime<Utc>,
    ) -> Result<Option<TaskRow>, StoreError> {
        match self {
            Handle::Here(store) => store.task_to_help(owner, here, now).await,
            Handle::Away(_) => Ok(None),
        }
    }

    /// See [`Store::others_run_tasks`]. Nobody else runs those of an extractor.
    pub async fn others_run_tasks(&self, owner: &str) -> Result<bool, StoreError> {
        match self {
            Handle::Here(store) => store.others_run_tasks(owner).await,
            Handle::Away(_) => Ok(false),
        }
    }

    /// See [`Store::task_goes_on`]. An extractor holds no credentials of the database, and learns that a connection was paused or
    /// deleted when it renews the task.
    pub async fn task_goes_on(
        &self,
        connection: i64,
        held: &[(i64, DateTime<Utc>)],
    ) -> Result<bool, StoreError> {
        match self {
            Handle::Here(store) => store.task_goes_on(connection, held).await,
            Handle::Away(_) => Ok(true),
        }
    }

    /// See [`Store::claim`].
    pub async fn claim(&self, sync_id: i64, owner: &str) -> Result<Option<Lease>, StoreError> {
        match self {
            Handle::Here(store) => store.claim(sync_id, owner).await,
            Handle::Away(away) => {
                away.ask(Call::new("claim").with("sync_id", &sync_id)?.with("owner", &owner)?).await
            }
        }
    }

    /// See [`Store::claim_pending`].
    pub async fn claim_pending(
        &self,
        instance: i64,
        owner: &str,
        most: i64,
        lists: &[List],
        project: Option<i64>,
    ) -> Result<Vec<PendingRow>, StoreError> {
        match self {
            Handle::Here(store) => store.claim_pending(instance, owner, most, lists, project).await,
            Handle::Away(away) => {
                let call = Call::new("claim_pending").with("instance", &instance)?.with("owner", &owner)?;
                let call = call.with("most", &most)?.with("lists", &lists)?.with("project", &project)?;
                away.ask(call).await
            }
        }
    }

    /// See [`Store::claim_task`].
    pub async fn claim_task(&self, owner: &str, now: DateTime<Utc>) -> Result<Option<TaskRow>, StoreError> {
        match self {
            Handle::Here(store) => store.claim_task(owner, now).await,
            Handle::Away(away) => away.claim_task(owner, now).await,
        }
    }

    /// See [`Store::end_task`].
    pub async fn end_task(
        &self,
        task: &TaskRow,
        end: &TaskEnd,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        match self {
            Handle::Here(store) => store.end_task(task, end, now).await,
            Handle::Away(away) => away.end_task(task, end, now).await,
        }
    }

    /// See [`Store::claim_deliveries`].
    pub async fn claim_deliveries(
        &self,
        owner: &str,
        limit: i64,
        since: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        match self {
            Handle::Here(store) => store.claim_deliveries(owner, limit, since, now).await,
            Handle::Away(away) => {
                let call = Call::new("claim_deliveries").with("owner", &away.claimant(owner))?;
                away.ask(call.with("limit", &limit)?.with("since", &since)?.with("now", &now)?).await
            }
        }
    }

    /// See [`Store::end_deliveries`].
    pub async fn end_deliveries(
        &self,
        ids: &[i64],
        state: &str,
        note: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        match self {
            Handle::Here(store) => store.end_deliveries(ids, state, note, now).await,
            Handle::Away(_) if ids.is_empty() => Ok(()),
            Handle::Away(away) => {
                let call = Call::new("end_deliveries").with("ids", &ids)?.with("state", &state)?;
                away.ask(call.with("note", &note)?.with("now", &now)?).await
            }
        }
    }

    /// See [`Store::put_off_deliveries`].
    pub async fn put_off_deliveries(&self, ids: &[i64], off: &PutOff) -> Result<(), StoreError> {
        match self {
            Handle::Here(store) => store.put_off_deliveries(ids, off).await,
            Handle::Away(_) if ids.is_empty() => Ok(()),
            Handle::Away(away) => {
                away.ask(Call::new("put_off_deliveries").with("ids", &ids)?.with("off", off)?).await
            }
        }
    }

    /// See [`Store::release_deliveries`].
    pub async fn release_deliveries(&self, owner: &str, ids: &[i64]) -> Result<(), StoreError> {
        match self {
            Handle::Here(store) => store.release_deliveries(owner, ids).await,
            Handle::Away(_) if ids.is_empty() => Ok(()),
            Handle::Away(away) => {
                away.ask(Call::new("release_deliveries").with("owner", &owner)?.with("ids", &ids)?).await
            }
        }
    }

    /// See [`Store::renew_deliveries`].
    pub async fn renew_deliveries(&self, owner: &str, ids: &[i64]) -> Result<(), StoreError> {
        match self {
            Handle::Here(store) => store.renew_deliveries(owner, ids).await,
            Handle::Away(_) if ids.is_empty() => Ok(()),
            Handle::Away(away) => {
                away.ask(Call::new("renew_deliveries").with("owner", &owner)?.with("ids", &ids)?).await
            }
        }
    }

    /// See [`Store::catch_up_deliveries`]. Where the inbox is elsewhere, that is done there.
    pub async fn catch_up_deliveries(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        match self {
            Handle::Here(store) => store.catch_up_deliveries(now).await,
            Handle::Away(_) => Ok(0),
        }
    }

    /// See [`Store::clean_webhook_hints`]; as with the inbox.
    pub async fn clean_webhook_hints(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        match self {
            Handle::Here(store) => store.clean_webhook_hints(before).await,
            Handle::Away(_) => Ok(()),
        }
    }

    /// Hands deliveries to the extractor that reads the GitLab that sent them. An extractor hands nothing on.
    pub async fn hand_deliveries(&self, ids: &[i64], extractor: i64) -> Result<(), StoreError> {
        match self {
            Handle::Here(store) => store.hand_deliveries(ids, extractor).await,
            Handle::Away(_) => Ok(()),
        }
    }

    /// See [`Store::clean_inbox`]. Where the inbox is elsewhere, it is cleaned there.
    pub async fn clean_inbox(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        match self {
            Handle::Here(store) => store.clean_inbox(before).await,
            Handle::Away(_) => Ok(0),
        }
    }

    /// Every live connection that this process may see.
    pub async fn every_connection(&self) -> Result<Vec<ConnectionRow>, StoreError> {
        match self {
            Handle::Here(store) => store.connections(None, i64::MAX).await,
            Handle::Away(away) => away.ask(Call::new("connections")).await,
        }
    }

    /// See [`Store::instance`].
    pub async fn instance(&self, base_url: &str) -> Result<InstanceRow, StoreError> {
        match self {
            Handle::Here(store) => store.instance(base_url).await,
            Handle::Away(away) => away.ask(Call::new("instance").with("base_url", &base_url)?).await,
        }
    }

    /// See [`Store::next_task_due`].
    pub async fn next_task_due(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        match self {
            Handle::Here(store) => store.next_task_due().await,
            Handle::Away(away) => away.ask(Call::new("next_task_due")).await,
        }
    }

    /// See [`Store::audit`]. Who it was, the Weir elsewhere knows better.
    pub async fn audit(&self, entry: &Audit<'_>, at: DateTime<Utc>) -> Result<(), StoreError> {
        match self {
            Handle::Here(store) => store.audit(entry, at).await,
            Handle::Away(away) => {
                let told = Told { action: entry.action.to_owned(), connection_id: entry.connection_id };
                away.ask(Call::new("audit").with("entry", &told)?).await
            }
        }
    }
}
