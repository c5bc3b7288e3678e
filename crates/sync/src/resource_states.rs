//! How far each resource of a connection is up to date, as a run leaves it.

use std::sync::atomic::Ordering::Relaxed;

use catalogue::{RESOURCES, Resource};
use store::{ResourceRead, StoreError};

use crate::engine::Engine;
use crate::listing::Listing;

/// Writes it down. A run that is complete has read or confirmed everything; of one that ended early count the listings, each as
/// far as its projects have got.
pub(crate) async fn note(engine: &Engine, complete: bool) -> Result<(), StoreError> {
    let Some(connection) = engine.options.connection.filter(|_| engine.options.covers_connection) else {
        return Ok(());
    };
    let read = RESOURCES.iter().copied().filter(|it| engine.reads(it));
    if complete {
        let names: Vec<&str> = read.map(|it| it.name).collect();
        return engine.store.resources_synced(connection, &names, engine.started).await;
    }
    // Before all the work was laid out it is not known which projects there are.
    if !engine.planned.load(Relaxed) {
        return Ok(());
    }
    let listed: Vec<ResourceRead<'_>> = read.filter_map(|it| listed(engine, it)).collect();
    let parents = engine.named();
    engine.store.resources_partly_synced(connection, engine.instance.0, &listed, &parents).await
}

fn listed<'r>(engine: &Engine, resource: &'r Resource) -> Option<ResourceRead<'r>> {
    let listing = Listing::named(resource.name)?;
    Some(ResourceRead { resource: resource.name, readers: listing.readers(engine) })
}
