//! The complete listings that every sync reads: labels, members and milestones of projects, members and labels of
//! groups. By GraphQL for a hundred parents in one request; by REST one list at a time.

mod lists;
mod nodes;

use std::collections::{BTreeMap, BTreeSet};

use catalogue::{Answer, Connector, Document, GROUP_DETAILS, PROJECT_DETAILS, Rows, gid};
use chrono::{DateTime, SecondsFormat, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;

use crate::engine::{Engine, Halt};
use crate::fetch::{self, whole};
use crate::standing::Standing;
use lists::{Parent, finish_lists, nested, one_by_one};
use nodes::{GroupNode, Groups, ProjectId, ProjectNode, standing};

/// Parents asked about in one request.
const PARENTS: usize = 100;
/// Nested lists of at most this length come along; longer ones are read by REST.
const NESTED: usize = 100;

/// Reads members and labels of groups. Gives the projects that GitLab lists directly in them (GitLab's ids).
pub(crate) async fn groups(engine: &Engine, groups: &[i64]) -> Result<BTreeSet<i64>, Halt> {
    let mut direct = BTreeSet::new();
    let mut singly: Vec<i64> = Vec::new();
    if !engine.has(Connector::Gitlab) {
        return Ok(direct);
    }
    for some in groups.chunks(PARENTS) {
        if engine.capabilities.graphql {
            let (projects, left) = group_batch(engine, some).await?;
            direct.extend(projects);
            singly.extend(left);
        } else {
            singly.extend(some);
        }
    }
    one_by_one(engine, singly.into_iter().map(Parent::Group)).await?;
    Ok(direct)
}

/// Projects, and since when their pipelines are asked for; none for those that were never read.
pub(crate) type Since = Option<DateTime<Utc>>;

/// Reads labels, members and milestones of projects (GitLab's ids). Gives how the projects stand where GraphQL told.
pub(crate) async fn projects(
    engine: &Engine,
    projects: &[(i64, Since)],
) -> Result<BTreeMap<i64, Standing>, Halt> {
    let mut standings = BTreeMap::new();
    let mut singly: Vec<i64> = Vec::new();
    let batches = stream::iter(batches(projects)).map(|(some, since)| async move {
        if engine.capabilities.graphql {
            project_batch(engine, &some, since).await
        } else {
            Ok((BTreeMap::new(), some))
        }
    });
    let batches: Vec<_> = batches.buffer_unordered(engine.options.workers.max(1)).try_collect().await?;
    for (some, left) in batches {
        standings.extend(some);
        singly.extend(left);
    }
    one_by_one(engine, singly.into_iter().map(Parent::Project)).await?;
    Ok(standings)
}

/// Packs projects for one request each. Those that were never read are asked apart: a request has one moment since when
/// it asks.
fn batches(projects: &[(i64, Since)]) -> Vec<(Vec<i64>, Since)> {
    let (known, fresh): (Vec<_>, Vec<_>) = projects.iter().copied().partition(|(_, since)| since.is_some());
    let packs = known.chunks(PARENTS).chain(fresh.chunks(PARENTS));
    let pack = |some: &[(i64, Since)]| {
        (some.iter().map(|it| it.0).collect(), some.iter().filter_map(|it| it.1).min())
    };
    packs.map(pack).collect()
}

/// What a batch answered, and the parents it left out or could not answer.
type Batch<T> = (T, Vec<i64>);

async fn project_batch(
    engine: &Engine,
    projects: &[i64],
    since: Since,
) -> Result<Batch<BTreeMap<i64, Standing>>, Halt> {
    let mut standings = BTreeMap::new();
    let mut left: BTreeSet<i64> = projects.iter().copied().collect();
    for (answer, sent_at) in ask(engine, &PROJECT_DETAILS, "Project", projects, since).await? {
        let Some(nodes) = fetch::projects(&answer.body).ok().and_then(whole) else { continue };
        for some in nodes.nodes.chunks(20) {
            let read: Vec<ProjectNode> =
                some.iter().filter_map(|it| serde_json::from_str(it.get()).ok()).collect();
            for node in &read {
                left.remove(&node.id.id);
                standings.insert(node.id.id, standing(node));
            }
            write_projects(engine, &read, sent_at).await?;
        }
    }
    Ok((standings, left.into_iter().collect()))
}

async fn write_projects(
    engine: &Engine,
    nodes: &[ProjectNode<'_>],
    sent_at: DateTime<Utc>,
) -> Result<(), Halt> {
    if !engine.has(Connector::Gitlab) {
        return Ok(());
    }
    let mut rows = Rows::default();
    let mut rejects = Vec::new();
    let mut unfinished = Vec::new();
    for node in nodes {
        let parent = Parent::Project(node.id.id);
        let lists = [&node.labels, &node.project_members, &node.milestones];
        unfinished.extend(nested(engine, parent, &lists, &mut rows, &mut rejects));
    }
    let ids: Vec<i64> = nodes.iter().map(|it| engine.instance.id(it.id.id)).collect();
    let page = store::Page {
        rejects: &rejects,
        label_projects: &ids,
        milestone_projects: &ids,
        ..engine.page(&rows, sent_at)
    };
    engine.write(&page).await?;
    finish_lists(engine, unfinished).await
}

async fn group_batch(engine: &Engine, groups: &[i64]) -> Result<Batch<BTreeSet<i64>>, Halt> {
    let mut direct = BTreeSet::new();
    let mut left: BTreeSet<i64> = groups.iter().copied().collect();
    for (answer, sent_at) in ask(engine, &GROUP_DETAILS, "Group", groups, None).await? {
        let Ok(answer) = serde_json::from_slice::<Answer<Groups>>(&answer.body) else { continue };
        let Some(nodes) = answer.data.and_then(|it| whole(it.groups)) else { continue };
        let mut rows = Rows::default();
        let mut rejects = Vec::new();
        let mut unfinished = Vec::new();
        for node in nodes.nodes.iter().filter_map(|it| serde_json::from_str::<GroupNode>(it.get()).ok()) {
            left.remove(&node.id.id);
            let lists = [&node.group_members, &node.labels];
            unfinished.extend(nested(engine, Parent::Group(node.id.id), &lists, &mut rows, &mut rejects));
            let projects = node.projects.iter().flat_map(|it| &it.nodes);
            direct.extend(
                projects.filter_map(|it| Some(serde_json::from_str::<ProjectId>(it.get()).ok()?.id.id)),
            );
        }
        engine.write(&store::Page { rejects: &rejects, ..engine.page(&rows, sent_at) }).await?;
        finish_lists(engine, unfinished).await?;
    }
    Ok((direct, left.into_iter().collect()))
}

/// Asks about a batch of parents; halves it when GitLab cannot answer.
async fn ask(
    engine: &Engine,
    document: &'static Document,
    kind: &str,
    parents: &[i64],
    since: Since,
) -> Result<Vec<(gitlab_client::GraphqlAnswer, DateTime<Utc>)>, Halt> {
    let query = engine.capabilities.fit_for(document, |it| engine.has(it));
    let since = since.map(|it| it.to_rfc3339_opts(SecondsFormat::Micros, true));
    let mut todo = vec![parents.to_vec()];
    let mut answers = Vec::new();
    while let Some(some) = todo.pop() {
        let ids: Vec<String> = some.iter().map(|it| gid(kind, *it)).collect();
        let variables = json!({ "ids": ids, "first": ids.len(), "lists": NESTED, "since": since });
        match engine.client.graphql(&query, &variables).await {
            Ok(answer) if answer.errors.is_empty() && answer.has_data => {
                let sent_at = answer.sent_at;
                answers.push((answer, sent_at));
            }
            Ok(_) if some.len() > 1 => todo.extend(some.chunks(some.len().div_ceil(2)).map(<[i64]>::to_vec)),
            Err(error)
                if crate::policy::decide(&error) == crate::policy::Decision::Later && some.len() > 1 =>
            {
                todo.extend(some.chunks(some.len().div_ceil(2)).map(<[i64]>::to_vec));
            }
            // What is not answered is read by REST.
            Ok(_) => {}
            Err(error) => match engine.halt(&error, "details", 0) {
                Halt::Later(_) | Halt::Skipped => {}
                halt => return Err(halt),
            },
        }
    }
    Ok(answers)
}
