//! One thing read again now: a project, a merge request, a pipeline or a job, by its address, and what that changed.

mod target;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use catalogue::pipelines::PIPELINE as PIPELINE_ALONE;
use catalogue::{List, Pending, Rows};
use gitlab_client::{Answer, Client, Request};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use store::{Handle, MERGE_REQUEST, PIPELINE, SnapshotRow};

use crate::ending::failure;
use crate::engine::{Engine, Halt, Options, Stop};
use crate::fetch::read_all;
use crate::run::engine;
use crate::sight::Sight;
use crate::{
    Failure, Outcome, Progress, details, discovery, listing, merge_requests, pending, users, verify,
};

pub use target::{Part, Target};

/// A field that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The table.
    pub table: String,
    /// What identifies the row in it.
    pub key: String,
    /// The column; none where the row came or went as a whole.
    pub column: Option<String>,
    /// What it was; null for a row that came.
    pub before: Value,
    /// What it is; null for a row that went.
    pub after: Value,
}

/// Columns that say when Weir read, not what GitLab says.
const OURS: [&str; 1] = ["synced_at"];

/// Reads the target again.
pub async fn refresh(
    client: Client,
    store: impl Into<Handle>,
    options: Options,
    target: Target,
) -> (Outcome, Vec<Change>) {
    let store = store.into();
    let began = Instant::now();
    let connectors = options.connectors.iter().map(|it| it.name().to_owned()).collect();
    let mut outcome = Outcome { connectors, ..Outcome::default() };
    let changes = match attend(&client, &store, options, &target, &mut outcome).await {
        Ok(changes) => changes,
        Err(halt) => {
            outcome.error = Some(failure(halt));
            Vec::new()
        }
    };
    outcome.ok = outcome.error.is_none();
    let usage = client.usage();
    outcome.requests = usage.requests;
    outcome.bytes = usage.bytes;
    outcome.waited_seconds = usage.waited.as_secs_f64();
    outcome.duration_seconds = began.elapsed().as_secs_f64();
    (outcome, changes)
}

async fn attend(
    client: &Client,
    store: &Handle,
    options: Options,
    target: &Target,
    outcome: &mut Outcome,
) -> Result<Vec<Change>, Halt> {
    let row = store.instance(client.base_url().as_str()).await?;
    let engine =
        engine(client, store, &options, &row, None, Arc::<Progress>::default(), Stop::default()).await?;
    let changes = read(&engine, target).await;
    outcome.skips = engine.tally.skips();
    for (table, counts) in engine.tally.tables() {
        outcome.resources.insert(table, counts);
    }
    changes
}

async fn read(engine: &Engine, target: &Target) -> Result<Vec<Change>, Halt> {
    let project = project(engine, &target.project).await?;
    let weirs = engine.instance.id(project);
    match target.part {
        Part::Project => {
            let before = engine.store.snapshot_project(weirs).await?;
            let path = &target.project;
            look_at(engine, path).await?;
            details::projects(engine, &[(project, None)]).await?;
            Ok(changes(before, engine.store.snapshot_project(weirs).await?))
        }
        Part::MergeRequest(iid) => {
            let id = engine.store.merge_request_id(weirs, iid).await?;
            let before = snapshot(engine, MERGE_REQUEST, weirs, id).await?;
            let met = listing::by_iids(engine, &merge_requests::LISTING, project, &[iid]).await?;
            let Some(source) = met.into_iter().next() else {
                return Err(gone(&format!("merge request !{iid}")));
            };
            settle(engine, project).await?;
            let after = snapshot(engine, MERGE_REQUEST, weirs, Some(engine.instance.id(source))).await?;
            Ok(changes(before, after))
        }
        Part::Pipeline(id) => pipeline(engine, project, id).await,
        Part::Job(id) => {
            let request = Request::new("projects/{project}/jobs/{job}").value(project).value(id);
            let answer = get(engine, &request, &format!("job {id}")).await?;
            let job: Job = parse(&answer)?;
            pipeline(engine, project, job.pipeline.id).await
        }
    }
}

#[derive(Deserialize)]
struct Job {
    pipeline: Head,
}

#[derive(Deserialize)]
struct Head {
    id: i64,
    #[serde(default)]
    iid: i64,
}

async fn pipeline(engine: &Engine, project: i64, id: i64) -> Result<Vec<Change>, Halt> {
    let (weirs, own) = (engine.instance.id(project), engine.instance.id(id));
    let before = snapshot(engine, PIPELINE, weirs, Some(own)).await?;
    read_pipeline(engine, project, id).await?;
    settle(engine, project).await?;
    Ok(changes(before, snapshot(engine, PIPELINE, weirs, Some(own)).await?))
}

/// Reads a pipeline of a project (GitLab's ids) and leaves its jobs pending.
pub(crate) async fn read_pipeline(engine: &Engine, project: i64, id: i64) -> Result<(), Halt> {
    let weirs = engine.instance.id(project);
    let request = Request::new("projects/{project}/pipelines/{pipeline}").value(project).value(id);
    let answer = get(engine, &request, &format!("pipeline {id}")).await?;
    let head: Head = parse(&answer)?;
    let mut rows = Rows::default();
    let element: Option<&RawValue> = serde_json::from_slice(&answer.body).ok();
    let origin = engine.origin().project(project);
    let rejects =
        read_all(PIPELINE_ALONE.name, &PIPELINE_ALONE.readers[0], &origin, weirs, element, &mut rows);
    rows.pending.push(Pending { list: List::Jobs, project, parent: id, iid: head.iid });
    engine.write(&store::Page { rejects: &rejects, ..engine.page(&rows, answer.sent_at) }).await?;
    Ok(())
}

/// GitLab's id of the project, which may have been renamed.
async fn project(engine: &Engine, path: &str) -> Result<i64, Halt> {
    let answer =
        get(engine, &Request::new("projects/{project}").value(path), &format!("project {path}")).await?;
    Ok(parse::<Head>(&answer)?.id)
}

async fn look_at(engine: &Engine, path: &str) -> Result<(), Halt> {
    let looked = discovery::look_at(engine, path, &mut Sight::default()).await?;
    looked.map_err(|error| Halt::Failed(verify::failure(&error, engine.client.base_url(), None)))
}

async fn get(engine: &Engine, request: &Request, what: &str) -> Result<Answer, Halt> {
    engine.client.get(request).await.map_err(|error| match error.kind {
        gitlab_client::ErrorKind::NotFound => gone(what),
        _ => Halt::Failed(verify::failure(&error, engine.client.base_url(), None)),
    })
}

fn parse<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T, Halt> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        Halt::Failed(Failure::new(
            "failed",
            "unreadable",
            format!("GitLab's answer was not understood: {error}."),
        ))
    })
}

fn gone(what: &str) -> Halt {
    let message = format!(
        "GitLab shows no {what} to this token: it was deleted, or the token may not see it. What is stored was left as it is; weir sync --sweep finds what was deleted."
    );
    Halt::Failed(Failure::new("failed", "not_found_or_no_access", message))
}

/// Reads the lists that were left of a project (GitLab's id), and people met for the first time.
pub(crate) async fn settle(engine: &Engine, project: i64) -> Result<(), Halt> {
    let owner = format!("{}refresh-{}", engine.store.owner_prefix(), std::process::id());
    while pending::some(engine, &owner, Some(project)).await? {}
    users::complete(engine).await
}

async fn snapshot(
    engine: &Engine,
    fact: store::Fact,
    project: i64,
    id: Option<i64>,
) -> Result<Vec<SnapshotRow>, Halt> {
    match id {
        Some(id) => Ok(engine.store.snapshot(fact, project, id).await?),
        None => Ok(Vec::new()),
    }
}

/// What differs, field by field; a row that is marked as gone counts as gone.
fn changes(before: Vec<SnapshotRow>, after: Vec<SnapshotRow>) -> Vec<Change> {
    let keyed = |rows: Vec<SnapshotRow>| -> BTreeMap<(String, String), Map<String, Value>> {
        let live = rows.into_iter().filter(|it| it.row.get("deleted_at").is_none_or(Value::is_null));
        live.map(|it| ((it.table, it.key), it.row)).collect()
    };
    let (before, after) = (keyed(before), keyed(after));
    let mut changes = Vec::new();
    for ((table, key), row) in &after {
        match before.get(&(table.clone(), key.clone())) {
            Some(old) => changes.extend(fields(table, key, old, row)),
            None => changes.push(whole(table, key, Value::Null, Value::Object(row.clone()))),
        }
    }
    let went = before.iter().filter(|(key, _)| !after.contains_key(*key));
    changes
        .extend(went.map(|((table, key), row)| whole(table, key, Value::Object(row.clone()), Value::Null)));
    changes
}

fn fields(table: &str, key: &str, old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Change> {
    let null = Value::Null;
    let change = |(column, after): (&String, &Value)| {
        let before = old.get(column).unwrap_or(&null);
        (before != after && !OURS.contains(&column.as_str())).then(|| Change {
            table: table.to_owned(),
            key: key.to_owned(),
            column: Some(column.clone()),
            before: before.clone(),
            after: after.clone(),
        })
    };
    new.iter().filter_map(change).collect()
}

fn whole(table: &str, key: &str, before: Value, after: Value) -> Change {
    Change { table: table.to_owned(), key: key.to_owned(), column: None, before, after }
}
