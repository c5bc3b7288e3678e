//! Jobs and bridges, of a pipeline and of a project.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

use super::NOT_FOUND;
use crate::rest::entities::ci::job::{BridgeView, JobView, Scene};
use crate::rest::paging::page_size;
use crate::rest::params::{Declared, given, or, path};
use crate::rest::{Answer, Ask, Problem, Reply};
use crate::world::model::{CiStatus, Id, Job, JobKind};

const OF_PIPELINE: &[Declared] =
    &[path("id", "id"), path("pipeline_id", "pipeline_id"), or("include_retried", "false"), given("scope")];
const BRIDGES: &[Declared] = &[path("id", "id"), path("pipeline_id", "pipeline_id"), given("scope")];
const OF_PROJECT: &[Declared] = &[path("id", "id"), given("pagination"), given("scope")];

/// `GET /projects/:id/pipelines/:pipeline_id/jobs`
pub fn of_pipeline(ask: &Ask<'_>) -> Answer {
    let retried = ask.query.switch("include_retried", false)?;
    in_pipeline(ask, OF_PIPELINE, JobKind::Build, retried, JobView::of)
}

/// `GET /projects/:id/pipelines/:pipeline_id/bridges`. `include_retried` is not declared here: GitLab passes the text
/// on, and any text counts as true.
pub fn bridges(ask: &Ask<'_>) -> Answer {
    let retried = ask.query.get("include_retried").is_some();
    in_pipeline(ask, BRIDGES, JobKind::Bridge, retried, BridgeView::of)
}

fn in_pipeline<'a, S: Serialize>(
    ask: &Ask<'a>,
    declared: &[Declared],
    kind: JobKind,
    retried: bool,
    render: impl Fn(&Scene<'a>, &'a Job) -> S,
) -> Answer {
    let pipeline = ask.pipeline()?;
    let scope = scope(ask)?;
    let wanted = |job: &&Job| job.kind == kind && (retried || !job.retried) && scope.holds(job.status);
    let rows: Vec<&Job> = pipeline.jobs.iter().rev().filter(wanted).collect();
    let scene = Scene::of(ask, pipeline);
    ask.paged(declared, ask.page(rows.len())?, &rows, |job| render(&scene, job))
}

/// `GET /projects/:id/jobs`: newest first, every attempt, not counted; by offset or by keyset.
pub fn of_project(ask: &Ask<'_>) -> Answer {
    let project = ask.project_with_ci()?;
    let scope = scope(ask)?;
    let job = |(id, pipeline): (Id, Id)| ask.world.ci.pipelines.get(&pipeline)?.job(id);
    let wanted =
        |key: &(Id, Id)| job(*key).is_some_and(|job| job.kind == JobKind::Build && scope.holds(job.status));
    let keys = ask.index.ci.project(project.id).jobs.iter().rev().copied();
    let render = |(id, pipeline): (Id, Id)| view(ask, id, pipeline);
    if ask.query.get("pagination") == Some("keyset") {
        let after = cursor(ask)?;
        let rest = keys.filter(|(id, _)| after.is_none_or(|after| *id < after)).filter(wanted);
        return by_keyset(ask, rest, render);
    }
    let rows: Vec<(Id, Id)> = keys.filter(wanted).collect();
    let page = ask.bounded_page(rows.len(), "Ci::Build")?;
    ask.paged_uncounted(OF_PROJECT, page, &rows, render)
}

/// `GET /projects/:id/jobs/:job_id`; bridges are not found here.
pub fn show(ask: &Ask<'_>) -> Answer {
    let project = ask.project_with_ci()?;
    let found = ask.part("job_id").parse().ok().and_then(|id: Id| ask.world.ci.job(id));
    let found = found.filter(|(it, job)| it.project_id == project.id && job.kind == JobKind::Build);
    let (pipeline, job) = found.ok_or(NOT_FOUND)?;
    Ok(Reply::object(&view(ask, job.id, pipeline.id)))
}

fn view<'a>(ask: &Ask<'a>, id: Id, pipeline_id: Id) -> Option<JobView<'a>> {
    let pipeline = &ask.world.ci.pipelines[&pipeline_id];
    pipeline.job(id).map(|job| JobView::of(&Scene::of(ask, pipeline), job))
}

/// Statuses that are asked for; all where none is.
struct Scope(Vec<CiStatus>);

impl Scope {
    fn holds(&self, status: CiStatus) -> bool {
        self.0.is_empty() || self.0.contains(&status)
    }
}

fn scope(ask: &Ask<'_>) -> Result<Scope, Problem> {
    let invalid = || Problem::BadRequest("scope does not have a valid value".to_owned());
    let words = ask.query.list("scope").into_iter();
    words.map(|word| CiStatus::of(word).ok_or_else(invalid)).collect::<Result<_, _>>().map(Scope)
}

/// A page with nothing but a link to the next one, where there is one.
fn by_keyset<S: Serialize>(
    ask: &Ask<'_>,
    mut rest: impl Iterator<Item = (Id, Id)>,
    render: impl Fn((Id, Id)) -> S,
) -> Answer {
    if ask.query.get("order_by").is_some_and(|order| order != "id") || ask.query.get("sort") == Some("asc") {
        return Err(Problem::NoKeyset);
    }
    let size = page_size(ask)?;
    let rows: Vec<(Id, Id)> = rest.by_ref().take(size).collect();
    let mut reply = Reply::object(&rows.iter().copied().map(render).collect::<Vec<_>>());
    reply.items = rows.len();
    match (rows.last(), rest.next()) {
        (Some((last, _)), Some(_)) => {
            let own = [("cursor", encode(*last)), ("per_page", size.to_string())];
            Ok(reply.with_header("link", format!("<{}>; rel=\"next\"", ask.link(OF_PROJECT, &own))))
        }
        _ => Ok(reply),
    }
}

fn encode(id: Id) -> String {
    STANDARD.encode(json!({ "id": id.to_string(), "_kd": "n" }).to_string())
}

fn cursor(ask: &Ask<'_>) -> Result<Option<Id>, Problem> {
    let Some(text) = ask.query.get("cursor") else { return Ok(None) };
    let json = STANDARD.decode(text).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let id = json.and_then(|json| json["id"].as_str()?.parse().ok());
    id.map(Some).ok_or_else(|| Problem::BadRequest("cursor is invalid".to_owned()))
}
