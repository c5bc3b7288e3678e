//! Pages of a listing by REST. Rows move between numbered pages while they are read, so every request is
//! anchored anew at the last row seen, inclusively; only rows that share one millisecond are paged by number, in an
//! order that does not move, until a pass brings nothing new.

use std::collections::BTreeSet;

use catalogue::Rows;
use chrono::{DateTime, SecondsFormat, SubsecRound, TimeDelta, Utc};
use gitlab_client::Request;
use serde::Deserialize;
use serde_json::value::RawValue;
use store::Partition;

use super::{Listing, Read, Walk};
use crate::engine::Halt;
use crate::fetch::{PER_PAGE, list, read_all, request, whole_page};

#[derive(Debug, Deserialize)]
struct Head {
    id: i64,
    updated_at: DateTime<Utc>,
}

/// A page as answered.
struct Fetched {
    rows: Rows,
    rejects: Vec<store::Reject>,
    sent_at: DateTime<Utc>,
    has_next: bool,
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Forward,
    Back,
}

/// REST shows milliseconds of a time that has more digits: a row lies somewhere in the millisecond from here.
const SHOWN: TimeDelta = TimeDelta::milliseconds(1);

pub(super) async fn forward(
    walk: &Walk<'_>,
    partition: &mut Partition,
    from: DateTime<Utc>,
) -> Result<(), Halt> {
    let started = walk.engine.started;
    follow(walk, partition, Way::Forward, Some(from), |partition, last| {
        partition.complete_to = partition.complete_to.max(Some(last.map_or(started, |it| it.min(started))));
        true
    })
    .await
    .map(drop)
}

pub(super) async fn back(walk: &Walk<'_>, partition: &mut Partition) -> Result<bool, Halt> {
    let (started, since) = (walk.engine.started, walk.engine.options.scope.since);
    let from = partition.complete_from.map(|it| it + SHOWN);
    follow(walk, partition, Way::Back, from, |partition, last| {
        partition.complete_to = partition.complete_to.or(Some(started));
        match (last, since) {
            // The next page may begin with rows of the same moment.
            (Some(last), Some(since)) => {
                partition.complete_from = Some(last.max(since + TimeDelta::microseconds(1)));
            }
            (Some(last), None) => partition.complete_from = Some(last),
            (None, Some(since)) => partition.complete_from = Some(since),
            (None, None) => partition.whole = true,
        }
        !walk.pauses(partition)
    })
    .await
}

/// Follows the list from an anchor. `advance` is told where each page ended, or nothing at the very end, and says
/// whether to go on. The next page is fetched while the one before is written. Gives whether the end was reached.
async fn follow(
    walk: &Walk<'_>,
    partition: &mut Partition,
    way: Way,
    mut anchor: Option<DateTime<Utc>>,
    mut advance: impl FnMut(&mut Partition, Option<DateTime<Utc>>) -> bool,
) -> Result<bool, Halt> {
    let mut page = fetch(walk, way, anchor).await?;
    loop {
        walk.stopped()?;
        if let Some(shared) = shared(&page) {
            ties(walk, partition, shared).await?;
            anchor = Some(beyond(way, shared));
        } else if let Some(last) = page.last {
            anchor = Some(inclusive(way, last));
        }
        let ended = !page.has_next;
        let more = advance(partition, page.last.filter(|_| !ended)) && !ended;
        let read = Read {
            rows: page.rows,
            rejects: page.rejects,
            sent_at: page.sent_at,
            partition: partition.clone(),
        };
        if !more {
            walk.write(read).await?;
            return Ok(ended);
        }
        let (written, next) = tokio::join!(walk.write(read), fetch(walk, way, anchor));
        written?;
        page = next?;
    }
}

/// The millisecond that every row of a full page shares.
fn shared(page: &Fetched) -> Option<DateTime<Utc>> {
    let (first, last) = (page.first?, page.last?);
    (page.has_next && first.trunc_subsecs(3) == last.trunc_subsecs(3)).then(|| last.trunc_subsecs(3))
}

/// The anchor that includes the row just seen and all beside it.
fn inclusive(way: Way, last: DateTime<Utc>) -> DateTime<Utc> {
    match way {
        Way::Forward => last.trunc_subsecs(3),
        Way::Back => last.trunc_subsecs(3) + SHOWN,
    }
}

/// The anchor just outside a millisecond that was read whole.
fn beyond(way: Way, shared: DateTime<Utc>) -> DateTime<Utc> {
    match way {
        Way::Forward => shared + SHOWN,
        Way::Back => shared - TimeDelta::microseconds(1),
    }
}

async fn fetch(walk: &Walk<'_>, way: Way, anchor: Option<DateTime<Utc>>) -> Result<Fetched, Halt> {
    let mut request = base(walk).query("order_by", "updated_at");
    let since = walk.engine.options.scope.since;
    request = match way {
        Way::Forward => request.query("sort", "asc").query("updated_after", time(anchor.unwrap_or_default())),
        Way::Back => {
            let request = request.query("sort", "desc");
            let anchor = anchor.or_else(|| paired(walk));
            let request = anchor.map_or(request.clone(), |it| request.query("updated_before", time(it)));
            since.map_or(request.clone(), |it| request.query("updated_after", time(it)))
        }
    };
    let answer = walk.engine.client.get(&request.query("per_page", PER_PAGE)).await;
    let answer = answer.map_err(|error| walk.halt(&error))?;
    let found = whole_page(&answer.body)?;
    let moved = |it: Option<&&RawValue>| Some(serde_json::from_str::<Head>(it?.get()).ok()?.updated_at);
    let (first, last) = (moved(found.first()), moved(found.last()));
    let has_next = answer.next.is_some() && last.is_some();
    let (rows, rejects) = rows(walk, found);
    Ok(Fetched { rows, rejects, sent_at: answer.sent_at, has_next, first, last })
}

/// A request for a window of time, in the order that GitLab wants with it.
pub(crate) fn paired_order(listing: &Listing, request: Request) -> Request {
    if listing.ties == "updated_at" { request.query("order_by", "updated_at") } else { request }
}

/// Where GitLab wants a filter with the order, one that leaves nothing out.
fn paired(walk: &Walk<'_>) -> Option<DateTime<Utc>> {
    (walk.listing.ties == "updated_at").then(|| walk.engine.started + TimeDelta::days(1))
}

/// Reads every row of one millisecond.
async fn ties(walk: &Walk<'_>, partition: &Partition, shared: DateTime<Utc>) -> Result<(), Halt> {
    let mut seen: BTreeSet<i64> = BTreeSet::new();
    loop {
        let request = base(walk)
            .query("order_by", walk.listing.ties)
            .query("sort", "asc")
            .query("updated_after", time(shared))
            .query("updated_before", time(shared + SHOWN));
        let listing = list(&walk.engine.client, request).await.map_err(|error| walk.halt(&error))?;
        let before = seen.len();
        for page in &listing.pages {
            let found = whole_page(&page.body)?;
            seen.extend(found.iter().filter_map(|it| Some(serde_json::from_str::<Head>(it.get()).ok()?.id)));
            let (rows, rejects) = rows(walk, found);
            walk.write(Read { rows, rejects, sent_at: listing.sent_at, partition: partition.clone() })
                .await?;
        }
        if seen.len() == before {
            return Ok(());
        }
    }
}

/// Reads elements again and writes them, without moving a cursor. Gives GitLab's ids of what was met.
pub(super) async fn read_again(
    walk: &Walk<'_>,
    narrow: impl Fn(Request) -> Request,
) -> Result<BTreeSet<i64>, Halt> {
    let request = narrow(base(walk)).query("order_by", walk.listing.ties).query("sort", "asc");
    let listing = list(&walk.engine.client, request).await.map_err(|error| walk.halt(&error))?;
    let mut met = BTreeSet::new();
    for page in &listing.pages {
        let found = whole_page(&page.body)?;
        met.extend(found.iter().filter_map(|it| Some(serde_json::from_str::<Head>(it.get()).ok()?.id)));
        let (rows, rejects) = rows(walk, found);
        let engine = walk.engine;
        engine.write(&store::Page { rejects: &rejects, ..engine.page(&rows, listing.sent_at) }).await?;
    }
    Ok(met)
}

fn base(walk: &Walk<'_>) -> Request {
    let reader = walk.listing.resource.reader("rest");
    reader.and_then(|it| request(it, &[walk.project])).expect("every listing has a reader of REST")
}

fn rows(walk: &Walk<'_>, found: Vec<&RawValue>) -> (Rows, Vec<store::Reject>) {
    let origin = walk.engine.origin().project(walk.project);
    let mut rows = Rows::default();
    let resource = walk.listing.resource;
    let reader = resource.reader("rest").expect("every listing has a reader of REST");
    let rejects = read_all(resource.name, reader, &origin, walk.parent_id(), found, &mut rows);
    (walk.listing.keep)(walk.engine, &mut rows);
    (rows, rejects)
}

pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
