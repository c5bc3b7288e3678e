//! What changes without moving `updated_at`: approvals and reviewer states of open merge requests, read in every sync,
//! and their approval rules where these are asked for.

use std::collections::{BTreeMap, HashSet};

use catalogue::merge_request_commits::Head as CommitHead;
use catalogue::merge_requests::{OPEN_MERGE_REQUESTS_QUERY, read_open};
use catalogue::{Connection, Connector, Gid, List, Pending, Rows, gid};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::commits::heads::{self, Heads};
use crate::engine::{Engine, Halt};
use crate::fetch::{self, whole};
use crate::plan::ReadBefore;
use crate::policy::{Decision, decide};

/// Open merge requests asked about in one request: two requests that follow each other hold more than this together.
const TOGETHER: i64 = 100;
/// Projects asked about in one request.
const PROJECTS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProjectNode<'a> {
    id: Gid,
    #[serde(borrow)]
    merge_requests: Option<Connection<'a>>,
}

/// What every element begins with.
#[derive(Deserialize)]
struct Head {
    id: Gid,
}

/// Checks the open merge requests of projects that were read before, by each connector those it has stored.
pub(crate) async fn check(engine: &Engine, before: &ReadBefore) -> Result<(), Halt> {
    let open = engine.store.open_merge_requests(&before.merge_requests).await?;
    let heads = engine.store.open_heads(&before.commits).await?;
    if engine.capabilities.graphql {
        let mut either: BTreeMap<i64, i64> = open.into_iter().collect();
        for (project, count) in heads {
            let most = either.entry(project).or_default();
            *most = count.max(*most);
        }
        let open: Vec<(i64, i64)> = either.into_iter().collect();
        let asks = stream::iter(together(&open, TOGETHER)).map(|some| ask(engine, some));
        asks.buffer_unordered(engine.options.workers.max(1)).try_collect::<()>().await
    } else {
        for (project, _) in open {
            leave_pending(engine, project).await?;
        }
        let checks = stream::iter(heads).map(|(project, _)| heads::check(engine, project));
        checks.buffer_unordered(engine.options.workers.max(1)).try_collect::<()>().await
    }
}

/// Packs projects, each with how many elements it has, so that a request holds about `most` of them.
pub(crate) fn together(open: &[(i64, i64)], most: i64) -> Vec<Vec<i64>> {
    let mut packs: Vec<Vec<i64>> = Vec::new();
    let mut held = most;
    for (project, count) in open {
        match packs.last_mut() {
            Some(pack) if held + count <= most && pack.len() < PROJECTS => {
                pack.push(*project);
                held += count;
            }
            _ => {
                packs.push(vec![*project]);
                held = *count;
            }
        }
    }
    packs
}

/// Asks about some projects, page by page; halves them when GitLab cannot answer.
async fn ask(engine: &Engine, projects: Vec<i64>) -> Result<(), Halt> {
    let mut todo = vec![(projects, None::<String>)];
    while let Some((some, after)) = todo.pop() {
        let ids: Vec<String> = some.iter().map(|it| gid("Project", engine.instance.source_id(*it))).collect();
        // Only one project can be paged at a time: a cursor belongs to one list.
        let variables = json!({
            "ids": ids, "projects": ids.len(), "first": 100, "after": after, "state": "opened",
        });
        let query = engine.capabilities.fit_for(&OPEN_MERGE_REQUESTS_QUERY, |it| engine.has(it));
        let answer = match engine.client.graphql(&query, &variables).await {
            Ok(answer) if answer.errors.is_empty() => answer,
            Err(error) if decide(&error) != Decision::Later => match engine.halt(&error, "merge_requests", 0)
            {
                Halt::Skipped => continue,
                halt => return Err(halt),
            },
            Ok(_) | Err(_) if some.len() > 1 => {
                todo.extend(some.chunks(some.len().div_ceil(2)).map(|it| (it.to_vec(), None)));
                continue;
            }
            Ok(_) => return Err(Halt::Later("GitLab did not answer for the open merge requests".to_owned())),
            Err(error) => return Err(Halt::Later(error.to_string())),
        };
        let pages = write(engine, &answer).await?;
        todo.extend(pages.into_iter().map(|(project, cursor)| (vec![project], Some(cursor))));
    }
    Ok(())
}

/// Writes an answer. Gives the projects that have more.
async fn write(engine: &Engine, answer: &gitlab_client::GraphqlAnswer) -> Result<Vec<(i64, String)>, Halt> {
    let unreadable = |it: serde_json::Error| Halt::Later(it.to_string());
    let Some(projects) = whole(fetch::projects(&answer.body).map_err(unreadable)?) else {
        return Err(Halt::Later("GitLab left projects unanswered".to_owned()));
    };
    let mut more = Vec::new();
    let mut rows = Rows::default();
    let ids = ids(engine, &projects);
    let known = known(engine, &ids).await?;
    let mut heads = Heads::load(engine, &ids).await?;
    for node in &projects.nodes {
        let node: ProjectNode = serde_json::from_str(node.get()).map_err(unreadable)?;
        let Some(list) = whole(node.merge_requests) else { continue };
        let origin = engine.origin().project(node.id.id);
        for element in &list.nodes {
            let head: Head = serde_json::from_str(element.get()).map_err(unreadable)?;
            // One that was opened a moment ago is read by the next way forward, with everything that hangs on it.
            if known.contains(&engine.instance.id(head.id.id)) {
                read_open(&origin, element.get(), &mut rows).map_err(unreadable)?;
            }
            let head = CommitHead::from_graphql(element.get()).map_err(unreadable)?;
            heads.compare(&origin, &head, &mut rows);
        }
        let cursor = list.page_info.end_cursor.filter(|_| list.page_info.has_next_page);
        more.extend(cursor.map(|cursor| (engine.instance.id(node.id.id), cursor)));
    }
    engine.write(&engine.page(&rows, answer.sent_at)).await?;
    Ok(more)
}

/// The projects in an answer (Weir's ids).
fn ids(engine: &Engine, projects: &Connection<'_>) -> Vec<i64> {
    let id =
        |node: &&RawValue| Some(engine.instance.id(serde_json::from_str::<Head>(node.get()).ok()?.id.id));
    projects.nodes.iter().filter_map(id).collect()
}

/// The open merge requests that are stored, of some projects.
async fn known(engine: &Engine, ids: &[i64]) -> Result<HashSet<i64>, Halt> {
    if !engine.has(Connector::Gitlab) {
        return Ok(HashSet::new());
    }
    Ok(engine.store.stored_open(ids).await?.into_iter().map(|(_, id, _)| id).collect())
}

/// By REST every open merge request's approvals, reviewers and rules are read singly.
async fn leave_pending(engine: &Engine, project: i64) -> Result<(), Halt> {
    let source = engine.instance.source_id(project);
    let mut rows = Rows::default();
    let rules = engine.approval_rules.then_some(List::ApprovalRules);
    for (_, id, iid) in engine.store.stored_open(&[project]).await? {
        for list in [List::Approvals, List::Reviewers].into_iter().chain(rules) {
            rows.pending.push(Pending { list, project: source, parent: engine.instance.source_id(id), iid });
        }
    }
    engine.write(&engine.page(&rows, engine.now())).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::together;

    #[test]
    fn projects_are_packed_up_to_a_hundred_open_merge_requests() {
        let open = [(1, 60), (2, 40), (3, 1), (4, 300), (5, 1)];
        assert_eq!(together(&open, 100), [vec![1, 2], vec![3], vec![4], vec![5]]);
    }
}
