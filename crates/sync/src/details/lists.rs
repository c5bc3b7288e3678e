//! Complete lists below a project or a group: those that come along with GraphQL, and each of them by REST.

use catalogue::group_labels::GROUP_LABELS;
use catalogue::labels::LABELS;
use catalogue::members::{GROUP_MEMBERS, PROJECT_MEMBERS};
use catalogue::milestones::MILESTONES;
use catalogue::{Connection, Connector, Origin, Resource, Rows, Table};
use catalogue::{group_labels, labels, members, milestones};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::value::RawValue;
use store::{Page, Reject};

use crate::conditional::{self, Asked, Complete};
use crate::engine::{Engine, Halt};
use crate::fetch::{read_all, request};

/// One complete list below a parent.
pub(super) struct ListKind {
    resource: &'static Resource,
    table: &'static Table,
    parent: &'static [&'static str],
}

static PROJECT_LISTS: [ListKind; 3] = [
    ListKind { resource: &LABELS, table: &labels::TABLE, parent: &["project_id"] },
    ListKind { resource: &PROJECT_MEMBERS, table: &members::PROJECT_TABLE, parent: &["project_id"] },
    ListKind { resource: &MILESTONES, table: &milestones::TABLE, parent: &["project_id"] },
];

static GROUP_LISTS: [ListKind; 2] = [
    ListKind { resource: &GROUP_MEMBERS, table: &members::GROUP_TABLE, parent: &["group_id"] },
    ListKind { resource: &GROUP_LABELS, table: &group_labels::TABLE, parent: &["group_id"] },
];

/// Either kind of parent.
#[derive(Clone, Copy)]
pub(super) enum Parent {
    Group(i64),
    Project(i64),
}

impl Parent {
    pub(super) fn origin(self, engine: &Engine) -> Origin {
        match self {
            Parent::Group(id) => engine.origin().group(id),
            Parent::Project(id) => engine.origin().project(id),
        }
    }

    pub(super) fn source_id(self) -> i64 {
        match self {
            Parent::Group(id) | Parent::Project(id) => id,
        }
    }

    pub(super) fn lists(self) -> &'static [ListKind] {
        match self {
            Parent::Group(_) => &GROUP_LISTS,
            Parent::Project(_) => &PROJECT_LISTS,
        }
    }
}

/// Reads the nested lists of one parent. Gives those that did not fit or were not answered.
pub(super) fn nested<'n>(
    engine: &Engine,
    parent: Parent,
    lists: &[&'n Option<Connection<'n>>],
    rows: &mut Rows,
    rejects: &mut Vec<Reject>,
) -> Vec<(Parent, &'static ListKind)> {
    let mut unfinished = Vec::new();
    for (kind, connection) in parent.lists().iter().zip(lists) {
        let fits = |it: &&Connection| it.is_whole() && !it.page_info.has_next_page;
        match connection.as_ref().filter(fits) {
            Some(connection) => {
                let found = connection.nodes.iter().copied();
                rejects.extend(read_list(engine, parent, kind, "graphql", found, rows));
            }
            None => unfinished.push((parent, kind)),
        }
    }
    unfinished
}

/// Reads one complete list into rows.
fn read_list<'e>(
    engine: &Engine,
    parent: Parent,
    kind: &'static ListKind,
    reader: &str,
    found: impl IntoIterator<Item = &'e RawValue>,
    rows: &mut Rows,
) -> Vec<Reject> {
    let Some(reader) = kind.resource.reader(reader) else { return Vec::new() };
    let origin = parent.origin(engine);
    let parent_id = engine.instance.id(parent.source_id());
    let rejects = read_all(kind.resource.name, reader, &origin, parent_id, found, rows);
    // An element that was not understood may be a row we hold: then nothing is known to be gone.
    if rejects.is_empty() {
        rows.complete(kind.table, kind.parent, &[parent_id]);
    }
    rejects
}

pub(super) async fn one_by_one(engine: &Engine, parents: impl Iterator<Item = Parent>) -> Result<(), Halt> {
    if !engine.has(Connector::Gitlab) {
        return Ok(());
    }
    let lists = parents.flat_map(|parent| parent.lists().iter().map(move |kind| (parent, kind)));
    finish_lists(engine, lists.collect()).await
}

/// Reads lists by REST, each whole.
pub(super) async fn finish_lists(
    engine: &Engine,
    lists: Vec<(Parent, &'static ListKind)>,
) -> Result<(), Halt> {
    // Made at once: what is made as the stream goes keeps the whole run from being Send.
    let reads: Vec<_> = lists.into_iter().map(|(parent, kind)| rest_list(engine, parent, kind)).collect();
    stream::iter(reads).buffer_unordered(engine.options.workers.max(1)).try_collect::<()>().await
}

async fn rest_list(engine: &Engine, parent: Parent, kind: &'static ListKind) -> Result<(), Halt> {
    let parent_id = engine.instance.id(parent.source_id());
    if engine.options.job_token {
        engine.skip(kind.resource.name, parent_id, "job_token", "A job token may not read this list.");
        return Ok(());
    }
    if engine.refused_lately(kind.resource.name, parent_id) {
        return Ok(());
    }
    let Some(reader) = kind.resource.reader("rest") else { return Ok(()) };
    let Some(request) = request(reader, &[parent.source_id()]) else { return Ok(()) };
    // What carries labels and milestones follows them.
    let parents = [parent_id];
    let carried = |name: &str| if kind.resource.name == name { &parents[..] } else { &[] };
    let (label_projects, milestone_projects) = (carried("labels"), carried("milestones"));
    let complete = Complete { resource: kind.resource.name, reader, table: kind.table, parent_id };
    let (listing, name) = match conditional::list(engine, request, complete).await {
        Ok(Asked::Read(listing, name)) => (listing, name),
        Ok(Asked::Unchanged(unchanged)) => {
            let rows = Rows::default();
            let page = Page { label_projects, milestone_projects, ..engine.page(&rows, engine.now()) };
            return unchanged.write(engine, page).await;
        }
        Err(Halt::Skipped) => return Ok(()),
        Err(Halt::Later(detail)) => {
            engine.skip(kind.resource.name, parent_id, "unavailable", detail);
            return Ok(());
        }
        Err(halt) => return Err(halt),
    };
    let mut rows = Rows::default();
    let found = listing.elements()?;
    let rejects = read_list(engine, parent, kind, "rest", found, &mut rows);
    let listed = Some(name.listed(rejects.is_empty()));
    let page = Page {
        rejects: &rejects,
        label_projects,
        milestone_projects,
        listed,
        ..engine.page(&rows, listing.sent_at)
    };
    engine.write(&page).await?;
    Ok(())
}
