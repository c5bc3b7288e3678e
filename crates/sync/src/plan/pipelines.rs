//! Which projects' pipelines have to be read.

use std::collections::{BTreeMap, HashMap};

use catalogue::pipelines::PIPELINES;
use chrono::{DateTime, Utc};
use gitlab_client::Request;
use store::{Joined, Partition, PartitionKey, Unit};

use super::far_enough;
use crate::Progress;
use crate::details::Since;
use crate::engine::{Engine, Halt};
use crate::listing::{Listing, OVERLAP, together};
use crate::pipelines::{CHILDREN, LISTING};
use crate::sight::{Found, Sight};
use crate::standing::Standing;

/// How far pipelines were read before this run.
pub(super) struct Read(HashMap<PartitionKey, Partition>);

impl Read {
    /// Loads it.
    pub(super) async fn load(engine: &Engine) -> Result<Read, Halt> {
        let mut read = HashMap::new();
        if engine.has(PIPELINES.connector) {
            for listing in [&LISTING, &CHILDREN] {
                let stored = engine.store.partitions(engine.instance.0, listing.resource.name).await?;
                read.extend(stored.into_iter().map(|it| (it.key.clone(), it)));
            }
        }
        Ok(Read(read))
    }

    /// Since when GitLab is asked whether pipelines of a project (GitLab's id) moved; none where they were never read.
    pub(super) fn since(&self, engine: &Engine, project: i64) -> Since {
        let end = |it| self.end(engine, it, engine.instance.id(project));
        Some(end(&LISTING)?.min(end(&CHILDREN)?) - OVERLAP)
    }

    /// The partitions of a listing, those of a project beside each other.
    fn of(&self, listing: &Listing) -> Vec<&Partition> {
        let mut stored: Vec<&Partition> =
            self.0.values().filter(|it| it.key.resource == listing.resource.name).collect();
        stored.sort_by_key(|it| it.key.parent_id);
        stored
    }

    /// Up to when a listing of a project is complete.
    fn end(&self, engine: &Engine, listing: &Listing, project: i64) -> Option<DateTime<Utc>> {
        let ends = listing.keys(engine, project).into_iter().map(|it| self.0.get(&it)?.complete_to);
        ends.min().flatten()
    }

    /// Whether a listing of a project was read at all, and as far back as this run wants.
    fn reaches(&self, engine: &Engine, listing: &Listing, project: i64) -> Option<bool> {
        let partition = |it: PartitionKey| self.0.get(&it).filter(|it| it.complete_to.is_some());
        let parts: Vec<_> = listing.keys(engine, project).into_iter().filter_map(partition).collect();
        (!parts.is_empty()).then(|| parts.iter().all(|it| far_enough(engine, it)))
    }
}

/// Lays out the units of work, and confirms the listings in which nothing moved. Gives the projects that were read
/// before (Weir's ids).
pub(super) async fn plan(
    engine: &Engine,
    joined: &Joined,
    sight: &Sight,
    standings: &BTreeMap<i64, Standing>,
    read: &Read,
) -> Result<Vec<i64>, Halt> {
    let mut units: Vec<Unit> = Vec::new();
    let mut idle: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    let mut empty: Vec<PartitionKey> = Vec::new();
    let mut doubtful = Vec::new();
    let mut before = Vec::new();
    for found in sight.projects.values() {
        let id = engine.instance.id(found.source_id);
        if found.builds_off {
            switched_off(engine, id, found);
            continue;
        }
        let standing = standings.get(&found.source_id).and_then(|it| it.pipelines);
        // GitLab may show nothing to this token although there is something.
        let closed = standing.is_none_or(|it| it.doubtful && !it.listed && !it.children);
        if closed && engine.refused_lately(PIPELINES.name, id) {
            continue;
        }
        let never_read = read.reaches(engine, &LISTING, id).is_none();
        if never_read && closed && standing.is_some() {
            doubtful.push(id);
            continue;
        }
        for (listing, moved) in
            [(&LISTING, standing.map(|it| it.listed)), (&CHILDREN, standing.map(|it| it.children))]
        {
            let reaches = read.reaches(engine, listing, id);
            match (moved, reaches) {
                (Some(false), Some(true)) => idle.entry(listing.resource.name).or_default().push(id),
                // It was never read, so GitLab was asked whether there is anything at all.
                (Some(false), None) => empty.extend(listing.keys(engine, id)),
                _ => units.push(listing.unit(id)),
            }
        }
        before.extend(read.reaches(engine, &LISTING, id).map(|_| id));
    }
    for (resource, projects) in &idle {
        engine.store.confirm(engine.instance.0, resource, projects, engine.started).await?;
    }
    empty.extend(settle(engine, doubtful).await?);
    engine.store.found_empty(&empty, engine.started).await?;
    for listing in [&LISTING, &CHILDREN] {
        let of_listing = |it: &Unit| it.resource == listing.resource.name;
        let moved: Vec<i64> = units.iter().filter(|it| of_listing(it)).map(|it| it.parent_id).collect();
        let read = together(engine, listing, &moved, &read.of(listing)).await?;
        units.retain(|it| !of_listing(it) || !read.contains(&it.parent_id));
    }
    engine.store.add_units(joined.id, &units).await?;
    Progress::add(&engine.progress.projects, units.len() as u64);
    Ok(before)
}

/// GraphQL shows an empty list to those who may not read it. REST refuses them, which is said. Gives what is empty
/// indeed.
async fn settle(engine: &Engine, projects: Vec<i64>) -> Result<Vec<PartitionKey>, Halt> {
    let mut empty = Vec::new();
    for id in projects {
        let request = Request::new("projects/{project}/pipelines").value(engine.instance.source_id(id));
        match engine.client.get(&request.query("per_page", 1)).await {
            Ok(_) => empty.extend([&LISTING, &CHILDREN].iter().flat_map(|it| it.keys(engine, id))),
            Err(error) => match engine.halt(&error, PIPELINES.name, id) {
                Halt::Skipped | Halt::Later(_) => {}
                halt => return Err(halt),
            },
        }
    }
    Ok(empty)
}

fn switched_off(engine: &Engine, id: i64, found: &Found) {
    let detail = format!("CI/CD is switched off in {}.", found.path);
    engine.skip(PIPELINES.name, id, "feature_disabled", detail);
}
