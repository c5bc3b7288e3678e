//! What operations borrow where they are called, as it is held where they are carried out.

use catalogue::{Rows, Table};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Lease, Listed, Page, Partition, PendingRow, Prune, Reject, Run, Told, Trunk, TrunkStep};

/// A page that came.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnedPage {
    pub(super) instance: i64,
    pub(super) rows: Rows,
    sent_at: DateTime<Utc>,
    pub(super) progress: Option<Partition>,
    pub(super) stood: Option<Partition>,
    pub(super) lease: Option<Lease>,
    pub(super) rejects: Vec<Reject>,
    pub(super) done: Vec<PendingRow>,
    pub(super) label_projects: Vec<i64>,
    pub(super) milestone_projects: Vec<i64>,
    pub(super) trunk: Option<OwnedStep>,
    pub(super) listed: Option<OwnedListing>,
}

/// What becomes of a default branch.
#[derive(Debug, Deserialize)]
pub struct OwnedStep {
    pub(super) trunk: Trunk,
    prune: Option<Prune>,
}

/// A complete listing.
#[derive(Debug, Deserialize)]
pub struct OwnedListing {
    table: &'static Table,
    pub(super) parent_id: i64,
    told: OwnedTold,
}

#[derive(Debug, Deserialize)]
enum OwnedTold {
    Unchanged,
    Named { seal: String, etag: String },
    Unnamed,
}

impl OwnedPage {
    /// The page as the store takes it.
    pub(super) fn lend(&self) -> Page<'_> {
        Page {
            instance: self.instance,
            rows: &self.rows,
            sent_at: self.sent_at,
            progress: self.progress.as_ref(),
            stood: self.stood.as_ref(),
            lease: self.lease.as_ref(),
            rejects: &self.rejects,
            done: &self.done,
            label_projects: &self.label_projects,
            milestone_projects: &self.milestone_projects,
            trunk: self.trunk.as_ref().map(|it| TrunkStep { trunk: &it.trunk, prune: it.prune }),
            listed: self.listed.as_ref().map(OwnedListing::lend),
        }
    }
}

impl OwnedListing {
    fn lend(&self) -> Listed<'_> {
        let told = match &self.told {
            OwnedTold::Unchanged => Told::Unchanged,
            OwnedTold::Named { seal, etag } => Told::Named { seal, etag },
            OwnedTold::Unnamed => Told::Unnamed,
        };
        Listed { table: self.table, parent_id: self.parent_id, told }
    }
}

/// A run that is to be joined.
#[derive(Debug, Deserialize)]
pub struct OwnedRun {
    pub(super) instance: i64,
    connectors: Vec<String>,
    scope: String,
    pub(super) connection: Option<i64>,
    pub(super) owner: String,
}

impl OwnedRun {
    /// The run as the store takes it.
    pub(super) fn lend(&self) -> Run<'_> {
        Run {
            instance: self.instance,
            connectors: &self.connectors,
            scope: &self.scope,
            connection: self.connection,
            owner: &self.owner,
        }
    }
}

/// A run that was joined, as it is told: the proof of life stays where the database is.
#[derive(Debug, Serialize, Deserialize)]
pub struct ToldJoined {
    pub(super) id: i64,
    pub(super) leads: bool,
}
