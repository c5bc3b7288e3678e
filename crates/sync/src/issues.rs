//! How issues are listed: by one reader. GraphQL tells all but who closed an issue, which is not worth as many requests
//! again.

use catalogue::issues::{ISSUES, ISSUES_QUERY};

use crate::listing::{Listing, Order};

/// Issues, newest change first.
pub(crate) static LISTING: Listing = Listing {
    resource: &ISSUES,
    query: Some(&ISSUES_QUERY),
    variables: &[("lists", 20)],
    source: None,
    order: Order::UpdatedAt,
    ties: "created_at",
    both: false,
    keep: |_, _| {},
};
