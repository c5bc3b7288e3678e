//! How far each resource of a connection is up to date, as a run leaves it.

use std::sync::atomic::Ordering::Relaxed;

use catalogue::approval_rules::APPROVAL_RULES;
use catalogue::approvals::APPROVALS;
use catalogue::deployment_merge_requests::DEPLOYMENT_MERGE_REQUESTS;
use catalogue::jobs::{BRIDGES, JOBS};
use catalogue::merge_request_commits::COMMITS_OF_MERGE_REQUEST;
use catalogue::reviewers::REVIEWERS;
use catalogue::users::ALL_USERS;
use catalogue::{RESOURCES, Resource};
use store::{ResourceRead, StoreError};

use crate::engine::Engine;
use crate::listing::Listing;

/// What changes unseen below open merge requests and in running pipelines: it is as old as the last look at those.
const OF_THE_OPEN_SET: [&str; 6] = [
    APPROVALS.name,
    REVIEWERS.name,
    APPROVAL_RULES.name,
    COMMITS_OF_MERGE_REQUEST.name,
    JOBS.name,
    BRIDGES.name,
];

/// Writes it down. A run that is complete has read or confirmed everything; of one that ended early count the listings, each as
/// far as its projects have got.
pub(crate) async fn note(engine: &Engine, complete: bool) -> Result<(), StoreError> {
    let Some(connection) = engine.options.connection.filter(|_| engine.options.covers_connection) else {
        return Ok(());
    };
    let read = RESOURCES.iter().copied().filter(|it| reads(engine, it));
    if complete {
        let read = read.filter(|it| engine.options.open_set || !OF_THE_OPEN_SET.contains(&it.name));
        let names: Vec<&str> = read.map(|it| it.name).collect();
        return engine.store.resources_synced(connection, &names, engine.began).await;
    }
    // Before all the work was laid out it is not known which projects there are.
    if !engine.planned.load(Relaxed) {
        return Ok(());
    }
    let listed: Vec<ResourceRead> = read.filter_map(|it| listed(engine, it)).collect();
    let parents = engine.named();
    // Cursors follow GitLab's clock, what is told of them ours.
    let (started, began) = (engine.started, engine.began);
    engine
        .store
        .resources_partly_synced(connection, engine.instance.0, &listed, &parents, started, began)
        .await
}

/// Whether the run reads the resource. Some are only read where they are asked for.
fn reads(engine: &Engine, resource: &Resource) -> bool {
    let asked_for = match resource.name {
        name if name == APPROVAL_RULES.name => engine.approval_rules,
        name if name == DEPLOYMENT_MERGE_REQUESTS.name => engine.options.deployment_merge_requests,
        name if name == ALL_USERS.name => engine.options.all_users,
        _ => true,
    };
    asked_for && engine.reads(resource)
}

fn listed(engine: &Engine, resource: &Resource) -> Option<ResourceRead> {
    let readers = Listing::named(resource.name)?.readers(engine);
    let readers = readers.iter().map(|it| (*it).to_owned()).collect();
    Some(ResourceRead { resource: resource.name.to_owned(), readers })
}
