//! Pages of a listing by GraphQL, with everything that hangs on their elements.

use std::collections::BTreeSet;
use std::time::Instant;

use catalogue::{Connection, Gid, PageInfo, Rows, gid};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use gitlab_client::GraphqlAnswer;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use store::Partition;

use super::{Order, Read, Walk};
use crate::engine::Halt;
use crate::fetch::{self, read_all};
use crate::policy::{Decision, decide};

/// A project, and the one list that was asked for.
#[derive(Deserialize)]
struct ProjectNode<'a> {
    #[serde(borrow, alias = "mergeRequests", alias = "issues", alias = "pipelines")]
    list: Option<Connection<'a>>,
}

#[derive(Deserialize)]
struct Head {
    id: Gid,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Moved {
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// Where a walk is, and which way it goes.
#[derive(Clone, Default)]
pub(super) struct Window {
    pub(super) after: Option<String>,
    pub(super) updated_after: Option<DateTime<Utc>>,
    pub(super) updated_before: Option<DateTime<Utc>>,
    /// These and no others, by their numbers within the project.
    pub(super) iids: Option<Vec<i64>>,
    /// Where GitLab lets the order be chosen.
    pub(super) sort: Option<&'static str>,
}

/// A page as answered, and what it says about the next one.
pub(super) struct Fetched {
    rows: Rows,
    rejects: Vec<store::Reject>,
    sent_at: DateTime<Utc>,
    info: PageInfo,
    /// GitLab's ids of its elements, where single ones are read again.
    ids: Vec<i64>,
    /// `updated_at` of its last element, or `created_at` where the list is in order of numbers.
    last: Option<DateTime<Utc>>,
}

impl Fetched {
    /// What is written of it.
    pub(super) fn into_parts(self) -> (Rows, Vec<store::Reject>, DateTime<Utc>) {
        (self.rows, self.rejects, self.sent_at)
    }
}

pub(super) async fn forward(
    walk: &Walk<'_>,
    partition: &mut Partition,
    from: DateTime<Utc>,
) -> Result<(), Halt> {
    let by_time = walk.listing.order == Order::UpdatedAt;
    let sort = by_time.then_some("UPDATED_ASC");
    let window = Window { after: None, updated_after: Some(from), updated_before: None, sort, iids: None };
    let started = walk.engine.started;
    follow(walk, partition, window, |partition, page| {
        let reached = match page.info.has_next_page {
            false => Some(started),
            // In order of numbers nothing is complete before the end.
            true => page.last.filter(|_| by_time).map(|it| it.min(started)),
        };
        partition.complete_to = partition.complete_to.max(reached);
        page.info.has_next_page
    })
    .await
    .map(drop)
}

pub(super) async fn back(walk: &Walk<'_>, partition: &mut Partition) -> Result<bool, Halt> {
    let (started, since) = (walk.engine.started, walk.engine.options.scope.since);
    // The cursor goes on exactly; without one the second it ended in is read again.
    let by_time = walk.listing.order == Order::UpdatedAt;
    let before = partition.complete_from.filter(|_| partition.backfill_cursor.is_none() && by_time);
    let window = Window {
        after: partition.backfill_cursor.clone(),
        updated_after: since,
        updated_before: before.map(|it| it + TimeDelta::seconds(1)),
        sort: by_time.then_some("UPDATED_DESC"),
        iids: None,
    };
    follow(walk, partition, window, |partition, page| {
        partition.complete_to = partition.complete_to.or(Some(started));
        partition.complete_from = page.last.or(partition.complete_from);
        if page.info.has_next_page {
            partition.backfill_cursor.clone_from(&page.info.end_cursor);
            return !walk.pauses(partition);
        }
        partition.backfill_cursor = None;
        match since {
            Some(since) => partition.complete_from = Some(since),
            None => partition.whole = true,
        }
        false
    })
    .await
}

/// Follows a window page by page. The next page is fetched while the one before is written. Gives whether the end of
/// the window was reached.
async fn follow(
    walk: &Walk<'_>,
    partition: &mut Partition,
    mut window: Window,
    mut advance: impl FnMut(&mut Partition, &Fetched) -> bool,
) -> Result<bool, Halt> {
    let mut page = fetch(walk, &window).await?;
    loop {
        walk.stopped()?;
        let more = advance(partition, &page);
        let ended = !page.info.has_next_page;
        window.after.clone_from(&page.info.end_cursor);
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
        let (written, next) = tokio::join!(walk.write(read), fetch(walk, &window));
        written?;
        page = next?;
    }
}

/// Fetches a page; one that GitLab cannot answer whole is asked for again at half the size.
async fn fetch(walk: &Walk<'_>, window: &Window) -> Result<Fetched, Halt> {
    let engine = walk.engine;
    let document = walk.listing.query.expect("a listing without a query has no reader of GraphQL");
    let query = engine.capabilities.fit(document);
    let sizes = engine.sizes.of(document);
    let mut size = sizes.now();
    let (mut client, mut tried) = (engine.client.clone(), Vec::new());
    loop {
        let asked = Instant::now();
        let problem = match client.graphql(&query, &variables(walk, window, size)).await {
            Ok(answer) => match understand(walk, &answer) {
                Ok(page) => {
                    sizes.went_well(size, asked.elapsed());
                    return Ok(page);
                }
                Err(Misread::NotWhole(problem)) => problem,
                Err(Misread::Unseen(reason, detail)) => {
                    tried.push(answer.credential.clone());
                    // Another user may see it.
                    client =
                        engine.client.of_another_user(&tried).ok_or_else(|| unseen(walk, reason, &detail))?;
                    continue;
                }
            },
            Err(error) if decide(&error) == Decision::Later => error.to_string(),
            Err(error) => return Err(walk.halt(&error)),
        };
        tracing::debug!(query = document.name, size, problem, "a page was not answered whole");
        size = sizes.failed(size).ok_or(Halt::Later(problem))?;
    }
}

fn variables(walk: &Walk<'_>, window: &Window, first: usize) -> Value {
    let time = |it: Option<DateTime<Utc>>| it.map(|it| it.to_rfc3339_opts(SecondsFormat::Micros, true));
    let mut variables = json!({
        "ids": [gid("Project", walk.project)],
        "first": first,
        "after": window.after,
        "updatedAfter": time(window.updated_after),
        "updatedBefore": time(window.updated_before),
    });
    for (name, value) in walk.listing.variables {
        variables[*name] = json!(value);
    }
    if let Some(sort) = window.sort {
        variables["sort"] = json!(sort);
    }
    if let Some(iids) = &window.iids {
        variables["iids"] = json!(iids.iter().map(i64::to_string).collect::<Vec<_>>());
    }
    if let Some(source) = walk.listing.source {
        variables["source"] = json!(source);
    }
    variables
}

/// Reads a window to its end and writes it, without moving a cursor. Gives GitLab's ids of what was met.
pub(super) async fn read_again(walk: &Walk<'_>, mut window: Window) -> Result<BTreeSet<i64>, Halt> {
    let mut met = BTreeSet::new();
    loop {
        let page = fetch(walk, &window).await?;
        met.extend(&page.ids);
        let engine = walk.engine;
        engine
            .write(&store::Page { rejects: &page.rejects, ..engine.page(&page.rows, page.sent_at) })
            .await?;
        if !page.info.has_next_page {
            return Ok(met);
        }
        window.after = page.info.end_cursor;
    }
}

/// Why an answer is no page.
enum Misread {
    /// What was missing.
    NotWhole(String),
    /// The token may not see it: the reason in one word, and in a sentence.
    Unseen(&'static str, String),
}

/// A partial answer never passes as complete.
fn understand(walk: &Walk<'_>, answer: &GraphqlAnswer) -> Result<Fetched, Misread> {
    let not_whole = |why: &str| Err(Misread::NotWhole(why.to_owned()));
    if let Some(error) = answer.errors.first() {
        return not_whole(&error.message);
    }
    let projects = match fetch::projects(&answer.body) {
        Ok(Some(projects)) => projects,
        Ok(None) => return not_whole("no data"),
        Err(error) => return not_whole(&error.to_string()),
    };
    let Some(node) = projects.nodes.first() else {
        let detail = "GitLab does not show the project to this token.";
        return Err(Misread::Unseen("not_found_or_no_access", detail.to_owned()));
    };
    let node: ProjectNode = match serde_json::from_str(node.get()) {
        Ok(node) => node,
        Err(error) => return not_whole(&error.to_string()),
    };
    let Some(list) = node.list else {
        let what = walk.listing.resource.name.replace('_', " ");
        let detail = format!("The token may not read this project's {what}.");
        return Err(Misread::Unseen("forbidden", detail));
    };
    if !list.is_whole() {
        return not_whole("GitLab left elements unanswered");
    }
    if list.page_info.has_next_page && list.page_info.end_cursor.is_none() {
        return not_whole("GitLab did not say where the next page begins");
    }
    Ok(rows(walk, answer, &list))
}

fn unseen(walk: &Walk<'_>, reason: &str, detail: &str) -> Halt {
    walk.engine.skip(walk.listing.resource.name, walk.parent_id(), reason, detail);
    Halt::Skipped
}

pub(super) fn rows(walk: &Walk<'_>, answer: &GraphqlAnswer, list: &Connection) -> Fetched {
    let origin = walk.engine.origin().project(walk.project);
    let mut rows = Rows::default();
    let resource = walk.listing.resource;
    let found = list.nodes.iter().copied();
    let rejects = resource
        .reader("graphql")
        .map(|reader| read_all(resource.name, reader, &origin, walk.parent_id(), found, &mut rows));
    let id = |node: &&RawValue| Some(serde_json::from_str::<Head>(node.get()).ok()?.id.id);
    let ids = match walk.lease {
        Some(_) => Vec::new(),
        None => list.nodes.iter().filter_map(id).collect(),
    };
    let last = list.nodes.last().and_then(|it| serde_json::from_str::<Moved>(it.get()).ok());
    let by_time = walk.listing.order == Order::UpdatedAt;
    Fetched {
        rows,
        rejects: rejects.unwrap_or_default(),
        sent_at: answer.sent_at,
        info: list.page_info.clone(),
        ids,
        last: last.map(|it| if by_time { it.updated_at } else { it.created_at }),
    }
}
