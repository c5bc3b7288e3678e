//! Weir's database: PostgreSQL, and nothing else. The only crate that speaks SQL.
//!
//! What GitLab says is written by one generic, guarded upsert ([`Store::write_page`]); everything else is a function
//! per question.

mod api_keys;
mod audit;
mod births;
mod children;
mod connections;
mod counting;
mod credentials;
mod deployments;
mod derive;
mod encryption_keys;
mod erasure;
mod error;
mod etags;
mod extractors;
mod figures;
mod gates;
mod gone;
mod growth;
mod heads;
mod inbox;
mod instances;
mod issues;
mod jobs;
mod labels;
mod leases;
mod masks;
mod milestones;
mod optional_lists;
mod outdated;
mod page;
mod partitions;
mod pending;
mod projects;
mod proofs;
mod purges;
mod query;
mod rejects;
pub mod remote;
mod resource_states;
mod rotations;
mod schema;
mod seen;
pub mod server;
mod skips;
mod snapshot;
mod status;
mod syncs;
mod task_list;
mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
mod trunks;
mod upsert;
mod users;
pub mod vault;
mod webhook_counts;
mod webhook_gaps;
mod webhook_secrets;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};

pub use api_keys::ApiKeyRow;
pub use audit::Audit;
pub use connections::{ConnectionRow, NewConnection};
pub use counting::{CHILD_PIPELINES, Count, Counted, DEPLOYMENTS, ISSUES, PIPELINES, Stored};
pub use credentials::{CredentialRow, NewCredential};
pub use deployments::Look;
pub use encryption_keys::Unlocked;
pub use erasure::Erased;
pub use error::{Complaint, StoreError};
pub use etags::{Etag, Listed, Told};
pub use extractors::{ExtractorRow, Greeting, Unwelcome};
pub use figures::{
    ConnectionFigures, CredentialFigures, EncryptionFigures, ExtractorFigures, Figures, InboxFigures,
    ResourceFigures, TaskFigures,
};
pub use gates::{GateListener, GateOf, GatePause, Gates};
pub use gone::{DEPLOYMENT, Fact, ISSUE, MERGE_REQUEST, PIPELINE};
pub use inbox::{Delivery, DueDelivery, InboxCount, PutOff};
pub use instances::InstanceRow;
pub use leases::{Lease, Unit};
pub use page::{Counts, Page, Written};
pub use partitions::{Partition, PartitionKey};
pub use pending::PendingRow;
pub use projects::{KnownProject, LostProject};
pub use proofs::{HeldMergeRequest, Proof, ProvableProject};
pub use purges::{BROUGHT, PurgeRow};
pub use query::{QueryLimits, QueryResult};
pub use rejects::Reject;
pub use remote::Handle;
pub use resource_states::{ResourceRead, ResourceState};
pub use schema::{ColumnInfo, TableInfo};
pub use skips::Skip;
pub use snapshot::SnapshotRow;
pub use status::{CursorSummary, RejectSummary, StatusReport, SyncSummary};
pub use syncs::{Joined, Leadership, Run, SyncEnd, SyncRow};
pub use task_list::{ListedTask, TaskPlace, TaskState};
pub use tasks::{TaskEnd, TaskRow};
pub use trunks::{Prune, Trunk, TrunkSigns, TrunkStep};
pub use webhook_counts::{RefusalCount, WebhookCount};
pub use webhook_gaps::{GapRow, GapWindow, WebhookHint};
pub use webhook_secrets::WebhookSecret;
pub use webhooks::WebhookRow;

/// How long a write waits for a connection: there are fewer of them than parts in hand.
const PATIENCE: Duration = Duration::from_secs(120);

static MIGRATOR: Migrator = sqlx::migrate!();

/// A server that does not answer for so long is not there.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// A pool of connections to a database that has Weir's schema.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    seen_users: Arc<seen::Seen>,
    growth: Arc<growth::Growth>,
    masks: Arc<masks::MaskCache>,
}

impl Store {
    /// Connects, and brings the schema up to date. A database of a newer Weir is refused.
    pub async fn open(url: &str, connections: u32) -> Result<Store, StoreError> {
        let store = Store::connect(url, connections).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Connects without looking at the schema.
    pub async fn connect(url: &str, connections: u32) -> Result<Store, StoreError> {
        let options = options(url)?;
        reach(&options).await?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
            .connect_with(options)
            .await;
        Ok(Store {
            pool: pool.map_err(StoreError::connect)?,
            seen_users: Arc::default(),
            growth: Arc::default(),
            masks: Arc::default(),
        })
    }

    /// Has connections made with this address from now on, as after a change of the password. Those that are open are left
    /// alone. Another database is refused: that is a matter of a restart.
    pub fn use_address(&self, url: &str) -> Result<(), StoreError> {
        let (old, new) = (self.pool.connect_options(), options(url)?);
        let place = |it: &PgConnectOptions| {
            (it.get_host().to_owned(), it.get_port(), it.get_database().map(str::to_owned))
        };
        if place(&old) != place(&new) {
            return Err(StoreError::OtherDatabase);
        }
        self.pool.set_connect_options(new);
        Ok(())
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        MIGRATOR.run(&self.pool).await.map_err(StoreError::migrate)
    }

    /// Gives the role for readers its rights on what the schema has now, where there is such a role.
    pub async fn grant_reader(&self) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        Ok(server::grant_reader(&mut connection).await?)
    }

    /// The server's version, such as `16.4`.
    pub async fn server_version(&self) -> Result<String, StoreError> {
        Ok(sqlx::query_scalar("show server_version").fetch_one(&self.pool).await?)
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Connects once: the pool would try again for half a minute and then only tell that it was too long.
async fn reach(options: &PgConnectOptions) -> Result<(), StoreError> {
    let late = |_| StoreError::Connect("it did not answer within ten seconds".to_owned());
    let connection = tokio::time::timeout(ANSWERS_WITHIN, options.connect()).await.map_err(late)?;
    connection.map_err(StoreError::connect)?.close().await.map_err(StoreError::connect)
}

/// How connections are made to an address.
fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    if !url.starts_with("postgresql://") && !url.starts_with("postgres://") {
        return Err(StoreError::Address("it does not begin with postgresql://".to_owned()));
    }
    let options: PgConnectOptions = url.parse().map_err(StoreError::address)?;
    // Tables grow by orders of magnitude during a first import while their statistics still say that they are
    // empty: without this the planner would scan them whole for every page.
    Ok(options.application_name("weir").options([
        ("enable_seqscan", "off"),
        // A role named weir would otherwise meet Weir's own schema before public.
        ("search_path", "public"),
        // The same few statements run for every page: they are planned once per connection.
        ("plan_cache_mode", "force_generic_plan"),
        ("timezone", "UTC"),
        ("jit", "off"),
        ("client_min_messages", "warning"),
    ]))
}
