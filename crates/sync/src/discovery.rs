//! Finds the groups and projects that the credentials reach, and writes them.
//!
//! Groups come with the level of a member, because GitLab lists strangers' public groups too. Projects come from the
//! listing of every top-level group and from the token's own memberships; the union counts, because each of the two
//! is known to leave something out.

use std::collections::BTreeSet;

use catalogue::groups::GROUPS;
use catalogue::projects::{GROUP_PROJECTS_PARAMS, PROJECTS, Project};
use catalogue::{Reader, Rows};
use chrono::{DateTime, Utc};
use gitlab_client::{Answer, Error, ErrorKind, Request};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::engine::{Engine, Halt};
use crate::fetch::{PER_PAGE, elements, read_all};
use crate::policy::{Decision, decide};
use crate::sight::{Found, Sight};
use crate::{Failure, verify};

#[derive(Deserialize)]
struct GroupHead {
    id: i64,
    parent_id: Option<i64>,
    full_path: String,
}

/// Finds everything in scope.
pub(crate) async fn discover(engine: &Engine) -> Result<Sight, Halt> {
    let mut sight = Sight { complete: true, ..Sight::default() };
    if engine.options.scope.is_everything() && !engine.options.job_token {
        for_each_user(engine, &mut sight).await?;
    } else {
        named(engine, &mut sight).await?;
    }
    if sight.groups.is_empty() && sight.projects.is_empty() {
        return Err(Halt::Failed(verify::nothing_to_read(engine.client.base_url())));
    }
    settle(engine, &sight).await?;
    Ok(sight)
}

/// Users of different tokens are members of different projects: the union counts. A token that is refused is left out.
async fn for_each_user(engine: &Engine, sight: &mut Sight) -> Result<(), Halt> {
    let users = engine.of_each_user();
    let mut failed = Vec::new();
    for user in &users {
        match everything(user, sight).await {
            Err(Halt::Failed(failure)) => failed.push(failure),
            done => done?,
        }
    }
    sight.complete &= failed.is_empty();
    match failed.pop().filter(|_| failed.len() + 1 == users.len()) {
        Some(failure) => Err(Halt::Failed(failure)),
        None => Ok(()),
    }
}

async fn everything(engine: &Engine, sight: &mut Sight) -> Result<(), Halt> {
    let reader = &GROUPS.readers[0];
    let groups = crate::fetch::request(reader, &[]).unwrap_or_else(|| Request::new("groups"));
    let memberships =
        crate::fetch::request(&PROJECTS.readers[0], &[]).unwrap_or_else(|| Request::new("projects"));
    // The two listings do not depend on each other, so they are under way together.
    let (first_groups, first_projects) = tokio::join!(first(engine, groups), first(engine, memberships));
    let mut tops = BTreeSet::new();
    match first_groups {
        Ok(answer) => tops = group_pages(engine, answer, sight).await?,
        Err(error) => unlisted(engine, sight, "groups", &error)?,
    }
    match first_projects {
        Ok(answer) => project_pages(engine, answer, sight).await?,
        Err(error) => unlisted(engine, sight, "projects", &error)?,
    }
    for some in tops.into_iter().collect::<Vec<_>>().chunks(engine.options.workers.max(1)) {
        below_groups(engine, some, sight).await?;
    }
    Ok(())
}

/// A project token sees no group, and a group token may see no project: one listing that is refused is not the end.
fn unlisted(engine: &Engine, sight: &mut Sight, resource: &'static str, error: &Error) -> Result<(), Halt> {
    sight.complete = false;
    match error.kind {
        ErrorKind::NotFound => {
            engine.skip(resource, 0, "not_found_or_no_access", error.to_string());
            Ok(())
        }
        _ => Err(halt(error, || verify::failure(error, engine.client.base_url(), Some(resource)))),
    }
}

async fn below_groups(engine: &Engine, groups: &[i64], sight: &mut Sight) -> Result<(), Halt> {
    let requests = groups.iter().map(|group| first(engine, group_projects(*group)));
    for answer in futures::future::join_all(requests).await {
        match answer {
            Ok(answer) => project_pages(engine, answer, sight).await?,
            Err(error) => unlisted(engine, sight, "projects", &error)?,
        }
    }
    Ok(())
}

fn group_projects(group: i64) -> Request {
    let request = Request::new("groups/{group}/projects").value(group);
    GROUP_PROJECTS_PARAMS.iter().fold(request, |request, (name, value)| request.query(*name, value))
}

/// Groups and projects that were asked for by name.
async fn named(engine: &Engine, sight: &mut Sight) -> Result<(), Halt> {
    for group in &engine.options.scope.groups {
        let answer =
            one(engine, Request::new("groups/{group}").value(group).query("with_projects", false), group)
                .await?;
        let Some(head) = head(&answer) else { return Err(not_readable(engine, group)) };
        let id = head.id;
        group_elements(engine, &answer, object(&answer), sight).await?;
        let below = Request::new("groups/{group}/descendant_groups").value(id).query("min_access_level", 10);
        match first(engine, below).await {
            Ok(answer) => drop(group_pages(engine, answer, sight).await?),
            Err(error) => unlisted(engine, sight, "groups", &error)?,
        }
        below_groups(engine, &[id], sight).await?;
    }
    for project in &engine.options.scope.projects {
        let answer = one(engine, Request::new("projects/{project}").value(project), project).await;
        match answer {
            Ok(answer) => project_elements(engine, &answer, object(&answer), sight).await?,
            Err(halt) => by_number(engine, project, sight, halt).await?,
        }
    }
    Ok(())
}

/// A job token may not read the project itself; where its merge requests can be read, its number is enough.
async fn by_number(engine: &Engine, project: &str, sight: &mut Sight, halt: Halt) -> Result<(), Halt> {
    let Ok(source_id) = project.parse::<i64>() else { return Err(halt) };
    let merge_requests =
        Request::new("projects/{project}/merge_requests").value(source_id).query("per_page", 1);
    if engine.client.get(&merge_requests).await.is_err() {
        return Err(halt);
    }
    let reason = if engine.options.job_token { "job_token" } else { "not_found_or_no_access" };
    let detail = "The token may not read the project itself, only its merge requests.";
    engine.skip("projects", engine.instance.id(source_id), reason, detail);
    let found = Found { source_id, path: project.to_owned(), ..Found::default() };
    sight.projects.insert(source_id, found);
    Ok(())
}

async fn one(engine: &Engine, request: Request, name: &str) -> Result<Answer, Halt> {
    let template = request.template.clone();
    let failure = |error: &Error| {
        let mut failure = verify::failure(error, engine.client.base_url(), Some(&template));
        if matches!(error.kind, ErrorKind::NotFound) {
            failure.reason = "not_found_or_no_access".to_owned();
            failure.message = format!(
                "GitLab shows no {name:?} to this token: check the spelling, and that the token's user is a member of it."
            );
        }
        failure
    };
    engine.client.get(&request).await.map_err(|error| halt(&error, || failure(&error)))
}

/// What an error of a listing that all the rest hangs on means: a GitLab that goes away is waited for.
fn halt(error: &Error, failure: impl Fn() -> Failure) -> Halt {
    match decide(error) {
        Decision::Later => Halt::Later(error.to_string()),
        _ => Halt::Failed(failure()),
    }
}

fn not_readable(engine: &Engine, name: &str) -> Halt {
    let message = format!(
        "{} answered for {name:?} with something that is not a group.",
        engine.client.base_url().as_str()
    );
    Halt::Failed(Failure::new("failed", "unreadable", message))
}

async fn first(engine: &Engine, request: Request) -> Result<Answer, Error> {
    engine.client.get(&request.query("per_page", PER_PAGE)).await
}

/// Follows a listing of groups; gives those without a parent in it.
async fn group_pages(engine: &Engine, first: Answer, sight: &mut Sight) -> Result<BTreeSet<i64>, Halt> {
    let mut heads: Vec<(i64, Option<i64>)> = Vec::new();
    let mut answer = first;
    loop {
        let found = elements(&answer.body);
        let parsed = found.iter().filter_map(|it| serde_json::from_str::<GroupHead>(it.get()).ok());
        heads.extend(parsed.map(|it| (it.id, it.parent_id)));
        group_elements(engine, &answer, found, sight).await?;
        let Some(next) = answer.next.take() else { break };
        match engine.client.get_next(&next).await {
            Ok(page) => answer = page,
            Err(error) => {
                unlisted(engine, sight, "groups", &error)?;
                break;
            }
        }
    }
    let known: BTreeSet<i64> = heads.iter().map(|(id, _)| *id).collect();
    Ok(heads
        .into_iter()
        .filter(|(_, parent)| parent.is_none_or(|it| !known.contains(&it)))
        .map(|(id, _)| id)
        .collect())
}

async fn group_elements(
    engine: &Engine,
    answer: &Answer,
    found: Vec<&RawValue>,
    sight: &mut Sight,
) -> Result<(), Halt> {
    for head in found.iter().filter_map(|it| serde_json::from_str::<GroupHead>(it.get()).ok()) {
        engine.name(engine.instance.id(head.id), &head.full_path);
        sight.groups.insert(head.id, head.full_path);
    }
    write(engine, "groups", &GROUPS.readers[0], found, answer.sent_at).await
}

async fn project_pages(engine: &Engine, first: Answer, sight: &mut Sight) -> Result<(), Halt> {
    let mut answer = first;
    loop {
        let found = elements(&answer.body);
        let empty = found.is_empty();
        project_elements(engine, &answer, found, sight).await?;
        let Some(next) = answer.next.take().filter(|_| !empty) else { return Ok(()) };
        match engine.client.get_next(&next).await {
            Ok(page) => answer = page,
            Err(error) => return unlisted(engine, sight, "projects", &error),
        }
    }
}

async fn project_elements(
    engine: &Engine,
    answer: &Answer,
    found: Vec<&RawValue>,
    sight: &mut Sight,
) -> Result<(), Halt> {
    let mut wanted = Vec::new();
    for element in found {
        match serde_json::from_str::<Project>(element.get()) {
            Ok(project) if sight.projects.contains_key(&project.id) => {}
            Ok(project) => {
                let Some(found) = in_scope(engine, &project) else {
                    sight.excluded.insert(project.id);
                    continue;
                };
                engine.name(engine.instance.id(found.source_id), &found.path);
                sight.projects.insert(found.source_id, found);
                wanted.push(element);
            }
            // It is written as a reject below.
            Err(_) => wanted.push(element),
        }
    }
    write(engine, "projects", &PROJECTS.readers[0], wanted, answer.sent_at).await
}

fn in_scope(engine: &Engine, project: &Project) -> Option<Found> {
    let personal = project.namespace.as_ref().is_some_and(|it| it.kind == "user");
    let (fork, archived) = (project.forked_from_project.is_some(), project.archived == Some(true));
    let excluded =
        engine.options.scope.exclude.covers(&project.path_with_namespace, fork, archived, personal);
    let off = project.merge_requests_access_level.as_deref() == Some("disabled")
        || (project.merge_requests_access_level.is_none() && project.merge_requests_enabled == Some(false));
    let issues_off = project.issues_access_level.as_deref() == Some("disabled")
        || (project.issues_access_level.is_none() && project.issues_enabled == Some(false));
    let builds_off = project.builds_access_level.as_deref() == Some("disabled")
        || (project.builds_access_level.is_none() && project.jobs_enabled == Some(false));
    (!excluded).then(|| Found {
        source_id: project.id,
        path: project.path_with_namespace.to_string(),
        namespace_id: project.namespace.as_ref().map(|it| engine.instance.id(it.id)),
        merge_requests_off: off,
        issues_off,
        builds_off,
        environments_off: project.environments_access_level.as_deref() == Some("disabled"),
        repository_off: project.repository_access_level.as_deref() == Some("disabled"),
        empty_repo: project.empty_repo == Some(true),
        default_branch: project.default_branch.as_deref().map(str::to_owned),
        last_activity_at: project.last_activity_at,
    })
}

/// Reads one more project by its number or path: one that no listing showed.
pub(crate) async fn look_at(
    engine: &Engine,
    project: impl ToString,
    sight: &mut Sight,
) -> Result<Result<(), Error>, Halt> {
    match engine.client.get(&Request::new("projects/{project}").value(project)).await {
        Ok(answer) => project_elements(engine, &answer, object(&answer), sight).await.map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

async fn write(
    engine: &Engine,
    resource: &'static str,
    reader: &'static Reader,
    found: Vec<&RawValue>,
    sent_at: DateTime<Utc>,
) -> Result<(), Halt> {
    let mut rows = Rows::default();
    let rejects = read_all(resource, reader, &engine.origin(), 0, found, &mut rows);
    engine.write(&store::Page { rejects: &rejects, ..engine.page(&rows, sent_at) }).await?;
    Ok(())
}

fn object(answer: &Answer) -> Vec<&RawValue> {
    serde_json::from_slice(&answer.body).map(|it| vec![it]).unwrap_or_default()
}

fn head(answer: &Answer) -> Option<GroupHead> {
    serde_json::from_slice(&answer.body).ok()
}

/// Compares what is in sight with what was: renamed, moved, lost and found again.
async fn settle(engine: &Engine, sight: &Sight) -> Result<(), Halt> {
    let seen: Vec<i64> = sight.projects.keys().map(|it| engine.instance.id(*it)).collect();
    engine.store.keep_paths(&seen, engine.started).await?;
    if sight.complete && engine.options.scope.is_everything() {
        let groups: Vec<i64> = sight.groups.keys().map(|it| engine.instance.id(*it)).collect();
        // Out of sight is not deleted: GitLab answers both in the same way, so what is stored stays.
        for (id, path) in engine.store.groups_not_among(engine.instance.0, &groups).await? {
            engine.name(id, &path);
            let detail = format!(
                "The group {path} is no longer in sight of the token: it was deleted, or access to it was lost."
            );
            engine.skip("groups", id, "not_found_or_no_access", detail);
        }
    }
    Ok(())
}
