//! Elements of a listing that are read again, apart from its cursors: those with certain numbers, or within a window.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::graphql::Window;
use super::{Listing, Walk, graphql, rest};
use crate::engine::{Engine, Halt};

/// Numbers asked for in one request.
const TOGETHER: usize = 50;
/// A window ends just before its end.
const JUST: TimeDelta = TimeDelta::microseconds(1);

fn by_graphql(engine: &Engine, listing: &Listing) -> bool {
    engine.capabilities.graphql && listing.query.is_some()
}

/// Reads the elements with these numbers of a project (GitLab's id). Gives GitLab's ids of those that are there.
pub(crate) async fn by_iids(
    engine: &Engine,
    listing: &'static Listing,
    project: i64,
    iids: &[i64],
) -> Result<BTreeSet<i64>, Halt> {
    let walk = Walk { engine, lease: None, stood: None, listing, project };
    let mut met = BTreeSet::new();
    for some in iids.chunks(TOGETHER) {
        if by_graphql(engine, listing) {
            let window = Window { iids: Some(some.to_vec()), ..Window::default() };
            met.extend(graphql::read_again(&walk, window).await?);
        }
        if !by_graphql(engine, listing) || listing.both {
            let numbers = |request| {
                some.iter().fold(request, |it: gitlab_client::Request, iid| it.query("iids[]", iid))
            };
            met.extend(rest::read_again(&walk, numbers).await?);
        }
    }
    Ok(met)
}

/// Reads what a project (GitLab's id) last changed from a moment to before another. Gives GitLab's ids of what was met.
pub(crate) async fn within(
    engine: &Engine,
    listing: &'static Listing,
    project: i64,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<BTreeSet<i64>, Halt> {
    let walk = Walk { engine, lease: None, stood: None, listing, project };
    if by_graphql(engine, listing) {
        let window =
            Window { updated_after: Some(from), updated_before: Some(to - JUST), ..Window::default() };
        return graphql::read_again(&walk, window).await;
    }
    let window = |request: gitlab_client::Request| {
        request.query("updated_after", rest::time(from)).query("updated_before", rest::time(to - JUST))
    };
    rest::read_again(&walk, window).await
}
