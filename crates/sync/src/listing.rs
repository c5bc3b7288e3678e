//! What a project has many of and GitLab tells the last change of: forward from where the last sync ended, and back from
//! there to the beginning.
//!
//! A partition is complete from `complete_from` to `complete_to`. The first page fixes `complete_to` at the start of
//! the run: whatever moves later has a later `updated_at` and is found by the next way forward. Where both readers of
//! a project are used they run under one lease, one after the other, so that neither overtakes the other's version
//! of a row.

mod again;
mod graphql;
mod rest;
mod together;

use catalogue::{Document, Resource, Rows};
use chrono::{DateTime, TimeDelta, Utc};
use store::{Lease, Partition, PartitionKey, Reject, Unit};

use crate::engine::{Engine, Halt};
use crate::{commits, deployments, issues, merge_requests, pipelines};

/// GitLab does not move `updated_at` for a second change within a minute, so what lies just behind is read again.
pub(crate) const OVERLAP: TimeDelta = TimeDelta::minutes(2);
/// What is older than this waits until every project's newer part is read.
pub(crate) const RECENT: TimeDelta = TimeDelta::days(90);
/// Priority of a project whose older part is still to be read.
pub(crate) const OLDER: i32 = 10;

/// How one resource of a project is listed.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) resource: &'static Resource,
    /// The query of a page, where GraphQL is the way to read it.
    pub(crate) query: Option<&'static Document>,
    /// How much of the lists below an element comes along.
    pub(crate) variables: &'static [(&'static str, usize)],
    /// The source by which GitLab lists what it hides otherwise.
    pub(crate) source: Option<&'static str>,
    /// How GraphQL orders the list.
    pub(crate) order: Order,
    /// The order in which REST lists rows that share one time, which does not move. Where that is `updated_at`, GitLab
    /// wants this order and the filters by it together, and lists equal times by number.
    pub(crate) ties: &'static str,
    /// Whether REST is read beside GraphQL, for what it alone knows.
    pub(crate) both: bool,
    /// What is kept of a page of REST.
    pub(crate) keep: fn(&Engine, &mut Rows),
}

/// How GraphQL orders a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By the last change, either way.
    UpdatedAt,
    /// Newest number first, whatever changed: a row never moves within the list.
    Id,
}

/// Every listing there is.
static LISTINGS: [&Listing; 6] = [
    &merge_requests::LISTING,
    &issues::LISTING,
    &pipelines::LISTING,
    &pipelines::CHILDREN,
    &commits::LISTING,
    &deployments::LISTING,
];

impl Listing {
    /// The listing of a unit's resource.
    pub(crate) fn named(resource: &str) -> Option<&'static Listing> {
        LISTINGS.into_iter().find(|it| it.resource.name == resource)
    }

    /// Every listing.
    pub(crate) fn all() -> impl Iterator<Item = &'static Listing> {
        LISTINGS.into_iter()
    }

    /// The readers in use.
    pub(crate) fn readers(&self, engine: &Engine) -> &'static [&'static str] {
        match (engine.capabilities.graphql && self.query.is_some(), self.both) {
            (true, true) => &["graphql", "rest"],
            (true, false) => &["graphql"],
            (false, _) => &["rest"],
        }
    }

    /// The unit of work for a project.
    pub(crate) fn unit(&self, project_id: i64) -> Unit {
        Unit { resource: self.resource.name.to_owned(), parent_id: project_id, priority: 0 }
    }

    /// The partitions of a project, those of the readers in use.
    pub(crate) fn keys(&self, engine: &Engine, project_id: i64) -> Vec<PartitionKey> {
        let key = |reader: &&str| PartitionKey {
            instance: engine.instance.0,
            resource: self.resource.name.to_owned(),
            reader: (*reader).to_owned(),
            parent_id: project_id,
        };
        self.readers(engine).iter().map(key).collect()
    }
}

/// Whether a partition is read back to a moment. In order of numbers an old one that moved late lies behind the moment and
/// still counts: as long as there is a cursor, the way back is not at its end.
pub(crate) fn reaches(partition: &Partition, since: Option<DateTime<Utc>>) -> bool {
    let from = partition.complete_from.filter(|_| partition.backfill_cursor.is_none());
    since.is_some_and(|since| from.is_some_and(|it| it <= since))
}

pub(crate) use again::{by_iids, within};
pub(crate) use rest::paired_order;
pub(crate) use together::{few, together};

/// A page on its way to the database.
pub(crate) struct Read {
    rows: Rows,
    rejects: Vec<Reject>,
    sent_at: DateTime<Utc>,
    partition: Partition,
}

/// What became of a project.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// It is read as far as it is to be read.
    Whole,
    /// Its older part is still to be read, after the newer parts of others.
    OlderLeft,
}

/// Brings a listing of a project up to date.
pub(crate) async fn project(engine: &Engine, lease: &Lease, listing: &'static Listing) -> Result<Done, Halt> {
    let mut older_left = false;
    for key in listing.keys(engine, lease.unit.parent_id) {
        let mut partition = engine.store.partition(&key).await?;
        let walk = Walk {
            engine,
            lease: Some(lease),
            stood: None,
            listing,
            project: engine.instance.source_id(key.parent_id),
        };
        walk.forward(&mut partition).await?;
        older_left |= !walk.back(&mut partition).await?;
    }
    Ok(if older_left { Done::OlderLeft } else { Done::Whole })
}

/// The priority with which a project comes again for its older part.
pub(crate) fn older(lease: &Lease) -> i32 {
    lease.unit.priority + OLDER
}

/// Reading one project by one of its readers.
struct Walk<'e> {
    engine: &'e Engine,
    /// The lease under which a unit is read; none where single elements are read again.
    lease: Option<&'e Lease>,
    /// The partition as it was before, where no lease guards it.
    stood: Option<&'e Partition>,
    listing: &'static Listing,
    project: i64,
}

impl Walk<'_> {
    /// From where the last sync ended up to the start of this one.
    async fn forward(&self, partition: &mut Partition) -> Result<(), Halt> {
        let Some(complete_to) = partition.complete_to.filter(|it| *it < self.engine.started) else {
            return Ok(());
        };
        let from = complete_to - OVERLAP;
        match partition.key.reader.as_str() {
            "graphql" => graphql::forward(self, partition, from).await,
            _ => rest::forward(self, partition, from).await,
        }
    }

    /// From the oldest that is stored to the beginning, or to `--since`. Gives whether it got there.
    async fn back(&self, partition: &mut Partition) -> Result<bool, Halt> {
        if partition.whole || self.reached_since(partition) {
            return Ok(true);
        }
        match partition.key.reader.as_str() {
            "graphql" => graphql::back(self, partition).await,
            _ => rest::back(self, partition).await,
        }
    }

    fn reached_since(&self, partition: &Partition) -> bool {
        reaches(partition, self.engine.options.scope.since)
    }

    /// Whether the way back pauses here: other projects get their newer part first, or it is left to the next run.
    fn pauses(&self, partition: &Partition) -> bool {
        let older = partition.complete_from.is_some_and(|it| it < self.engine.started - RECENT);
        older && self.lease.is_some_and(|it| it.unit.priority < OLDER || self.engine.older_is_over())
    }

    /// Writes a page and its cursor.
    async fn write(&self, read: Read) -> Result<(), Halt> {
        let engine = self.engine;
        let merge_requests = read.rows.touched.len() as u64;
        let page = store::Page {
            progress: Some(&read.partition),
            lease: self.lease,
            stood: self.stood,
            rejects: &read.rejects,
            ..engine.page(&read.rows, read.sent_at)
        };
        engine.write(&page).await?;
        // Where both readers run, REST meets again what GraphQL has counted.
        if !engine.capabilities.graphql || read.partition.key.reader == "graphql" {
            crate::Progress::add(&engine.progress.merge_requests, merge_requests);
        }
        Ok(())
    }

    fn stopped(&self) -> Result<(), Halt> {
        if self.engine.stop.asked() { Err(Halt::Failed(crate::run::interrupted())) } else { Ok(()) }
    }

    /// The project (Weir's id).
    fn parent_id(&self) -> i64 {
        self.engine.instance.id(self.project)
    }

    fn halt(&self, error: &gitlab_client::Error) -> Halt {
        self.engine.halt(error, self.listing.resource.name, self.parent_id())
    }
}
