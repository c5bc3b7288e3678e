//! How pipelines are listed. GraphQL brings them with their jobs; by REST each pipeline's jobs are read on their own.

mod running;

use catalogue::pipelines::{CHILD_PIPELINES, CHILD_SOURCE, PIPELINES, PIPELINES_QUERY};

use crate::listing::{Listing, Order};

pub(crate) use running::check;

/// Jobs that come along with a pipeline; longer lists are read on their own.
const JOBS: usize = 100;

/// Pipelines, newest number first: GitLab's GraphQL knows no other order.
pub(crate) static LISTING: Listing = Listing {
    resource: &PIPELINES,
    query: Some(&PIPELINES_QUERY),
    variables: &[("jobs", JOBS)],
    source: None,
    order: Order::Id,
    ties: "id",
    both: false,
    keep: |_, _| {},
};

/// Child pipelines, which GitLab hides unless they are asked for.
pub(crate) static CHILDREN: Listing =
    Listing { resource: &CHILD_PIPELINES, source: Some(CHILD_SOURCE), ..LISTING };
