//! What GitLab has: every merge request of a project with its count of comments, and how many pipelines.

use std::collections::BTreeMap;

use catalogue::merge_requests::MERGE_REQUESTS;
use catalogue::pipelines::{CHILD_PIPELINES, PIPELINES};
use catalogue::{Answer, Connection, Connector, Gid, PROOF_QUERY, PageInfo, Resource, gid};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::engine::{Engine, Halt};
use crate::fetch::{elements, list, request};
use crate::policy::{Decision, decide};
use crate::sight::Found;

/// Merge requests in one page.
const PER_PAGE: usize = 100;

/// What GitLab has of one project; none of what it did not tell whole.
#[derive(Debug, Default)]
pub(super) struct Theirs {
    /// Each merge request's number, and how many comments GitLab counts.
    pub(super) merge_requests: Option<BTreeMap<i64, i64>>,
    pub(super) pipelines: Option<i64>,
    pub(super) children: Option<i64>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    projects: Option<Connection<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProjectNode {
    id: Gid,
    merge_requests: Option<Counted<MergeRequest>>,
    pipelines: Option<Total>,
    child_pipelines: Option<Total>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counted<T> {
    page_info: PageInfo,
    nodes: Vec<Option<T>>,
}

#[derive(Deserialize)]
struct Total {
    count: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MergeRequest {
    iid: String,
    user_notes_count: Option<i64>,
}

/// Asks about some projects. One that GitLab does not answer whole is left out.
pub(super) async fn ask(engine: &Engine, projects: &[Found]) -> Result<BTreeMap<i64, Theirs>, Halt> {
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
    let query = engine.capabilities.fit_for(&PROOF_QUERY, |it| engine.has(it));
    let ids: Vec<String> = projects.iter().map(|it| gid("Project", *it)).collect();
    let variables = json!({ "ids": ids, "projects": ids.len(), "first": PER_PAGE, "after": after });
    match engine.client.graphql(&query, &variables).await {
        Ok(answer) if answer.errors.is_empty() => {
            let parsed: Option<Answer<Data>> = serde_json::from_slice(&answer.body).ok();
            let nodes = parsed.and_then(|it| it.data).and_then(|it| it.projects).map(|it| it.nodes);
            let read = |nodes: Vec<&serde_json::value::RawValue>| {
                nodes.iter().map(|it| serde_json::from_str(it.get()).ok()).collect::<Option<Vec<_>>>()
            };
            Ok(nodes.and_then(read))
        }
        Ok(_) => Ok(None),
        Err(error) if decide(&error) == Decision::Later => Ok(None),
        Err(error) => match engine.halt(&error, MERGE_REQUESTS.name, 0) {
            Halt::Skipped => Ok(None),
            halt => Err(halt),
        },
    }
}

/// Takes in a page. Gives the cursor of the next one.
fn take(told: &mut BTreeMap<i64, Theirs>, node: ProjectNode) -> Option<String> {
    let theirs = told.entry(node.id.id).or_default();
    theirs.pipelines = node.pipelines.map(|it| it.count);
    theirs.children = node.child_pipelines.map(|it| it.count);
    let list = node.merge_requests?;
    let all = theirs.merge_requests.get_or_insert_default();
    let whole = list.nodes.iter().all(Option::is_some);
    for it in list.nodes.into_iter().flatten() {
        all.extend(it.iid.parse().ok().map(|iid: i64| (iid, it.user_notes_count.unwrap_or_default())));
    }
    if !whole {
        // A listing with a hole proves nothing, and reading on would not fill it.
        theirs.merge_requests = None;
        return None;
    }
    list.page_info.end_cursor.filter(|_| list.page_info.has_next_page)
}

#[derive(Deserialize)]
struct RestMergeRequest {
    iid: i64,
    #[serde(default)]
    user_notes_count: i64,
}

async fn by_rest(engine: &Engine, project: &Found) -> Result<Theirs, Halt> {
    let mut theirs = Theirs::default();
    if engine.has(Connector::Gitlab) && !project.merge_requests_off {
        let all = whole_list::<RestMergeRequest>(engine, &MERGE_REQUESTS, project).await?;
        theirs.merge_requests =
            all.map(|it| it.into_iter().map(|it| (it.iid, it.user_notes_count)).collect());
    }
    if engine.has(Connector::GitlabPipelines) && !project.builds_off {
        theirs.pipelines = total(engine, &PIPELINES, project).await?;
        theirs.children = total(engine, &CHILD_PIPELINES, project).await?;
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
            let found = listing.pages.iter().flat_map(|it| elements(&it.body));
            Ok(found.map(|it| serde_json::from_str(it.get()).ok()).collect())
        }
        Err(error) => unanswered(engine, resource, project, &error),
    }
}

/// How many there are by GitLab's own count, which it does not tell above 10,000.
async fn total(engine: &Engine, resource: &'static Resource, project: &Found) -> Result<Option<i64>, Halt> {
    let Some(request) = resource.reader("rest").and_then(|it| request(it, &[project.source_id])) else {
        return Ok(None);
    };
    match engine.client.get(&request.query("per_page", 1)).await {
        Ok(answer) => Ok(answer.total.and_then(|it| i64::try_from(it).ok())),
        Err(error) => unanswered(engine, resource, project, &error),
    }
}

fn unanswered<T>(
    engine: &Engine,
    resource: &Resource,
    project: &Found,
    error: &gitlab_client::Error,
) -> Result<Option<T>, Halt> {
    match engine.halt(error, resource.name, engine.instance.id(project.source_id)) {
        Halt::Skipped | Halt::Later(_) => Ok(None),
        halt => Err(halt),
    }
}
