//! A few elements of many projects in one request: what moved in them, because on an ordinary day most have moved a little,
//! and everything of those that have little. Where there is more than a few, the project is read on its own.

use std::collections::HashSet;

use catalogue::{Connection, Gid, gid};
use chrono::{DateTime, SecondsFormat, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use gitlab_client::GraphqlAnswer;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Partition, StoreError};

use super::{Listing, OVERLAP, Order, Read, Walk, graphql};
use crate::engine::{Engine, Halt};
use crate::fetch;

#[derive(Deserialize)]
struct ProjectNode<'a> {
    id: Gid,
    #[serde(borrow, alias = "mergeRequests", alias = "pipelines", alias = "issues")]
    list: Option<Connection<'a>>,
}

/// What REST alone tells of a merge request it tells when that is merged, closed, or opened again.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ending {
    id: Gid,
    merged_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    state: String,
}

/// A project (Weir's id) that is asked about together with others.
struct Due {
    project: i64,
    /// How far it was read before.
    stood: Partition,
    /// What is known of it once it is read.
    partition: Partition,
    /// Up to when it was read by every reader.
    to: DateTime<Utc>,
}

/// What is asked of each project.
#[derive(Clone, Copy)]
struct Ask {
    listing: &'static Listing,
    after: Option<DateTime<Utc>>,
    first: usize,
}

/// Reads what moved in those of the projects (Weir's ids) that were read to their beginning. Gives those that need not be
/// read on their own any more.
pub(crate) async fn together(
    engine: &Engine,
    listing: &'static Listing,
    projects: &[i64],
    stored: &[&Partition],
) -> Result<HashSet<i64>, Halt> {
    let mut due = due(engine, listing, projects, stored);
    // Alike beside alike: the earliest of a request counts for all of it.
    due.sort_by_key(|it| it.to);
    let (most, _) = size(listing);
    let moved = |some: &[Due]| {
        let from = some.iter().map(|it| it.to).min().unwrap_or_default();
        Ask { listing, after: Some(from - OVERLAP), first: size(listing).1 }
    };
    let asks = due.chunks(most).filter(|some| some.len() > 1).map(|some| ask(engine, moved(some), some));
    let done = all(engine, asks.collect()).await?;
    engine.store.confirm(engine.instance.0, listing.resource.name, &done, engine.started).await?;
    Ok(done.into_iter().collect())
}

/// Elements that come in one request at most, where projects are read to their beginning.
const FEW: usize = 100;

/// Reads projects (Weir's ids) that were never read and have few elements, as GitLab counts them. Gives those that are read.
pub(crate) async fn few(
    engine: &Engine,
    listing: &'static Listing,
    projects: &[(i64, i64)],
) -> Result<HashSet<i64>, Halt> {
    if !engine.capabilities.graphql || listing.query.is_none() {
        return Ok(HashSet::new());
    }
    let packs = packs(projects, size(listing).0);
    let asks: Vec<(Ask, Vec<Due>)> =
        packs.into_iter().map(|pack| first_time(engine, listing, &pack)).collect();
    let asks = asks.iter().map(|(of, some)| ask(engine, *of, some));
    Ok(all(engine, asks.collect()).await?.into_iter().collect())
}

/// Projects and their counts, as many together as fit into one request. One alone is as well read on its own.
fn packs(projects: &[(i64, i64)], most: usize) -> Vec<Vec<(i64, usize)>> {
    let mut packs: Vec<Vec<(i64, usize)>> = Vec::new();
    let mut sum = 0;
    for (project, count) in projects {
        let Some(count) = usize::try_from(*count).ok().filter(|it| (1..=FEW / 2).contains(it)) else {
            continue;
        };
        let fits = |pack: &Vec<(i64, usize)>| pack.len() < most && sum + count <= FEW;
        match packs.last_mut().filter(|it| fits(it)) {
            Some(pack) => {
                pack.push((*project, count));
                sum += count;
            }
            None => {
                packs.push(vec![(*project, count)]);
                sum = count;
            }
        }
    }
    packs.retain(|it| it.len() > 1);
    packs
}

fn first_time(engine: &Engine, listing: &'static Listing, pack: &[(i64, usize)]) -> (Ask, Vec<Due>) {
    let since = engine.options.scope.since;
    let due = |(project, _): &(i64, usize)| {
        let key = listing.keys(engine, *project).swap_remove(0);
        let stood = Partition::new(key);
        let partition = Partition { complete_from: since, whole: since.is_none(), ..stood.clone() };
        Due { project: *project, stood, partition, to: engine.started }
    };
    // One more may have come since they were counted.
    let first = pack.iter().map(|it| it.1).max().unwrap_or_default() + 1;
    (Ask { listing, after: since, first }, pack.iter().map(due).collect())
}

async fn all(
    engine: &Engine,
    asks: Vec<impl Future<Output = Result<Vec<i64>, Halt>>>,
) -> Result<Vec<i64>, Halt> {
    let workers = engine.options.workers.max(1);
    let done: Vec<Vec<i64>> = stream::iter(asks).buffer_unordered(workers).try_collect().await?;
    Ok(done.into_iter().flatten().collect())
}

/// Projects in a request, and elements of each: what GitLab's limit on complexity allows.
fn size(listing: &Listing) -> (usize, usize) {
    match listing.order {
        Order::UpdatedAt => (20, 10),
        // Each may bring a hundred jobs.
        Order::Id => (10, 5),
    }
}

fn due(engine: &Engine, listing: &Listing, projects: &[i64], stored: &[&Partition]) -> Vec<Due> {
    if !engine.capabilities.graphql || listing.query.is_none() {
        return Vec::new();
    }
    let wanted: HashSet<i64> = projects.iter().copied().collect();
    let readers = listing.readers(engine).len();
    let read = |it: &&Partition| it.whole && it.complete_to.is_some_and(|to| to < engine.started);
    let mut due = Vec::new();
    for parts in stored.chunk_by(|a, b| a.key.parent_id == b.key.parent_id) {
        let parts: Vec<&Partition> = parts.iter().copied().filter(read).collect();
        let to = parts.iter().filter_map(|it| it.complete_to).min();
        let by_graphql = parts.iter().find(|it| it.key.reader == "graphql");
        if let (Some(to), Some(partition)) = (to, by_graphql)
            && parts.len() == readers
            && wanted.contains(&partition.key.parent_id)
        {
            let stood: Partition = (*partition).clone();
            due.push(Due { project: stood.key.parent_id, partition: stood.clone(), stood, to });
        }
    }
    due
}

/// Asks about some projects. Gives those that are read; what GitLab does not answer whole is read on its own.
async fn ask(engine: &Engine, of: Ask, some: &[Due]) -> Result<Vec<i64>, Halt> {
    let Some(document) = of.listing.query else { return Ok(Vec::new()) };
    let query = engine.capabilities.fit(document);
    match engine.client.graphql(&query, &variables(engine, of, some)).await {
        Ok(answer) if answer.errors.is_empty() => write(engine, of.listing, some, &answer).await,
        _ => Ok(Vec::new()),
    }
}

fn variables(engine: &Engine, Ask { listing, after, first }: Ask, some: &[Due]) -> Value {
    let ids: Vec<String> =
        some.iter().map(|it| gid("Project", engine.instance.source_id(it.project))).collect();
    let mut variables = json!({
        "projects": ids.len(),
        "ids": ids,
        "first": first,
        "updatedAfter": after.map(|it| it.to_rfc3339_opts(SecondsFormat::Micros, true)),
    });
    for (name, value) in listing.variables {
        variables[*name] = json!(value);
    }
    if listing.order == Order::UpdatedAt {
        variables["sort"] = json!("UPDATED_ASC");
    }
    if let Some(source) = listing.source {
        variables["source"] = json!(source);
    }
    variables
}

async fn write(
    engine: &Engine,
    listing: &'static Listing,
    some: &[Due],
    answer: &GraphqlAnswer,
) -> Result<Vec<i64>, Halt> {
    let nodes = fetch::projects(&answer.body).ok().flatten().map(|it| it.nodes).unwrap_or_default();
    let mut done = Vec::new();
    for node in nodes {
        let Ok(ProjectNode { id, list: Some(list) }) = serde_json::from_str(node.get()) else { continue };
        let asked = some.iter().find(|it| engine.instance.source_id(it.project) == id.id);
        // It has moved, so nothing at all means that GitLab does not show it: who asks singly is told why.
        let fits = !list.nodes.is_empty() && list.is_whole() && !list.page_info.has_next_page;
        let Some(due) = asked.filter(|_| fits) else { continue };
        let walk = Walk { engine, lease: None, stood: Some(&due.stood), listing, project: id.id };
        let page = graphql::rows(&walk, answer, &list);
        let partition = Partition { complete_to: Some(engine.started), ..due.partition.clone() };
        let (rows, rejects, sent_at) = page.into_parts();
        match walk.write(Read { rows, rejects, sent_at, partition }).await {
            // Somebody else reads it, or has all of it read again: a unit of its own goes on from there.
            Err(Halt::Store(StoreError::CursorMoved)) => continue,
            written => written?,
        }
        // Then REST alone goes on from where it was.
        if !listing.both || rest_has_nothing_new(engine, due, &list).await? {
            done.push(due.project);
        }
    }
    Ok(done)
}

async fn rest_has_nothing_new(engine: &Engine, due: &Due, list: &Connection<'_>) -> Result<bool, Halt> {
    let since = due.to - OVERLAP;
    let endings: Vec<Ending> =
        list.nodes.iter().filter_map(|it| serde_json::from_str(it.get()).ok()).collect();
    if endings.len() < list.nodes.len() || !endings.iter().all(|it| it.tells_rest_nothing_new(since)) {
        return Ok(false);
    }
    let open = endings.iter().filter(|it| it.state == "opened");
    let open: Vec<i64> = open.map(|it| engine.instance.id(it.id.id)).collect();
    // GraphQL tells that it is open again; that nobody is said to have closed it any more only REST does.
    Ok(open.is_empty() || !engine.store.any_closed_by_somebody(due.project, &open).await?)
}

impl Ending {
    /// Whether a merge request ended before this time, or is open.
    fn tells_rest_nothing_new(&self, since: DateTime<Utc>) -> bool {
        match (self.state.as_str(), self.merged_at, self.closed_at) {
            ("opened", _, None) => true,
            ("merged", Some(at), _) | ("closed", _, Some(at)) => at < since,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &str) -> bool {
        let json = json.replacen('{', r#"{"id":"gid://gitlab/MergeRequest/1","#, 1);
        let ending: Ending = serde_json::from_str(&json).expect("JSON");
        ending.tells_rest_nothing_new(DateTime::from_timestamp(1_000, 0).expect("a time"))
    }

    #[test]
    fn rest_is_asked_about_what_ended() {
        assert!(told(r#"{"state":"opened","mergedAt":null,"closedAt":null}"#));
        assert!(!told(r#"{"state":"opened","mergedAt":null,"closedAt":"1970-01-01T00:00:01Z"}"#));
        assert!(told(r#"{"state":"merged","mergedAt":"1970-01-01T00:00:01Z","closedAt":null}"#));
        assert!(!told(r#"{"state":"merged","mergedAt":"1970-01-01T01:00:00Z","closedAt":null}"#));
        assert!(!told(r#"{"state":"locked","mergedAt":null,"closedAt":null}"#));
        assert!(!told(r#"{"state":"merged","mergedAt":null,"closedAt":null}"#));
    }

    #[test]
    fn projects_with_little_fill_a_request_and_those_with_much_are_left() {
        let packs = packs(&[(1, 40), (2, 40), (3, 0), (4, 30), (5, 51), (6, 50), (7, 1), (8, 50)], 20);
        assert_eq!(packs, [vec![(1, 40), (2, 40)], vec![(4, 30), (6, 50), (7, 1)]]);
        assert!(super::packs(&[(1, 5)], 20).is_empty(), "one alone");
        assert_eq!(super::packs(&[(1, 1), (2, 1), (3, 1), (4, 1)], 2).len(), 2);
    }
}
