//! The complete listings that every sync reads: labels, members and milestones of projects, members and labels of
//! groups. By GraphQL for a hundred parents in one request; by REST one list at a time.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::group_labels::GROUP_LABELS;
use catalogue::labels::LABELS;
use catalogue::members::{GROUP_MEMBERS, PROJECT_MEMBERS};
use catalogue::milestones::MILESTONES;
use catalogue::{
    Answer, Connection, Connector, Document, GROUP_DETAILS, Gid, Origin, PROJECT_DETAILS, Resource, Rows,
    Table, gid,
};
use catalogue::{group_labels, labels, members, milestones};
use chrono::{DateTime, SecondsFormat, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use store::Reject;

use crate::engine::{Engine, Halt};
use crate::fetch::{elements, list, read_all, request, whole};
use crate::standing::{Issues, MergeRequests, Pipelines, Standing};

/// Parents asked about in one request.
const PARENTS: usize = 100;
/// The role from which on GitLab shows everything that is imported.
const REPORTER: i64 = 20;
/// Nested lists of at most this length come along; longer ones are read by REST.
const NESTED: usize = 100;

/// One complete list below a parent.
struct ListKind {
    resource: &'static Resource,
    table: &'static Table,
    parent: &'static [&'static str],
}

static PROJECT_LISTS: [ListKind; 3] = [
    ListKind { resource: &LABELS, table: &labels::TABLE, parent: &["project_id"] },
    ListKind { resource: &PROJECT_MEMBERS, table: &members::PROJECT_TABLE, parent: &["project_id"] },
    ListKind { resource: &MILESTONES, table: &milestones::TABLE, parent: &["project_id"] },
];

static GROUP_LISTS: [ListKind; 2] = [
    ListKind { resource: &GROUP_MEMBERS, table: &members::GROUP_TABLE, parent: &["group_id"] },
    ListKind { resource: &GROUP_LABELS, table: &group_labels::TABLE, parent: &["group_id"] },
];

/// Either kind of parent.
#[derive(Clone, Copy)]
enum Parent {
    Group(i64),
    Project(i64),
}

impl Parent {
    fn origin(self, engine: &Engine) -> Origin {
        match self {
            Parent::Group(id) => engine.origin().group(id),
            Parent::Project(id) => engine.origin().project(id),
        }
    }

    fn source_id(self) -> i64 {
        match self {
            Parent::Group(id) | Parent::Project(id) => id,
        }
    }

    fn lists(self) -> &'static [ListKind] {
        match self {
            Parent::Group(_) => &GROUP_LISTS,
            Parent::Project(_) => &PROJECT_LISTS,
        }
    }
}

#[derive(Deserialize)]
struct Projects<'a> {
    #[serde(borrow)]
    projects: Option<Connection<'a>>,
}

#[derive(Deserialize)]
struct Groups<'a> {
    #[serde(borrow)]
    groups: Option<Connection<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProjectNode<'a> {
    id: Gid,
    #[serde(borrow)]
    labels: Option<Connection<'a>>,
    #[serde(borrow)]
    project_members: Option<Connection<'a>>,
    #[serde(borrow)]
    milestones: Option<Connection<'a>>,
    merge_requests: Option<Newest>,
    issues: Option<Newest>,
    #[serde(borrow)]
    pipelines: Option<Connection<'a>>,
    #[serde(borrow)]
    child_pipelines: Option<Connection<'a>>,
    statistics: Option<Statistics>,
    max_access_level: Option<AccessLevel>,
    pipeline_counts: Option<Counts>,
    child_pipeline_counts: Option<Counts>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccessLevel {
    integer_value: Option<i64>,
}

#[derive(Deserialize)]
struct Counts {
    running: Option<i64>,
}

/// Null below the role of a Reporter. GitLab counts in floating point.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statistics {
    commit_count: f64,
}

#[derive(Deserialize)]
struct Newest {
    count: i64,
    nodes: Vec<Option<Moved>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Moved {
    updated_at: DateTime<Utc>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupNode<'a> {
    id: Gid,
    #[serde(borrow)]
    group_members: Option<Connection<'a>>,
    #[serde(borrow)]
    labels: Option<Connection<'a>>,
    #[serde(borrow)]
    projects: Option<Connection<'a>>,
}

#[derive(Deserialize)]
struct ProjectId {
    id: Gid,
}

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
        let Ok(answer) = serde_json::from_slice::<Answer<Projects>>(&answer.body) else { continue };
        let Some(nodes) = answer.data.and_then(|it| whole(it.projects)) else { continue };
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

fn standing(node: &ProjectNode) -> Standing {
    let merge_requests =
        node.merge_requests.as_ref().map(|it| MergeRequests { total: it.count, newest: newest(&it.nodes) });
    let issues = node.issues.as_ref().map(|it| Issues { total: it.count, newest: newest(&it.nodes) });
    let any = |it: &Connection| !it.nodes.is_empty();
    let level = node.max_access_level.as_ref().and_then(|it| it.integer_value);
    let pipelines = node.pipelines.as_ref().map(|it| Pipelines {
        listed: any(it),
        children: node.child_pipelines.as_ref().is_some_and(any),
        doubtful: level.is_none_or(|it| it < REPORTER),
    });
    let counts = [&node.pipeline_counts, &node.child_pipeline_counts].into_iter().flatten();
    let running = counts.filter_map(|it| it.running).any(|it| it > 0);
    let commits = node.statistics.as_ref().map(|it| it.commit_count as i64);
    Standing { merge_requests, issues, pipelines, running, commits }
}

fn newest(nodes: &[Option<Moved>]) -> Option<DateTime<Utc>> {
    nodes.first().and_then(Option::as_ref).map(|it| it.updated_at)
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

/// Reads the nested lists of one parent. Gives those that did not fit or were not answered.
fn nested<'n>(
    engine: &Engine,
    parent: Parent,
    lists: &[&'n Option<Connection<'n>>],
    rows: &mut Rows,
    rejects: &mut Vec<Reject>,
) -> Vec<(Parent, &'static ListKind)> {
    let mut unfinished = Vec::new();
    for (kind, connection) in parent.lists().iter().zip(lists) {
        let fits = |it: &&Connection| it.is_whole() && !it.page_info.has_next_page;
        match connection.as_ref().filter(fits) {
            Some(connection) => {
                let found = connection.nodes.iter().copied();
                rejects.extend(read_list(engine, parent, kind, "graphql", found, rows));
            }
            None => unfinished.push((parent, kind)),
        }
    }
    unfinished
}

/// Reads one complete list into rows.
fn read_list<'e>(
    engine: &Engine,
    parent: Parent,
    kind: &'static ListKind,
    reader: &str,
    found: impl IntoIterator<Item = &'e RawValue>,
    rows: &mut Rows,
) -> Vec<Reject> {
    let Some(reader) = kind.resource.reader(reader) else { return Vec::new() };
    let origin = parent.origin(engine);
    let parent_id = engine.instance.id(parent.source_id());
    let rejects = read_all(kind.resource.name, reader, &origin, parent_id, found, rows);
    // An element that was not understood may be a row we hold: then nothing is known to be gone.
    if rejects.is_empty() {
        rows.complete(kind.table, kind.parent, &[parent_id]);
    }
    rejects
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

async fn one_by_one(engine: &Engine, parents: impl Iterator<Item = Parent>) -> Result<(), Halt> {
    if !engine.has(Connector::Gitlab) {
        return Ok(());
    }
    let lists = parents.flat_map(|parent| parent.lists().iter().map(move |kind| (parent, kind)));
    finish_lists(engine, lists.collect()).await
}

/// Reads lists by REST, each whole.
async fn finish_lists(engine: &Engine, lists: Vec<(Parent, &'static ListKind)>) -> Result<(), Halt> {
    let reads = stream::iter(lists).map(|(parent, kind)| rest_list(engine, parent, kind));
    reads.buffer_unordered(engine.options.workers.max(1)).try_collect::<()>().await
}

async fn rest_list(engine: &Engine, parent: Parent, kind: &'static ListKind) -> Result<(), Halt> {
    let parent_id = engine.instance.id(parent.source_id());
    if engine.options.job_token {
        engine.skip(kind.resource.name, parent_id, "job_token", "A job token may not read this list.");
        return Ok(());
    }
    if engine.refused_lately(kind.resource.name, parent_id) {
        return Ok(());
    }
    let reader = kind.resource.reader("rest");
    let Some(request) = reader.and_then(|it| request(it, &[parent.source_id()])) else { return Ok(()) };
    let listing = match list(&engine.client, request).await {
        Ok(listing) => listing,
        Err(error) => {
            return match engine.halt(&error, kind.resource.name, parent_id) {
                Halt::Skipped => Ok(()),
                Halt::Later(detail) => {
                    engine.skip(kind.resource.name, parent_id, "unavailable", detail);
                    Ok(())
                }
                halt => Err(halt),
            };
        }
    };
    let mut rows = Rows::default();
    let found = listing.pages.iter().flat_map(|it| elements(&it.body));
    let rejects = read_list(engine, parent, kind, "rest", found, &mut rows);
    // What carries labels and milestones follows them.
    let listed = [parent_id];
    let carried = |name: &str| if kind.resource.name == name { &listed[..] } else { &[] };
    let (label_projects, milestone_projects) = (carried("labels"), carried("milestones"));
    engine
        .write(&store::Page {
            rejects: &rejects,
            label_projects,
            milestone_projects,
            ..engine.page(&rows, listing.sent_at)
        })
        .await?;
    Ok(())
}
