//! What an extractor may touch: its own GitLab, its own connections, its own syncs.

use std::time::Duration;

use catalogue::{Pending, RESOURCES};
use chrono::{DateTime, TimeDelta, Utc};

use super::ids::{Ids, is_within, of_lists};
use super::owned::OwnedPage;
use crate::{Lease, PendingRow, ResourceRead, Store, StoreError, TaskRow};

/// Within what calls are carried out. All of it comes from the key and the database, nothing from the call.
#[derive(Debug, Clone)]
pub struct Within {
    /// The extractor.
    pub extractor: i64,
    /// Number of its GitLab.
    pub instance: i64,
    /// Address of its GitLab.
    pub base_url: String,
    /// Its connections.
    pub connections: Vec<i64>,
    /// What everything is called that its process holds, at the beginning.
    pub owner: String,
    /// The key it came with.
    pub api_key: i64,
    /// The time.
    pub now: DateTime<Utc>,
    /// Whether this call may have been carried out before, without its answer getting through.
    pub again: bool,
}

/// Why a call was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It concerns what is not this extractor's.
    #[error("{0} is not this extractor's")]
    Foreign(&'static str),
    /// It is no call that this version knows.
    #[error("the call cannot be understood: {0}")]
    Unreadable(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Nothing that an extractor does lasts longer.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// So much may an extractor's clock be ahead.
const CLOCKS: TimeDelta = TimeDelta::minutes(10);

type Checked = Result<(), Refusal>;

/// Refuses unless something holds.
fn unless(what: &'static str, holds: bool) -> Checked {
    if holds { Ok(()) } else { Err(Refusal::Foreign(what)) }
}

/// One check for each kind of argument; `operations.rs` says which is which.
impl Within {
    pub(super) async fn free<T>(&self, _: &Store, _: &T) -> Checked {
        Ok(())
    }

    pub(super) async fn instance(&self, _: &Store, number: &i64) -> Checked {
        unless("this GitLab", *number == self.instance)
    }

    pub(super) async fn ids(&self, _: &Store, what: &impl Ids) -> Checked {
        unless("an id", self.holds(what.ids()))
    }

    pub(super) async fn partition(&self, store: &Store, key: &crate::PartitionKey) -> Checked {
        self.instance(store, &key.instance).await?;
        self.ids(store, key).await
    }

    pub(super) async fn partitions(&self, store: &Store, keys: &[crate::PartitionKey]) -> Checked {
        for key in keys {
            self.partition(store, key).await?;
        }
        Ok(())
    }

    /// How long something has lasted: no longer than the database can count back.
    pub(super) async fn duration(&self, _: &Store, lasted: &Duration) -> Checked {
        match *lasted <= LONGEST {
            true => Ok(()),
            false => Err(Refusal::Unreadable("nothing has lasted so long".to_owned())),
        }
    }

    /// When something was asked: nothing that is to come, or it would count as newer than all that does.
    pub(super) async fn past(&self, _: &Store, at: &DateTime<Utc>) -> Checked {
        match *at <= self.now + CLOCKS {
            true => Ok(()),
            false => Err(Refusal::Unreadable("that is in the future".to_owned())),
        }
    }

    /// Names that end as labels of figures: only such as there are.
    pub(super) async fn resources(&self, _: &Store, names: &[String]) -> Checked {
        match names.iter().all(|name| RESOURCES.iter().any(|it| it.name == name)) {
            true => Ok(()),
            false => Err(Refusal::Unreadable("there is no such resource".to_owned())),
        }
    }

    pub(super) async fn reads(&self, store: &Store, read: &[ResourceRead]) -> Checked {
        let names: Vec<String> = read.iter().map(|it| it.resource.clone()).collect();
        self.resources(store, &names).await
    }

    pub(super) async fn list(&self, _: &Store, list: &Pending) -> Checked {
        unless("a list", self.holds(of_lists(self.instance, [list])))
    }

    pub(super) async fn claimed_list(&self, store: &Store, row: &PendingRow) -> Checked {
        self.list(store, &row.pending).await
    }

    pub(super) async fn connection(&self, _: &Store, id: &i64) -> Checked {
        unless("this connection", self.connections.contains(id))
    }

    pub(super) async fn owner(&self, _: &Store, owner: &str) -> Checked {
        unless("this worker", owner.starts_with(&self.owner))
    }

    pub(super) async fn task(&self, store: &Store, task: &TaskRow) -> Checked {
        self.connection(store, &task.connection_id).await?;
        self.owner(store, task.owner.as_deref().unwrap_or_default()).await
    }

    pub(super) async fn sync(&self, store: &Store, id: &i64) -> Checked {
        unless("this sync", store.is_sync_of(*id, self.instance, &self.connections).await?)
    }

    pub(super) async fn lease(&self, store: &Store, lease: &Lease) -> Checked {
        self.owner(store, &lease.owner).await?;
        self.ids(store, lease).await?;
        self.sync(store, &lease.sync_id).await
    }

    pub(super) async fn page(&self, store: &Store, page: &OwnedPage) -> Checked {
        self.instance(store, &page.instance).await?;
        for partition in page.progress.iter().chain(&page.stood) {
            self.instance(store, &partition.key.instance).await?;
        }
        if let Some(lease) = &page.lease {
            self.lease(store, lease).await?;
        }
        self.ids(store, page).await
    }

    fn holds(&self, ids: Option<Vec<i64>>) -> bool {
        ids.is_some_and(|it| it.into_iter().all(|id| is_within(self.instance, id)))
    }
}
