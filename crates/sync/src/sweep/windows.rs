//! GitLab's counts within windows of time.

use catalogue::{Document, gid};
use chrono::{DateTime, SecondsFormat, SubsecRound, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;
use store::Stored;

use super::counted::Kind;
use super::theirs::{self, Newest, Total};
use crate::engine::{Engine, Halt};
use crate::fetch::{self, request};
use crate::listing;

/// From a moment to before another.
pub(super) type Window = (DateTime<Utc>, DateTime<Utc>);

/// What GitLab told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Count(theirs::Told),
    /// More than it counts: smaller windows can be counted.
    TooMany,
    Nothing,
}

/// How many there are within a window, where need be by counting smaller ones. None where GitLab does not tell.
pub(super) async fn total(
    engine: &Engine,
    project: i64,
    kind: &Kind,
    window: Window,
) -> Result<Option<i64>, Halt> {
    let mut total = 0;
    let mut windows = vec![window];
    while let Some(window) = windows.pop() {
        match count(engine, project, kind, window).await {
            Told::Count(count) => total += count.total,
            Told::Nothing => return Ok(None),
            Told::TooMany => {
                let stored =
                    engine.store.stored_within(kind.stored, engine.instance.id(project), window).await?;
                let Some(middle) = middle(&stored, window) else { return Ok(None) };
                windows.extend([(window.0, middle), (middle, window.1)]);
            }
        }
    }
    Ok(Some(total))
}

/// The second in the middle of what is stored; none where it does not cut the window.
pub(super) fn middle(stored: &[Stored], window: Window) -> Option<DateTime<Utc>> {
    let middle = stored.get(stored.len() / 2)?.moved_at.trunc_subsecs(0);
    let middle = if middle > window.0 { middle } else { middle + TimeDelta::seconds(1) };
    (middle > window.0 && middle < window.1).then_some(middle)
}

/// How many GitLab counts within a window.
pub(super) async fn count(engine: &Engine, project: i64, kind: &Kind, window: Window) -> Told {
    match kind.query.filter(|_| engine.capabilities.graphql) {
        Some(query) => by_graphql(engine, query, kind, project, window).await,
        None => by_rest(engine, kind, project, window).await,
    }
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A window ends just before its end.
fn bounds((from, to): Window) -> (String, String) {
    (text(from), text(to - TimeDelta::microseconds(1)))
}

async fn by_rest(engine: &Engine, kind: &Kind, project: i64, window: Window) -> Told {
    let reader = kind.listing.resource.reader("rest");
    let Some(request) = reader.and_then(|it| request(it, &[project])) else { return Told::Nothing };
    let (after, before) = bounds(window);
    let request = request.query("updated_after", after).query("updated_before", before);
    let request = listing::paired_order(kind.listing, request);
    match engine.client.get(&request.query("per_page", 1)).await {
        Ok(answer) => {
            let total = answer.total.and_then(|it| i64::try_from(it).ok());
            let told = |total| theirs::Told { total, ..theirs::Told::default() };
            total.map(told).map_or(Told::TooMany, Told::Count)
        }
        Err(_) => Told::Nothing,
    }
}

#[derive(Deserialize)]
struct ProjectNode {
    #[serde(alias = "pipelines", alias = "issues")]
    list: Option<Newest>,
    open: Option<Total>,
}

async fn by_graphql(engine: &Engine, query: &Document, kind: &Kind, project: i64, window: Window) -> Told {
    let (after, before) = bounds(window);
    let variables = json!({
        "ids": [gid("Project", project)], "updatedAfter": after, "updatedBefore": before,
        "source": kind.listing.source,
    });
    let answer = engine.client.graphql(&query.whole(), &variables).await.ok();
    let told = answer.filter(|it| it.errors.is_empty()).and_then(|it| {
        let projects = fetch::projects(&it.body).ok()??;
        let node: ProjectNode = serde_json::from_str(projects.nodes.first()?.get()).ok()?;
        Some(Told::Count(node.list?.told(node.open.as_ref())))
    });
    told.unwrap_or(Told::Nothing)
}
