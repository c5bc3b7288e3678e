//! A project's pipelines: newest first, child pipelines only where their source is asked for.

use super::{pipeline, readable};
use crate::graphql::connection::{self, Page, Window};
use crate::graphql::cursor::Cursor;
use crate::graphql::executor::Run;
use crate::graphql::index::micros;
use crate::graphql::json::{self, Out};
use crate::graphql::merge_requests::{Between, lost};
use crate::graphql::plan::Node;
use crate::world::index::PipelineEntry;
use crate::world::model::{CiStatus, Id, Pipeline, PipelineSource, Project};

/// The column cursors name.
const COLUMN: &str = "id_order";

/// GitLab counts no further for `pipelineCounts`.
const COUNT_LIMIT: usize = 1_000;

/// Writes the connection; an empty one where pipelines may not be read.
pub(super) fn write(run: &Run<'_>, node: &Node, out: &mut Out, project: &Project) {
    let Some(filter) = Filter::of(run, node) else { return json::null(out) };
    let entries = entries(run, project);
    let item = |node: &Node, out: &mut Out, id: &Id| {
        if run.out_of_time() {
            run.fail::<()>(node, "Timeout on PipelineConnection.nodes");
            return json::null(out);
        }
        match run.world.ci.pipelines.get(id).filter(|_| !lost(run, *id)) {
            Some(pipeline) => pipeline::fields(run, node, out, pipeline),
            None => json::null(out),
        }
    };
    let count = || entries.iter().filter(|entry| filter.includes(run, entry)).count();
    connection::write(run, node, out, page(run, node, entries, &filter), count, item);
}

fn entries<'a>(run: &Run<'a>, project: &Project) -> &'a [PipelineEntry] {
    match readable(run, project.id) {
        true => &run.index.ci(project.id).pipelines,
        false => &[],
    }
}

fn page(run: &Run<'_>, node: &Node, entries: &[PipelineEntry], filter: &Filter<'_>) -> Option<Page<Id>> {
    let window = Window::of(run, node, COLUMN)?;
    let up_to = window.after.map_or(entries.len(), |after| entries.partition_point(|it| it.id < after.id));
    let from = window.before.map_or(0, |before| entries.partition_point(|it| it.id <= before.id));
    let between = entries[from.min(up_to)..up_to].iter().filter(|entry| filter.includes(run, entry));
    let mut found: Vec<Id> = match window.from_end {
        true => between.take(window.size + 1).map(|it| it.id).collect(),
        false => between.rev().take(window.size + 1).map(|it| it.id).collect(),
    };
    let more = found.len() > window.size;
    found.truncate(window.size);
    if window.from_end {
        found.reverse();
    }
    let (has_next, has_previous) = match window.from_end {
        true => (window.before.is_some(), more),
        false => (more, window.after.is_some()),
    };
    let items = found.into_iter().map(|id| (Cursor { value: id, id }, id)).collect();
    Some(Page { column: COLUMN, items, has_next, has_previous })
}

/// Writes how many there are, by scope.
pub(super) fn counts(run: &Run<'_>, node: &Node, out: &mut Out, project: &Project) {
    let Some(filter) = Filter::of(run, node) else { return json::null(out) };
    if !readable(run, project.id) {
        return json::null(out);
    }
    let wanted: Vec<CiStatus> = entries(run, project)
        .iter()
        .filter(|entry| filter.includes(run, entry))
        .map(|entry| entry.status)
        .collect();
    json::child(out, node, |field, out| {
        let scope = field.name.as_str();
        let count = wanted.iter().filter(|status| in_scope(scope, **status)).count();
        json::integer(out, count.min(COUNT_LIMIT) as i64);
    });
}

fn in_scope(scope: &str, status: CiStatus) -> bool {
    match scope {
        "running" => status == CiStatus::Running,
        "pending" => status == CiStatus::Pending,
        "finished" => matches!(status, CiStatus::Success | CiStatus::Failed | CiStatus::Canceled),
        _ => true,
    }
}

/// The pipeline with the id, number or commit that is given; the newest where nothing is.
pub(super) fn one(run: &Run<'_>, node: &Node, project: &Project) -> Option<Id> {
    let entries = entries(run, project);
    let pipeline = |id: Id| run.world.ci.pipelines.get(&id);
    if let Some(iid) = node.text("iid") {
        let iid: i64 = iid.parse().ok()?;
        return entries.iter().find(|it| it.iid == iid).map(|it| it.id);
    }
    if let Some(gid) = node.text("id") {
        let id: Id = gid.strip_prefix("gid://gitlab/Ci::Pipeline/")?.parse().ok()?;
        return entries.iter().any(|it| it.id == id).then_some(id);
    }
    let sha = node.text("sha");
    let wanted = |it: &&PipelineEntry| sha.is_none_or(|sha| pipeline(it.id).is_some_and(|it| it.sha == sha));
    entries.iter().rev().find(wanted).map(|it| it.id)
}

struct Filter<'a> {
    node: &'a Node,
    scope: String,
    status: Option<CiStatus>,
    source: Option<PipelineSource>,
    updated: Between,
    /// Whether an index entry tells all that is asked.
    plain: bool,
}

impl<'a> Filter<'a> {
    fn of(run: &Run<'_>, node: &'a Node) -> Option<Self> {
        let status = node.text("status").map(str::to_ascii_lowercase);
        Some(Self {
            node,
            scope: node.text("scope").unwrap_or_default().to_ascii_lowercase(),
            status: status.and_then(|word| CiStatus::of(&word)),
            // A word GitLab does not know filters nothing.
            source: node.text("source").and_then(PipelineSource::of),
            updated: Between::of(run, node, "updatedAfter", "updatedBefore")?,
            plain: !["ref", "sha", "username"].iter().any(|name| node.has(name)),
        })
    }

    fn includes(&self, run: &Run<'_>, entry: &PipelineEntry) -> bool {
        let children = self.source == Some(PipelineSource::ParentPipeline);
        (children || entry.source != PipelineSource::ParentPipeline)
            && self.source.is_none_or(|source| entry.source == source)
            && self.status.is_none_or(|status| entry.status == status)
            && in_scope(&self.scope, entry.status)
            && self.updated.holds(micros(entry.updated_at))
            && (self.plain || run.world.ci.pipelines.get(&entry.id).is_some_and(|it| self.matches(run, it)))
    }

    fn matches(&self, run: &Run<'_>, pipeline: &Pipeline) -> bool {
        let user = || pipeline.user_id.and_then(|id| run.world.users.get(&id));
        let by = |name: &str| user().is_some_and(|user| user.username.eq_ignore_ascii_case(name));
        self.node.text("ref").is_none_or(|git_ref| *pipeline.git_ref == *git_ref)
            && self.node.text("sha").is_none_or(|sha| pipeline.sha == sha)
            && self.node.text("username").is_none_or(by)
    }
}
