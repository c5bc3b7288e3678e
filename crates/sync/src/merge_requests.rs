//! How merge requests are listed: by both readers, because REST alone knows some columns, and only GraphQL brings the
//! lists below a page of them.

use catalogue::List;
use catalogue::Rows;
use catalogue::merge_requests::{MERGE_REQUESTS, MERGE_REQUESTS_QUERY};

use crate::engine::Engine;
use crate::listing::{Listing, Order};

/// Merge requests, newest change first.
pub(crate) static LISTING: Listing = Listing {
    resource: &MERGE_REQUESTS,
    query: Some(&MERGE_REQUESTS_QUERY),
    variables: &[("notes", 100), ("lists", 20)],
    source: None,
    order: Order::UpdatedAt,
    ties: "created_at",
    both: true,
    keep: drop_covered,
};

/// What GraphQL has brought already is not written a second time: REST then adds what it alone knows. Without GraphQL
/// the lists that REST reads singly stay pending.
fn drop_covered(engine: &Engine, rows: &mut Rows) {
    if engine.capabilities.graphql {
        rows.keep_only(&["gitlab_merge_requests", "gitlab_users"]);
    } else if engine.options.job_token {
        rows.pending.retain(|it| it.list == List::Notes);
    }
}
