//! What GitLab has: every merge request of a project with its count of comments, and how many of everything else.

use std::collections::BTreeMap;

use catalogue::issues::ISSUES;
use catalogue::merge_requests::MERGE_REQUESTS;
use catalogue::pipelines::{CHILD_PIPELINES, PIPELINES};
use catalogue::{Connector, Gid, PROOF_QUERY, PageInfo, Resource, gid};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::engine::{Engine, Halt};
use crate::fetch::{self, list, request};
use crate::policy::{Decision, decide};
use crate::sight::Found;
use crate::trunk::heads::Repository;

/// Merge requests in one page.
const PER_PAGE: usize = 100;

/// What GitLab has of one project; none of what it did not tell whole.
#[derive(Debug, Default)]
pub(super) struct Theirs {
    /// Its merge requests by number.
    pub(super) merge_requests: Option<BTreeMap<i64, Listed>>,
    /// What it counts, by the name of the resource.
    pub(super) counts: BTreeMap<&'static str, Told>,
    /// How many commits the default branch has.
    pub(super) commits: Option<i64>,
    /// Where it ends.
    pub(super) head: Option<String>,
}

/// A merge request as GitLab lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    /// How many comments GitLab counts.
    pub(super) comments: i64,
    /// When it last moved.
    pub(super) updated_at: DateTime<Utc>,
}

/// A count, with as much beside it as GitLab told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// How many.
    pub(super) total: i64,
    /// How many of them are open.
    pub(super) open: Option<i64>,
    /// The newest: an issue by its number, a pipeline by its id; 0 where there is none.
    pub(super) newest: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProjectNode {
    id: Gid,
    merge_requests: Option<Counted<MergeRequest>>,
    issues: Option<Newest>,
    open_issues: Option<Total>,
    pipelines: Option<Newest>,
    child_pipelines: Option<Newest>,
    statistics: Option<Statistics>,
    repository: Option<Repository>,
}

/// How many there are, newest first, of which one is told.
#[derive(Deserialize)]
pub(super) struct Newest {
    count: i64,
    nodes: Vec<Option<Name>>,
}

/// A pipeline by its id, an issue by its number.
#[derive(Deserialize)]
struct Name {
    id: Option<Gid>,
    iid: Option<String>,
}

impl Newest {
    /// What it tells, with how many of them are open.
    pub(super) fn told(&self, open: Option<&Total>) -> Told {
        let name = |it: &Name| it.iid.as_ref().map_or(it.id.as_ref().map(|it| it.id), |it| it.parse().ok());
        let newest = self.nodes.first().and_then(Option::as_ref).and_then(name);
        let newest = if self.count == 0 { Some(0) } else { newest };
        Told { total: self.count, open: open.map(|it| it.count), newest }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statistics {
    commit_count: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counted<T> {
    page_info: PageInfo,
    nodes: Vec<Option<T>>,
}

#[derive(Deserialize)]
pub(super) struct Total {
    count: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MergeRequest {
    iid: String,
    updated_at: DateTime<Utc>,
    user_notes_count: Option<i64>,
}

/// Asks about some projects as each of some users, until one is told of all. Gives with each who was told most.
pub(super) async fn ask_as(
    users: &[Engine],
    projects: &[Found],
) -> Result<BTreeMap<i64, (usize, Theirs)>, Halt> {
    let mut told: BTreeMap<i64, (usize, Theirs)> = BTreeMap::new();
    for (at, user) in users.iter().enumerate() {
        let whole =
            |it: &Found| told.get(&it.source_id).is_some_and(|(_, theirs)| theirs.are_whole(user, it));
        let left: Vec<Found> = projects.iter().filter(|it| !whole(it)).cloned().collect();
        if left.is_empty() {
            break;
        }
        for (project, theirs) in ask(user, &left).await? {
            if told.get(&project).is_none_or(|(_, before)| theirs.tells() > before.tells()) {
                told.insert(project, (at, theirs));
            }
        }
    }
    Ok(told)
}

impl Theirs {
    /// What of it was told, the most important first.
    fn tells(&self) -> (bool, bool) {
        (self.merge_requests.is_some(), self.commits.is_some())
    }

    /// Whether all was told that is to be compared. REST is asked for merge requests alone.
    fn are_whole(&self, engine: &Engine, project: &Found) -> bool {
        let (listed, counted) = self.tells();
        let trunk = engine.has(Connector::GitlabCommitsTrunk) && engine.capabilities.graphql;
        (listed || !engine.has(Connector::Gitlab) || project.merge_requests_off)
            && (counted || !trunk || project.repository_off)
    }
}

/// Asks about some projects. One that GitLab does not answer whole is left out.
async fn ask(engine: &Engine, projects: &[Found]) -> Result<BTreeMap<i64, Theirs>, Halt> {
    let mut told = BTreeMap::new();
    if !engine.capabilities.graphql {
        for project in projects {
            told.insert(project.source_id, by_rest(engine, project).await?);
        }
        return Ok(told);
    }
    let ids: Vec<i64> = projects.iter().map(|it| it.source_id).collect();
    let mut todo = vec![(ids, None::<String>)];
    while let Some((some, after)) = todo.pop() {
        match page(engine, &some, after.as_deref()).await? {
            // Access was lost in between: what came so far is a list cut short.
            Some(nodes) if after.is_some() && !nodes.iter().any(|it| it.id.id == some[0]) => {
                told.remove(&some[0]);
            }
            Some(nodes) => {
                for node in nodes {
                    let (project, more) = (node.id.id, take(&mut told, node));
                    todo.extend(more.map(|cursor| (vec![project], Some(cursor))));
                }
            }
            None if some.len() > 1 => {
                todo.extend(some.chunks(some.len().div_ceil(2)).map(|it| (it.to_vec(), None)));
            }
            None => drop(told.remove(&some[0])),
        }
    }
    Ok(told)
}

async fn page(
    engine: &Engine,
    projects: &[i64],
    after: Option<&str>,
) -> Result<Option<Vec<ProjectNode>>, Halt> {
    // What is not paged was told with the first page.
    let asked = |it| engine.has(it) && (after.is_none() || it == Connector::Gitlab);
    let query = engine.capabilities.fit_for(&PROOF_QUERY, asked);
    let ids: Vec<String> = projects.iter().map(|it| gid("Project", *it)).collect();
    let variables = json!({ "ids": ids, "projects": ids.len(), "first": PER_PAGE, "after": after });
    match engine.client.graphql(&query, &variables).await {
        Ok(answer) if answer.errors.is_empty() => {
            let nodes = fetch::projects(&answer.body).ok().flatten().map(|it| it.nodes);
            let read = |nodes: Vec<&serde_json::value::RawValue>| {
                nodes.iter().map(|it| serde_json::from_str(it.get()).ok()).collect::<Option<Vec<_>>>()
            };
            Ok(nodes.and_then(read))
        }
        Ok(_) => Ok(None),
        Err(error) => unanswered(engine, &error),
    }
}

/// Takes in a page. Gives the cursor of the next one.
fn take(told: &mut BTreeMap<i64, Theirs>, node: ProjectNode) -> Option<String> {
    let theirs = told.entry(node.id.id).or_default();
    theirs.counts.extend(node.pipelines.map(|it| (PIPELINES.name, it.told(None))));
    theirs.counts.extend(node.child_pipelines.map(|it| (CHILD_PIPELINES.name, it.told(None))));
    theirs.counts.extend(node.issues.map(|it| (ISSUES.name, it.told(node.open_issues.as_ref()))));
    theirs.commits = theirs.commits.or(node.statistics.map(|it| it.commit_count as i64));
    theirs.head = theirs.head.take().or(node.repository.and_then(Repository::head));
    let Some((some, PageInfo { has_next_page, end_cursor, .. })) = node.merge_requests.and_then(whole) else {
        // A listing with a hole, or one that ends without its end mark, proves nothing; reading on would not mend it.
        theirs.merge_requests = None;
        return None;
    };
    theirs.merge_requests.get_or_insert_default().extend(some);
    end_cursor.filter(|_| has_next_page)
}

/// A page of merge requests by number, where all of it was answered and it says how to go on.
fn whole(list: Counted<MergeRequest>) -> Option<(Vec<(i64, Listed)>, PageInfo)> {
    let listed = |it: Option<MergeRequest>| {
        let it = it?;
        let comments = it.user_notes_count.unwrap_or_default();
        Some((it.iid.parse().ok()?, Listed { comments, updated_at: it.updated_at }))
    };
    let some = list.nodes.into_iter().map(listed).collect::<Option<Vec<_>>>()?;
    let goes_on = !list.page_info.has_next_page || list.page_info.end_cursor.is_some();
    goes_on.then_some((some, list.page_info))
}

#[derive(Deserialize)]
struct RestMergeRequest {
    iid: i64,
    updated_at: DateTime<Utc>,
    #[serde(default)]
    user_notes_count: i64,
}

async fn by_rest(engine: &Engine, project: &Found) -> Result<Theirs, Halt> {
    let mut theirs = Theirs::default();
    if engine.has(Connector::Gitlab) && !project.merge_requests_off {
        let all = whole_list::<RestMergeRequest>(engine, &MERGE_REQUESTS, project).await?;
        let listed =
            |it: &RestMergeRequest| Listed { comments: it.user_notes_count, updated_at: it.updated_at };
        theirs.merge_requests = all.map(|it| it.iter().map(|it| (it.iid, listed(it))).collect());
    }
    Ok(theirs)
}

/// A listing read to its end; none where GitLab did not answer all of it.
async fn whole_list<T: DeserializeOwned>(
    engine: &Engine,
    resource: &'static Resource,
    project: &Found,
) -> Result<Option<Vec<T>>, Halt> {
    let Some(request) = resource.reader("rest").and_then(|it| request(it, &[project.source_id])) else {
        return Ok(None);
    };
    // In an order that does not move; what is created meanwhile comes at the end.
    let request = request.query("order_by", "created_at").query("sort", "asc");
    match list(&engine.client, request).await {
        Ok(listing) => {
            let Ok(found) = listing.elements() else { return Ok(None) };
            Ok(found.iter().map(|it| serde_json::from_str(it.get()).ok()).collect())
        }
        Err(error) => unanswered(engine, &error),
    }
}

/// What is refused here is not kept as a refusal: nothing but the proof was asked for.
fn unanswered<T>(engine: &Engine, error: &gitlab_client::Error) -> Result<Option<T>, Halt> {
    match decide(error) {
        Decision::Later | Decision::Skip(_) => Ok(None),
        Decision::StopCredentials | Decision::StopLimited => Err(engine.halt(error, MERGE_REQUESTS.name, 0)),
    }
}
