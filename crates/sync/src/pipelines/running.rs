//! Running pipelines: a job that begins or ends within them does not move their `updated_at`, so they are read again in
//! every sync until they end. One that has ended meanwhile has moved, and its listing brings it.

use catalogue::pipelines::{CHILD_SOURCE, PIPELINES, RUNNING_PIPELINES_QUERY};
use catalogue::{Connection, Gid, List, Pending, Rows, gid};
use futures::{StreamExt, TryStreamExt, stream};
use gitlab_client::GraphqlAnswer;
use serde::Deserialize;
use serde_json::json;

use super::JOBS;
use crate::engine::{Engine, Halt};
use crate::fetch::{self, read_all, whole};
use crate::open_set::together;
use crate::policy::{Decision, decide};

/// Pipelines asked about in one request, each with its jobs.
const TOGETHER: i64 = 20;

#[derive(Deserialize)]
struct ProjectNode<'a> {
    id: Gid,
    #[serde(borrow)]
    pipelines: Option<Connection<'a>>,
}

/// Reads the running pipelines of projects again. `projects` are Weir's ids.
pub(crate) async fn check(engine: &Engine, projects: &[i64]) -> Result<(), Halt> {
    if !engine.capabilities.graphql {
        return leave_pending(engine, projects).await;
    }
    for source in [None, Some(CHILD_SOURCE)] {
        let running = engine.store.running_pipelines(projects, source.is_some()).await?;
        let asks = stream::iter(together(&running, TOGETHER)).map(|some| ask(engine, some, source));
        asks.buffer_unordered(engine.options.workers.max(1)).try_collect::<()>().await?;
    }
    Ok(())
}

/// Asks about some projects, page by page; halves them when GitLab cannot answer.
async fn ask(engine: &Engine, projects: Vec<i64>, source: Option<&str>) -> Result<(), Halt> {
    let query = engine.capabilities.fit(&RUNNING_PIPELINES_QUERY);
    let mut todo = vec![(projects, None::<String>)];
    while let Some((some, after)) = todo.pop() {
        let ids: Vec<String> = some.iter().map(|it| gid("Project", engine.instance.source_id(*it))).collect();
        // Only one project can be paged at a time: a cursor belongs to one list.
        let variables = json!({
            "ids": ids, "projects": ids.len(), "first": TOGETHER, "after": after, "source": source, "jobs": JOBS,
        });
        let problem = match engine.client.graphql(&query, &variables).await {
            Ok(answer) if answer.errors.is_empty() => {
                let more = write(engine, &answer).await?;
                todo.extend(more.into_iter().map(|(project, cursor)| (vec![project], Some(cursor))));
                continue;
            }
            Ok(answer) => answer.errors[0].message.clone(),
            Err(error) if decide(&error) == Decision::Later => error.to_string(),
            Err(error) => match engine.halt(&error, PIPELINES.name, 0) {
                Halt::Skipped => continue,
                halt => return Err(halt),
            },
        };
        match some.len() {
            1 => return leave_pending(engine, &some).await,
            _ => {
                tracing::debug!(problem, "running pipelines were not answered whole");
                todo.extend(some.chunks(some.len().div_ceil(2)).map(|it| (it.to_vec(), None)));
            }
        }
    }
    Ok(())
}

/// Writes an answer. Gives the projects that have more.
async fn write(engine: &Engine, answer: &GraphqlAnswer) -> Result<Vec<(i64, String)>, Halt> {
    let unreadable = |it: serde_json::Error| Halt::Later(it.to_string());
    let Some(projects) = whole(fetch::projects(&answer.body).map_err(unreadable)?) else {
        return Err(Halt::Later("GitLab left projects unanswered".to_owned()));
    };
    let mut more = Vec::new();
    let mut rows = Rows::default();
    let mut rejects = Vec::new();
    for node in &projects.nodes {
        let node: ProjectNode = serde_json::from_str(node.get()).map_err(unreadable)?;
        let Some(list) = whole(node.pipelines) else { continue };
        let (origin, parent) = (engine.origin().project(node.id.id), engine.instance.id(node.id.id));
        let found = list.nodes.iter().copied();
        rejects.extend(read_all(PIPELINES.name, &PIPELINES.readers[0], &origin, parent, found, &mut rows));
        let cursor = list.page_info.end_cursor.filter(|_| list.page_info.has_next_page);
        more.extend(cursor.map(|cursor| (parent, cursor)));
    }
    engine.write(&store::Page { rejects: &rejects, ..engine.page(&rows, answer.sent_at) }).await?;
    Ok(more)
}

/// By REST every running pipeline is read singly.
async fn leave_pending(engine: &Engine, projects: &[i64]) -> Result<(), Halt> {
    let mut rows = Rows::default();
    for (project, id, iid) in engine.store.stored_running(projects).await? {
        let (project, parent) = (engine.instance.source_id(project), engine.instance.source_id(id));
        for list in [List::Pipeline, List::Jobs] {
            rows.pending.push(Pending { list, project, parent, iid });
        }
    }
    engine.write(&engine.page(&rows, engine.now())).await?;
    Ok(())
}
