//! Pipelines of a project.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::rest::entities::ci::pipeline::{PipelineView, PipelineViewWithName, detail};
use crate::rest::params::{Declared, given, or, path};
use crate::rest::{Answer, Ask, Problem, Reply};
use crate::world::hash::mix;
use crate::world::index::PipelineEntry;
use crate::world::model::{CiStatus, Id, Pipeline, PipelineSource, Time};

const LIST: &[Declared] = &[
    path("id", "id"),
    given("created_after"),
    given("created_before"),
    given("name"),
    or("order_by", "id"),
    given("ref"),
    given("scope"),
    given("sha"),
    or("sort", "desc"),
    given("source"),
    given("status"),
    given("updated_after"),
    given("updated_before"),
    given("username"),
    given("yaml_errors"),
];

/// `GET /projects/:id/pipelines`. Child pipelines are listed only where `source=parent_pipeline` asks for them.
pub fn list(ask: &Ask<'_>) -> Answer {
    let project = ask.project_with_ci()?;
    let filter = Filter::of(ask)?;
    let entries = &ask.index.ci.project(project.id).pipelines;
    let mut rows: Vec<PipelineEntry> =
        entries.iter().filter(|entry| filter.includes(ask, entry)).copied().collect();
    keep_latest_of_refs(ask, filter.scope, &mut rows);
    order(ask, &mut rows)?;
    let page = ask.page(rows.len())?;
    let path = ask.world.project_full_path(project);
    ask.paged(LIST, page, &rows, |entry| PipelineViewWithName::of(ask.world, row(ask, entry.id), &path))
}

fn row<'a>(ask: &Ask<'a>, id: Id) -> &'a Pipeline {
    &ask.world.ci.pipelines[&id]
}

/// `GET /projects/:id/pipelines/:pipeline_id`
pub fn show(ask: &Ask<'_>) -> Answer {
    let pipeline = ask.pipeline()?;
    let path = ask.world.project_full_path(&ask.world.projects[&pipeline.project_id]);
    Ok(Reply::object(&detail(ask.world, pipeline, PipelineView::of(ask.world, pipeline, &path), &path)))
}

/// The filters of the list. Bounds are inclusive.
struct Filter<'a> {
    scope: &'static str,
    status: Option<CiStatus>,
    source: Option<PipelineSource>,
    updated: (Option<Time>, Option<Time>),
    created: (Option<Time>, Option<Time>),
    git_ref: Option<&'a str>,
    sha: Option<&'a str>,
    name: Option<&'a str>,
    username: Option<&'a str>,
    yaml_errors: Option<bool>,
}

const SCOPES: &[&str] = &["", "running", "pending", "finished", "branches", "tags"];

impl<'a> Filter<'a> {
    fn of(ask: &'a Ask<'_>) -> Result<Self, Problem> {
        let query = &ask.query;
        let invalid = |name: &str| Problem::BadRequest(format!("{name} does not have a valid value"));
        let status = query.get("status").map(|word| CiStatus::of(word).ok_or_else(|| invalid("status")));
        let source =
            query.get("source").map(|word| PipelineSource::of(word).ok_or_else(|| invalid("source")));
        let errors = query.get("yaml_errors").map(|_| query.switch("yaml_errors", false));
        Ok(Self {
            scope: query.word("scope", SCOPES)?,
            status: status.transpose()?,
            source: source.transpose()?,
            updated: (query.time("updated_after")?, query.time("updated_before")?),
            created: (query.time("created_after")?, query.time("created_before")?),
            git_ref: query.get("ref"),
            sha: query.get("sha"),
            name: query.get("name"),
            username: query.get("username"),
            yaml_errors: errors.transpose()?,
        })
    }

    fn includes(&self, ask: &Ask<'_>, entry: &PipelineEntry) -> bool {
        let children = self.source == Some(PipelineSource::ParentPipeline);
        (children || entry.source != PipelineSource::ParentPipeline)
            && self.source.is_none_or(|source| entry.source == source)
            && self.status.is_none_or(|status| entry.status == status)
            && in_scope(self.scope, entry.status)
            && within(entry.updated_at, self.updated)
            && within(entry.created_at, self.created)
            && (self.is_plain() || self.matches(ask, row(ask, entry.id)))
    }

    /// Whether an index entry tells all that is asked.
    fn is_plain(&self) -> bool {
        [self.git_ref, self.sha, self.name, self.username].iter().all(Option::is_none)
            && self.yaml_errors.is_none()
    }

    fn matches(&self, ask: &Ask<'_>, pipeline: &Pipeline) -> bool {
        let user = || pipeline.user_id.and_then(|id| ask.world.users.get(&id));
        let by = |name: &str| user().is_some_and(|user| user.username.eq_ignore_ascii_case(name));
        self.git_ref.is_none_or(|git_ref| *pipeline.git_ref == *git_ref)
            && self.sha.is_none_or(|sha| pipeline.sha == sha)
            && self.name.is_none_or(|name| pipeline.name.as_deref() == Some(name))
            && self.username.is_none_or(by)
            && self.yaml_errors.is_none_or(|wanted| pipeline.yaml_errors.is_some() == wanted)
    }
}

fn in_scope(scope: &str, status: CiStatus) -> bool {
    match scope {
        "running" => status == CiStatus::Running,
        "pending" => status == CiStatus::Pending,
        "finished" => matches!(status, CiStatus::Success | CiStatus::Failed | CiStatus::Canceled),
        _ => true,
    }
}

fn within(time: Time, (after, before): (Option<Time>, Option<Time>)) -> bool {
    after.is_none_or(|after| time >= after) && before.is_none_or(|before| time <= before)
}

/// The scopes `branches` and `tags` leave the newest pipeline of each branch or tag.
fn keep_latest_of_refs(ask: &Ask<'_>, scope: &str, rows: &mut Vec<PipelineEntry>) {
    if !matches!(scope, "branches" | "tags") {
        return;
    }
    let wanted = |it: &Pipeline| it.tag == (scope == "tags") && !it.git_ref.starts_with("refs/");
    let refs = rows.iter().map(|entry| row(ask, entry.id)).filter(|it| wanted(it));
    let newest: BTreeMap<&str, Id> = refs.map(|it| (&*it.git_ref, it.id)).collect();
    rows.retain(|entry| newest.get(&*row(ask, entry.id).git_ref) == Some(&entry.id));
}

/// GitLab orders by one column alone. Among equals PostgreSQL promises no order, so they come as if shuffled.
fn order(ask: &Ask<'_>, rows: &mut [PipelineEntry]) -> Result<(), Problem> {
    let column = ask.query.word("order_by", &["id", "status", "ref", "updated_at", "user_id"])?;
    let descending = ask.query.word("sort", &["desc", "asc"])? == "desc";
    let compare = |a: &PipelineEntry, b: &PipelineEntry| match column {
        "id" => a.id.cmp(&b.id),
        "status" => a.status.word().cmp(b.status.word()),
        "ref" => row(ask, a.id).git_ref.cmp(&row(ask, b.id).git_ref),
        "user_id" => nulls_last(row(ask, a.id).user_id, row(ask, b.id).user_id),
        _ => a.updated_at.cmp(&b.updated_at),
    };
    rows.sort_by(|a, b| {
        let by_column = compare(a, b);
        let by_column = if descending { by_column.reverse() } else { by_column };
        by_column.then_with(|| mix(a.id as u64).cmp(&mix(b.id as u64)))
    });
    Ok(())
}

/// PostgreSQL takes null for the greatest value.
fn nulls_last(a: Option<Id>, b: Option<Id>) -> Ordering {
    a.is_none().cmp(&b.is_none()).then(a.cmp(&b))
}
