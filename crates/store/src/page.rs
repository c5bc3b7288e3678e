//! One page, one transaction: rows, child lists, what is derived from them, what is left to read, and the cursor.

use std::collections::{BTreeMap, HashSet};

use catalogue::{Batch, Rows};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::masks::Masks;
use crate::outdated::Outdated;
use crate::{
    Lease, Listed, MERGE_REQUEST, Partition, PendingRow, Reject, Store, StoreError, TrunkStep, births,
    children, deployments, derive, etags, gone, heads, issues, jobs, labels, leases, milestones, partitions,
    pending, rejects, trunks, upsert, users,
};

/// Everything that is written together.
#[derive(Debug, Serialize)]
pub struct Page<'a> {
    /// The GitLab it comes from.
    pub instance: i64,
    /// The rows.
    pub rows: &'a Rows,
    /// When the request was sent: the version of rows that have no other.
    pub sent_at: DateTime<Utc>,
    /// How far the partition is read once these rows are stored.
    pub progress: Option<&'a Partition>,
    /// The partition as it was when this was asked for, where no lease guards it: the page is refused when it is another
    /// by now.
    pub stood: Option<&'a Partition>,
    /// The lease under which this is written; the page is refused when another process has it.
    pub lease: Option<&'a Lease>,
    /// Elements that could not be understood.
    pub rejects: &'a [Reject],
    /// Lists that have been read with this page.
    pub done: &'a [PendingRow],
    /// Projects whose labels this page brings.
    pub label_projects: &'a [i64],
    /// Projects whose milestones this page brings.
    pub milestone_projects: &'a [i64],
    /// What becomes of the default branch whose commits this page brings.
    pub trunk: Option<TrunkStep<'a>>,
    /// The complete listing that this page was, where GitLab may be asked for it only if it changed.
    pub listed: Option<Listed<'a>>,
}

impl<'p> Page<'p> {
    /// A page of nothing but rows.
    pub fn new(instance: i64, rows: &'p Rows, sent_at: DateTime<Utc>) -> Page<'p> {
        Page {
            instance,
            rows,
            sent_at,
            progress: None,
            stood: None,
            lease: None,
            rejects: &[],
            done: &[],
            label_projects: &[],
            milestone_projects: &[],
            trunk: None,
            listed: None,
        }
    }
}

/// What happened to the rows of one table.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows that GitLab sent.
    pub read: u64,
    /// Rows that changed in the database, deletions and returns included.
    pub written: u64,
}

/// What happened to a page, by table.
pub type Written = BTreeMap<&'static str, Counts>;

const ATTEMPTS: usize = 5;

impl Store {
    /// Writes a page. Users go first, each statement on its own, so that pages of different projects that name the
    /// same users cannot lock each other out.
    pub async fn write_page(&self, page: &Page<'_>) -> Result<Written, StoreError> {
        let mut written = self.write_users(page).await?;
        let mut attempt = 1;
        loop {
            match self.write_facts(page).await {
                Err(error) if error.is_transient() && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
                Ok(facts) => {
                    add(&mut written, facts);
                    return Ok(written);
                }
            }
        }
    }

    async fn write_users(&self, page: &Page<'_>) -> Result<Written, StoreError> {
        let mut written = Written::new();
        for batch in page.rows.batches.iter().filter(|it| is_users(it)) {
            let mut changed = 0;
            if let Some((json, sightings)) = self.seen_users.fresh(&batch.json()) {
                let ids: Vec<i64> = sightings.iter().map(|it| it.id).collect();
                let mut transaction = self.pool.begin().await?;
                let masks = self.masks.hold(&mut transaction).await?;
                let kinds = users::kinds(&mut transaction, batch, &ids).await?;
                changed = upsert::upsert_json(&mut transaction, batch, json, page.sent_at, &masks).await?;
                users::note_due(&mut transaction, kinds).await?;
                let newer = users::newer_than(&mut transaction, &ids, page.sent_at).await?;
                transaction.commit().await?;
                self.seen_users.remember(&sightings, &newer);
            }
            count(&mut written, batch.table.name, batch.len as u64, changed);
        }
        Ok(written)
    }

    async fn write_facts(&self, page: &Page<'_>) -> Result<Written, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let masks = self.masks.hold(&mut transaction).await?;
        if let Some(lease) = page.lease {
            leases::hold(&mut transaction, lease).await?;
        }
        if let Some(stood) = page.stood {
            partitions::hold(&mut transaction, stood).await?;
        }
        let written = write_rows(&mut transaction, page, &masks).await?;
        write_bookkeeping(&mut transaction, page, &masks).await?;
        transaction.commit().await?;
        self.growth.grown(&self.pool, written.values().map(|it| it.written).sum()).await?;
        Ok(written)
    }
}

async fn write_rows(
    connection: &mut PgConnection,
    page: &Page<'_>,
    masks: &Masks,
) -> Result<Written, StoreError> {
    let mut written = Written::new();
    births::take_turns(connection, page).await?;
    let Locked { mut known, gone } = lock_merge_requests(connection, page).await?;
    known.extend(issues::lock(connection, page.rows).await?);
    known.extend(jobs::known_pipelines(connection, page.rows).await?);
    known.extend(heads::lock(connection, page.rows).await?);
    let outdated = Outdated::of(connection, page, &known).await?;
    known.retain(|it| !outdated.has(it.0, it.1));
    for batch in page.rows.batches.iter().filter(|it| !is_users(it)) {
        let json = outdated.leave_out(batch)?;
        let changed = upsert::upsert_json(connection, batch, json, page.sent_at, masks).await?;
        count(&mut written, batch.table.name, batch.len as u64, changed);
    }
    gone::restore_below(connection, MERGE_REQUEST, &gone, page.sent_at).await?;
    for (table, gone) in children::remove_missing(connection, page.rows, &known, page.sent_at).await? {
        count(&mut written, table, 0, gone);
    }
    for (table, followed) in deployments::follow_environments(connection, page).await? {
        count(&mut written, table, 0, followed);
    }
    if !page.milestone_projects.is_empty() {
        let left = milestones::leave_deleted(connection, page.milestone_projects).await?;
        for (table, left) in left.into_iter().filter(|it| it.1 > 0) {
            count(&mut written, table, 0, left);
        }
    }
    for links in &labels::LINKS {
        let named = masks.names(outdated.leave_out_named(links.on, links.named(page.rows)));
        if !named.is_empty() {
            let linked = links.link_named(connection, &named, page.sent_at).await?;
            count(&mut written, links.table, named.len() as u64, linked);
        }
        if !page.label_projects.is_empty() {
            let followed = links.follow(connection, page.label_projects, page.sent_at).await?;
            count(&mut written, links.table, 0, followed);
        }
    }
    let is_list = |it: &Batch| it.table.name != "gitlab_merge_requests" && !is_users(it);
    let brings_lists = !page.rows.complete.is_empty() || page.rows.batches.iter().any(is_list);
    for (project, merge_requests) in touched_by_project(page) {
        let merge_requests = if brings_lists {
            merge_requests
        } else {
            derive::inconsistent(connection, project, &merge_requests).await?
        };
        let derived = derive::derive(connection, project, &merge_requests, page.sent_at).await?;
        count(&mut written, "gitlab_reviews", derived.reviews, derived.written);
    }
    jobs::mark_retried(connection, &page.rows.touched_pipelines).await?;
    if let Some(TrunkStep { trunk, prune: Some(prune) }) = &page.trunk {
        let gone = trunks::prune(connection, trunk, *prune, page.sent_at).await?;
        count(&mut written, "gitlab_commits", 0, gone);
    }
    Ok(written)
}

/// The merge requests that a page touches and that were stored before.
struct Locked {
    /// All of them: what is new has no children to lose.
    known: HashSet<(children::Parent, i64)>,
    /// Those that were marked as gone, by project.
    gone: Vec<(i64, Vec<i64>)>,
}

/// Locks the merge requests that the page touches before anything below them, so that two pages wait for each other
/// instead of locking each other out.
async fn lock_merge_requests(connection: &mut PgConnection, page: &Page<'_>) -> Result<Locked, StoreError> {
    let mut locked = Locked { known: HashSet::new(), gone: Vec::new() };
    for (project, merge_requests) in touched_by_project(page) {
        let stored: Vec<(i64, bool)> = sqlx::query_as(
            "select id, deleted_at is not null
               from gitlab_merge_requests
              where project_id = $1 and id = any($2)
              order by id
                for no key update",
        )
        .bind(project)
        .bind(&merge_requests)
        .fetch_all(&mut *connection)
        .await?;
        let gone: Vec<i64> = stored.iter().filter(|it| it.1).map(|it| it.0).collect();
        if !gone.is_empty() {
            locked.gone.push((project, gone));
        }
        locked.known.extend(stored.into_iter().map(|(id, _)| (children::Parent::MergeRequest, id)));
    }
    Ok(locked)
}

async fn write_bookkeeping(
    connection: &mut PgConnection,
    page: &Page<'_>,
    masks: &Masks,
) -> Result<(), StoreError> {
    for done in page.done {
        pending::remove(connection, page.instance, done).await?;
    }
    if !page.rows.pending.is_empty() {
        pending::add(connection, page.instance, &page.rows.pending).await?;
    }
    for reject in page.rejects {
        rejects::add(connection, page.instance, reject, page.sent_at, masks).await?;
    }
    etags::save(connection, page).await?;
    if let Some(step) = &page.trunk {
        trunks::save(connection, step.trunk).await?;
    }
    if let Some(progress) = page.progress {
        partitions::save(connection, progress).await?;
    }
    Ok(())
}

/// Weir's ids of touched merge requests, by the project they are in.
fn touched_by_project(page: &Page<'_>) -> BTreeMap<i64, Vec<i64>> {
    let mut grouped: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (project, merge_request) in &page.rows.touched {
        grouped.entry(*project).or_default().push(*merge_request);
    }
    for merge_requests in grouped.values_mut() {
        merge_requests.sort_unstable();
        merge_requests.dedup();
    }
    grouped
}

fn is_users(batch: &Batch) -> bool {
    batch.table.name == "gitlab_users"
}

fn count(written: &mut Written, table: &'static str, read: u64, changed: u64) {
    let counts = written.entry(table).or_default();
    counts.read += read;
    counts.written += changed;
}

/// Adds the counts of one page to those before.
pub(crate) fn add(into: &mut Written, more: Written) {
    for (table, counts) in more {
        count(into, table, counts.read, counts.written);
    }
}
