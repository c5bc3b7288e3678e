//! Lists of merge requests, issues, pipelines and deployments that are read on their own: what did not fit into a page, and everything REST reads singly.

mod graphql;

use std::collections::BTreeMap;

use catalogue::approval_rules::APPROVAL_RULES;
use catalogue::approvals::APPROVALS;
use catalogue::deployment_merge_requests::DEPLOYMENT_MERGE_REQUESTS;
use catalogue::jobs::{BRIDGES, JOBS};
use catalogue::merge_request_commits::COMMITS_OF_MERGE_REQUEST;
use catalogue::notes::NOTES;
use catalogue::pipelines::PIPELINE;
use catalogue::reviewers::REVIEWERS;
use catalogue::{
    Below, Connector, List, Origin, Pending, Reader, Rows, deployment_merge_requests, issues, merge_requests,
    pipelines,
};
use chrono::{DateTime, Utc};
use gitlab_client::ErrorKind;
use serde_json::value::RawValue;
use store::{PendingRow, Reject};

use crate::engine::{Engine, Halt};
use crate::fetch::{list, read_all, request};

/// Lists taken at once by one worker.
const TAKEN: i64 = 12;
/// A list that failed so often is left for the next sync.
const ATTEMPTS: i32 = 5;

/// Rows of a list, and when it was asked for.
struct Read {
    rows: Rows,
    rejects: Vec<Reject>,
    sent_at: DateTime<Utc>,
}

/// Reads some of the lists that are pending, of one project (GitLab's id) or of all. Gives whether there were any.
pub(crate) async fn some(engine: &Engine, owner: &str, project: Option<i64>) -> Result<bool, Halt> {
    let lists = engine.lists();
    let taken = engine.store.claim_pending(engine.instance.0, owner, TAKEN, &lists, project).await?;
    let mut by_parent: BTreeMap<(Below, i64), Vec<PendingRow>> = BTreeMap::new();
    for row in taken {
        let parent = (row.pending.list.below(), row.pending.parent);
        by_parent.entry(parent).or_default().push(row);
    }
    let found = !by_parent.is_empty();
    // Together, because one long list would keep the others waiting.
    let reads = by_parent.values().map(|lists| one(engine, lists));
    futures::future::try_join_all(reads).await?;
    Ok(found)
}

/// Reads the lists of one parent together and writes them in one transaction.
async fn one(engine: &Engine, lists: &[PendingRow]) -> Result<(), Halt> {
    let reads = futures::future::join_all(lists.iter().map(|it| read(engine, &it.pending))).await;
    let mut done = Vec::new();
    let mut oldest = None;
    let mut all = Rows::default();
    let mut rejects = Vec::new();
    for (row, read) in lists.iter().zip(reads) {
        match read {
            Ok(Some(read)) => {
                oldest = oldest.into_iter().chain([read.sent_at]).min();
                merge(&mut all, read.rows);
                rejects.extend(read.rejects);
                done.push(row.clone());
            }
            Ok(None) => engine.store.drop_pending(engine.instance.0, row).await?,
            Err(Halt::Later(detail)) => later(engine, row, detail).await?,
            Err(halt) => return Err(halt),
        }
    }
    let Some(sent_at) = oldest else { return Ok(()) };
    let instance = engine.instance;
    let pending = &lists[0].pending;
    // Reviews hang on what this connector reads of merge requests.
    let reviewed = |it: &PendingRow| {
        it.pending.list.below() == Below::MergeRequest && it.pending.list.connector() == Connector::Gitlab
    };
    if lists.iter().any(reviewed) {
        all.touched.push((instance.id(pending.project), instance.id(pending.parent)));
    }
    engine.write(&store::Page { done: &done, rejects: &rejects, ..engine.page(&all, sent_at) }).await?;
    Ok(())
}

fn merge(into: &mut Rows, mut more: Rows) {
    into.batches.append(&mut more.batches);
    into.complete.append(&mut more.complete);
    into.touched_pipelines.append(&mut more.touched_pipelines);
}

/// A list that cannot be read now is tried again; after some failures it is left, and said.
async fn later(engine: &Engine, row: &PendingRow, detail: String) -> Result<(), Halt> {
    engine.store.fail_pending(engine.instance.0, &row.pending).await?;
    if row.attempts + 1 >= ATTEMPTS {
        let what = match row.pending.list.below() {
            Below::MergeRequest => "Merge request !",
            Below::Issue => "Issue #",
            Below::Pipeline => "Pipeline #",
            Below::Deployment => "Deployment #",
        };
        let message = format!("{what}{} of project {}: {detail}", row.pending.iid, row.pending.project);
        return Err(Halt::Later(message));
    }
    Ok(())
}

/// Reads one list whole. None when it cannot be read at all; the reason is noted.
async fn read(engine: &Engine, pending: &Pending) -> Result<Option<Read>, Halt> {
    if engine.capabilities.graphql && offered(engine, pending.list) {
        return graphql::read(engine, pending).await;
    }
    match pending.list {
        List::Notes => notes(engine, pending).await,
        List::Approvals => object(engine, pending, &APPROVALS.readers[0]).await,
        List::ApprovalRules => object(engine, pending, &APPROVAL_RULES.readers[0]).await,
        List::Reviewers => rest(engine, pending, &REVIEWERS.readers[0]).await,
        List::Jobs => jobs(engine, pending).await,
        List::Pipeline => object(engine, pending, &PIPELINE.readers[0]).await,
        List::DeploymentMergeRequests => deployment_merge_requests(engine, pending).await,
        List::Commits => rest(engine, pending, &COMMITS_OF_MERGE_REQUEST.readers[0]).await,
        // They come with the merge request or the issue itself.
        List::Labels | List::Assignees | List::IssueLabels | List::IssueAssignees => Ok(None),
    }
}

/// Whether this GitLab's GraphQL has the list.
fn offered(engine: &Engine, list: List) -> bool {
    match list {
        List::Approvals => engine.capabilities.has("MergeRequest", "approvedBy"),
        List::Reviewers => engine.capabilities.has("UserMergeRequestInteraction", "reviewState"),
        List::Notes | List::Labels | List::Assignees | List::Jobs => true,
        // GraphQL shows an empty list to those who may not read the code.
        List::Commits => false,
        List::IssueLabels | List::IssueAssignees => true,
        // The page of pipelines has told it all.
        List::Pipeline => false,
        // It has them, and takes seconds for each.
        List::ApprovalRules => false,
        // It answers deployments for one project in a request.
        List::DeploymentMergeRequests => false,
    }
}

fn below(engine: &Engine, pending: &Pending) -> Origin {
    let project = engine.origin().project(pending.project);
    match pending.list.below() {
        Below::MergeRequest => project.merge_request(pending.parent),
        Below::Issue => project.issue(pending.parent),
        Below::Pipeline => project.pipeline(pending.parent),
        Below::Deployment => project.deployment(pending.parent),
    }
}

/// The numbers in the path of a request: GitLab names a merge request by its iid, the others by their id.
fn path(pending: &Pending) -> [i64; 2] {
    [pending.project, if pending.list.below() == Below::MergeRequest { pending.iid } else { pending.parent }]
}

fn complete(engine: &Engine, pending: &Pending, rows: &mut Rows) {
    let parent = [engine.instance.id(pending.project), engine.instance.id(pending.parent)];
    let columns = match pending.list.below() {
        Below::MergeRequest => merge_requests::PARENT,
        Below::Issue => issues::PARENT,
        Below::Pipeline => pipelines::PARENT,
        Below::Deployment => deployment_merge_requests::PARENT,
    };
    rows.complete(pending.list.table(), columns, &parent);
}

/// Where they were refused lately, not one request goes out for each deployment of the project.
async fn deployment_merge_requests(engine: &Engine, pending: &Pending) -> Result<Option<Read>, Halt> {
    let resource = &DEPLOYMENT_MERGE_REQUESTS;
    match engine.refused_lately(resource.name, engine.instance.id(pending.project)) {
        true => Ok(None),
        false => rest(engine, pending, &resource.readers[0]).await,
    }
}

/// Jobs and bridges fill one table: the list is whole only with both.
async fn jobs(engine: &Engine, pending: &Pending) -> Result<Option<Read>, Halt> {
    let (jobs, bridges) = tokio::join!(
        elements_of(engine, pending, &JOBS.readers[0]),
        elements_of(engine, pending, &BRIDGES.readers[0])
    );
    let (Some(mut read), Some(bridges)) = (jobs?, bridges?) else { return Ok(None) };
    merge(&mut read.rows, bridges.rows);
    read.rejects.extend(bridges.rejects);
    read.sent_at = read.sent_at.min(bridges.sent_at);
    if read.rejects.is_empty() {
        complete(engine, pending, &mut read.rows);
    }
    Ok(Some(read))
}

/// Discussions carry the thread; where they are not to be had, the flat list still has the notes.
async fn notes(engine: &Engine, pending: &Pending) -> Result<Option<Read>, Halt> {
    let (threads, flat) = (&NOTES.readers[0], &NOTES.readers[2]);
    let request = request(threads, &path(pending));
    let Some(request) = request.filter(|_| !engine.options.job_token) else {
        return rest(engine, pending, flat).await;
    };
    match list(&engine.client, request).await {
        Ok(listing) => {
            let mut read = rows_of(engine, pending, threads, &listing)?;
            if read.rejects.is_empty() {
                complete(engine, pending, &mut read.rows);
            }
            Ok(Some(read))
        }
        Err(error) if matches!(error.kind, ErrorKind::NotFound) => rest(engine, pending, flat).await,
        Err(error) => refused(engine, pending, &error),
    }
}

async fn rest(engine: &Engine, pending: &Pending, reader: &'static Reader) -> Result<Option<Read>, Halt> {
    let mut read = elements_of(engine, pending, reader).await?;
    if let Some(read) = read.as_mut().filter(|it| it.rejects.is_empty()) {
        complete(engine, pending, &mut read.rows);
    }
    Ok(read)
}

async fn elements_of(
    engine: &Engine,
    pending: &Pending,
    reader: &'static Reader,
) -> Result<Option<Read>, Halt> {
    let Some(request) = request(reader, &path(pending)) else { return Ok(None) };
    match list(&engine.client, request).await {
        Ok(listing) => rows_of(engine, pending, reader, &listing).map(Some),
        Err(error) => refused(engine, pending, &error),
    }
}

fn rows_of(
    engine: &Engine,
    pending: &Pending,
    reader: &'static Reader,
    listing: &crate::fetch::Listing,
) -> Result<Read, Halt> {
    let found = listing.elements()?;
    let mut rows = Rows::default();
    let parent = engine.instance.id(pending.project);
    let rejects = read_all(pending.list.name(), reader, &below(engine, pending), parent, found, &mut rows);
    Ok(Read { rows, rejects, sent_at: listing.sent_at })
}

/// Approvals, their rules and a pipeline are one object, not a list.
async fn object(engine: &Engine, pending: &Pending, reader: &'static Reader) -> Result<Option<Read>, Halt> {
    let Some(request) = request(reader, &path(pending)) else { return Ok(None) };
    match engine.client.get(&request).await {
        Ok(answer) => {
            let mut rows = Rows::default();
            let object: Option<&RawValue> = serde_json::from_slice(&answer.body).ok();
            let parent = engine.instance.id(pending.project);
            let resource = pending.list.name();
            let rejects = read_all(resource, reader, &below(engine, pending), parent, object, &mut rows);
            Ok(Some(Read { rows, rejects, sent_at: answer.sent_at }))
        }
        Err(error) => refused(engine, pending, &error),
    }
}

fn refused(engine: &Engine, pending: &Pending, error: &gitlab_client::Error) -> Result<Option<Read>, Halt> {
    match engine.halt(error, pending.list.name(), engine.instance.id(pending.project)) {
        Halt::Skipped => Ok(None),
        halt => Err(halt),
    }
}
