//! How deployments are read, and the environments they go to. Both by REST: GitLab's GraphQL answers them for one project
//! in a request, and so does REST, which brings a hundred at once.
//!
//! Which projects are looked at is decided in `plan`: a *look* lists the environments, all of them, and then the
//! deployments that moved. What moves without a new look is read by the list of deployments alone.

mod environments;

use catalogue::deployment_merge_requests::DEPLOYMENT_MERGE_REQUESTS;
use catalogue::deployments::DEPLOYMENTS;
use catalogue::environments::ENVIRONMENTS;
use store::{Lease, Unit};

use crate::engine::{Engine, Halt};
use crate::listing::{self, Done, Listing, Order};
use environments::Found;

/// Deployments, newest change first. GitLab wants its filters by time paired with the order by time, in which equal times
/// come by number.
pub(crate) static LISTING: Listing = Listing {
    resource: &DEPLOYMENTS,
    query: None,
    variables: &[],
    source: None,
    order: Order::UpdatedAt,
    ties: "updated_at",
    both: false,
    keep: |_, _| {},
};

/// The unit of work for a look at a project.
pub(crate) fn look(project_id: i64) -> Unit {
    Unit { resource: ENVIRONMENTS.name.to_owned(), parent_id: project_id, priority: 0 }
}

/// Whether a unit of work is done here.
pub(crate) fn is_ours(unit: &Unit) -> bool {
    unit.resource == ENVIRONMENTS.name || unit.resource == DEPLOYMENTS.name
}

/// Does a unit of work. One that GitLab refuses keeps what is known of its project: REST never shows an empty list to those
/// who may not read it, so there is nothing to forget.
pub(crate) async fn project(engine: &Engine, lease: &Lease) -> Result<Done, Halt> {
    let read = match lease.unit.resource == ENVIRONMENTS.name {
        true => looked_at(engine, lease).await,
        false => listed(engine, lease).await,
    };
    match read {
        Err(Halt::Skipped) => Ok(Done::Whole),
        read => read,
    }
}

async fn looked_at(engine: &Engine, lease: &Lease) -> Result<Done, Halt> {
    match environments::read(engine, lease).await? {
        // Every deployment goes to an environment, and ends with it.
        Found::None => {
            let keys = LISTING.keys(engine, lease.unit.parent_id);
            engine.store.found_empty(&keys, engine.started).await?;
            Ok(Done::Whole)
        }
        Found::Some | Found::Unknown => listing::project(engine, lease, &LISTING).await,
    }
}

/// Reads deployments alone; a deployment that moved may have made or changed its environment.
async fn listed(engine: &Engine, lease: &Lease) -> Result<Done, Halt> {
    let began = engine.now();
    let done = listing::project(engine, lease, &LISTING).await?;
    if engine.store.deployments_written(lease.unit.parent_id, began).await? {
        environments::read(engine, lease).await?;
    }
    Ok(done)
}

/// Asks for the merge requests of deployments that were read by syncs that did not want them. `projects` are Weir's ids.
pub(crate) async fn make_up(engine: &Engine, projects: &[i64]) -> Result<(), Halt> {
    if engine.options.deployment_merge_requests {
        let refused = |it: &i64| engine.refused_lately(DEPLOYMENT_MERGE_REQUESTS.name, *it);
        let projects: Vec<i64> = projects.iter().copied().filter(|it| !refused(it)).collect();
        let since = engine.options.scope.since;
        engine.store.ask_for_deployment_merge_requests(engine.instance.0, &projects, since).await?;
    }
    Ok(())
}
