//! How commits of merge requests are listed, and how a push that moves nothing else is found.

pub(crate) mod heads;

use catalogue::merge_request_commits::{MERGE_REQUEST_COMMITS, MERGE_REQUEST_COMMITS_QUERY};

use crate::listing::{Listing, Order};

/// Merge requests with their commits. One reader is enough: both bring the same, and by REST each merge request's commits
/// are read on their own.
pub(crate) static LISTING: Listing = Listing {
    resource: &MERGE_REQUEST_COMMITS,
    query: Some(&MERGE_REQUEST_COMMITS_QUERY),
    variables: &[],
    source: None,
    order: Order::UpdatedAt,
    ties: "created_at",
    both: false,
    keep: |_, _| {},
};
