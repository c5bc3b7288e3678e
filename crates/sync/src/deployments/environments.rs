//! The environments of one project: a complete listing, so that what is missing from it is gone.

use catalogue::Rows;
use catalogue::environments::{ENVIRONMENTS, TABLE};
use store::{Lease, Partition, PartitionKey};

use crate::conditional::{self, Asked, Complete, Name};
use crate::engine::{Engine, Halt};
use crate::fetch::{self, read_all, request};

/// What is known of a project's environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// There are some.
    Some,
    /// There is none.
    None,
    /// GitLab did not tell.
    Unknown,
}

/// Reads them, once in a run: a project may come again for the older part of its deployments.
pub(super) async fn read(engine: &Engine, lease: &Lease) -> Result<Found, Halt> {
    let project = lease.unit.parent_id;
    let key = PartitionKey {
        instance: engine.instance.0,
        resource: ENVIRONMENTS.name.to_owned(),
        reader: "rest".to_owned(),
        parent_id: project,
    };
    if engine.has_read_environments(project) {
        return Ok(Found::Some);
    }
    if engine.refused_lately(ENVIRONMENTS.name, project) {
        return Ok(Found::Unknown);
    }
    let reader = &ENVIRONMENTS.readers[0];
    let Some(request) = request(reader, &[engine.instance.source_id(project)]) else {
        return Ok(Found::Unknown);
    };
    let complete = Complete { resource: ENVIRONMENTS.name, reader, table: &TABLE, parent_id: project };
    let found = match conditional::list(engine, request, complete).await {
        Ok(Asked::Read(listing, name)) => write(engine, lease, key, &listing, &name).await?,
        Ok(Asked::Unchanged(unchanged)) => {
            let (rows, progress) = (Rows::default(), read_to_its_end(engine, key));
            let page = engine.page(&rows, engine.now());
            let page = store::Page { progress: Some(&progress), lease: Some(lease), ..page };
            unchanged.write(engine, page).await?;
            if unchanged.rows > 0 { Found::Some } else { Found::None }
        }
        Err(Halt::Skipped) => return Ok(Found::Unknown),
        Err(halt) => return Err(halt),
    };
    engine.note_environments(project);
    Ok(found)
}

fn read_to_its_end(engine: &Engine, key: PartitionKey) -> Partition {
    Partition { complete_to: Some(engine.started), whole: true, ..Partition::new(key) }
}

async fn write(
    engine: &Engine,
    lease: &Lease,
    key: PartitionKey,
    listing: &fetch::Listing,
    name: &Name,
) -> Result<Found, Halt> {
    let project = key.parent_id;
    let found = listing.elements()?;
    let any = !found.is_empty();
    let mut rows = Rows::default();
    let origin = engine.origin().project(engine.instance.source_id(project));
    let reader = &ENVIRONMENTS.readers[0];
    let rejects = read_all(ENVIRONMENTS.name, reader, &origin, project, found, &mut rows);
    // An element that was not understood may be a row we hold: then nothing is known to be gone.
    if rejects.is_empty() {
        rows.complete(&TABLE, &["project_id"], &[project]);
    }
    let progress = read_to_its_end(engine, key);
    let page = store::Page {
        progress: Some(&progress),
        lease: Some(lease),
        rejects: &rejects,
        listed: Some(name.listed(rejects.is_empty())),
        ..engine.page(&rows, listing.sent_at)
    };
    engine.write(&page).await?;
    Ok(if any { Found::Some } else { Found::None })
}
