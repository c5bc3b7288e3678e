//! The jobs of a pipeline: bridges too, every attempt, newest first.

use super::job;
use crate::graphql::connection::{self, Page};
use crate::graphql::cursor::Cursor;
use crate::graphql::executor::Run;
use crate::graphql::json::Out;
use crate::graphql::plan::Node;
use crate::world::model::{Job, Pipeline};

/// GitLab counts no further than one above this.
const COUNT_LIMIT: usize = 1_000;

/// Writes the connection.
pub(super) fn write(run: &Run<'_>, node: &Node, out: &mut Out, pipeline: &Pipeline) {
    let at = |job: &Job| Cursor { value: -job.id, id: job.id };
    let wanted = pipeline.jobs.iter().rev().filter(|job| wanted(node, job));
    let all: Vec<(Cursor, &Job)> = wanted.map(|job| (at(job), job)).collect();
    let count = all.len().min(COUNT_LIMIT + 1);
    let page = Page::cut(run, node, "id_order", all);
    connection::write(
        run,
        node,
        out,
        page,
        || count,
        |node, out, job| {
            job::fields(run, node, out, pipeline, job);
        },
    );
}

fn wanted(node: &Node, job: &Job) -> bool {
    let has_status = |texts: Vec<&str>| texts.iter().any(|it| it.eq_ignore_ascii_case(job.status.word()));
    node.flag("retried").is_none_or(|retried| job.retried == retried)
        && node.text("jobKind").is_none_or(|kind| kind.eq_ignore_ascii_case(job.kind.word()))
        && node.texts("statuses").is_none_or(|texts| texts.is_empty() || has_status(texts))
}
