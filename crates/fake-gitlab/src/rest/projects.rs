//! Projects.

use serde_json::{Value, json};

use super::entities::project as view;
use super::paging::{Page, page_size};
use super::params::{Declared, given, or};
use super::{Answer, Ask, Problem, Reply};
use crate::world::model::{Id, Namespace, Project};

const LIST: &[Declared] = &[
    given("active"),
    given("archived"),
    given("id_after"),
    given("id_before"),
    or("include_hidden", "false"),
    or("include_pending_delete", "false"),
    given("last_activity_after"),
    given("last_activity_before"),
    or("membership", "false"),
    given("min_access_level"),
    or("order_by", "created_at"),
    or("owned", "false"),
    given("pagination"),
    or("repository_checksum_failed", "false"),
    given("search"),
    or("search_namespaces", "false"),
    or("simple", "false"),
    or("sort", "desc"),
    or("starred", "false"),
    or("statistics", "false"),
    given("topic"),
    given("updated_after"),
    given("updated_before"),
    given("visibility"),
    or("wiki_checksum_failed", "false"),
    or("with_custom_attributes", "false"),
    or("with_issues_enabled", "false"),
    or("with_merge_requests_enabled", "false"),
];

/// `GET /projects`, by offset or, with `pagination=keyset&order_by=id`, by keyset.
pub fn list(ask: &Ask<'_>) -> Answer {
    let membership = ask.query.switch("membership", false)? || ask.query.switch("owned", false)?;
    let mut rows: Vec<&Project> = ask.world.projects.values().collect();
    rows.retain(|project| {
        ask.world.can_read_project(ask.viewer, project)
            && (!membership || ask.world.project_access_level(ask.viewer, project).is_some())
    });
    filter(ask, &mut rows)?;
    order(ask, &mut rows)?;
    if ask.query.get("pagination") == Some("keyset") {
        return by_keyset(ask, &rows);
    }
    let page = ask.bounded_page(rows.len(), "Project")?;
    answer(ask, LIST, page, &rows)
}

/// Leaves what the filters common to all project lists let through.
pub(super) fn filter(ask: &Ask<'_>, rows: &mut Vec<&Project>) -> Result<(), Problem> {
    let query = &ask.query;
    let archived = query.get("archived").map(|_| query.switch("archived", false)).transpose()?;
    let owned = query.switch("owned", false)?.then_some(50);
    let least = query.number("min_access_level")?.map(|level| level as i32).max(owned);
    let with_merge_requests = query.switch("with_merge_requests_enabled", false)?;
    let (id_after, id_before) = (query.number("id_after")?, query.number("id_before")?);
    let active_after = query.time("last_activity_after")?;
    let active_before = query.time("last_activity_before")?;
    let (updated_after, updated_before) = (query.time("updated_after")?, query.time("updated_before")?);
    let search = query.get("search").unwrap_or_default().to_lowercase();
    let level = |project: &Project| ask.world.project_access_level(ask.viewer, project);
    rows.retain(|project| {
        archived.is_none_or(|archived| project.archived == archived)
            && least.is_none_or(|least| level(project).is_some_and(|level| level >= least))
            && !(with_merge_requests && project.merge_requests_access_level == "disabled")
            && id_after.is_none_or(|id| project.id > id)
            && id_before.is_none_or(|id| project.id < id)
            && active_after.is_none_or(|time| project.last_activity_at >= time)
            && active_before.is_none_or(|time| project.last_activity_at <= time)
            && updated_after.is_none_or(|time| project.updated_at >= time)
            && updated_before.is_none_or(|time| project.updated_at <= time)
            && query.get("visibility").is_none_or(|visibility| project.visibility == visibility)
            && query.get("topic").is_none_or(|topic| project.topics.iter().any(|own| own == topic))
            && project.name.to_lowercase().contains(&search)
    });
    Ok(())
}

const ORDERS: &[&str] =
    &["created_at", "id", "name", "path", "updated_at", "last_activity_at", "similarity", "star_count"];

pub(super) fn order(ask: &Ask<'_>, rows: &mut [&Project]) -> Result<(), Problem> {
    match ask.query.word("order_by", ORDERS)? {
        "id" => rows.sort_by_key(|project| project.id),
        "name" => rows.sort_by_key(|project| (project.name.to_lowercase(), project.id)),
        "path" => rows.sort_by_key(|project| (project.path.clone(), project.id)),
        "updated_at" => rows.sort_by_key(|project| (project.updated_at, project.id)),
        "last_activity_at" => rows.sort_by_key(|project| (project.last_activity_at, project.id)),
        _ => rows.sort_by_key(|project| (project.created_at, project.id)),
    }
    if ask.query.word("sort", &["desc", "asc"])? == "desc" {
        rows.reverse();
    }
    Ok(())
}

pub(super) fn answer(ask: &Ask<'_>, declared: &[Declared], page: Page, rows: &[&Project]) -> Answer {
    let simple = ask.query.switch("simple", false)?;
    let statistics = ask.query.switch("statistics", false)?;
    ask.paged(declared, page, rows, |project| render(ask, project, simple, statistics))
}

fn render(ask: &Ask<'_>, project: &Project, simple: bool, statistics: bool) -> Value {
    if simple {
        return view::basic(ask, project);
    }
    let mut body = view::full(ask, project);
    if statistics && ask.world.reads_code(ask.viewer, project) {
        body["statistics"] = view::statistics(ask.world, project);
    }
    body
}

/// Only a `next` link, on every page that is not empty; no other header.
fn by_keyset(ask: &Ask<'_>, rows: &[&Project]) -> Answer {
    if ask.query.get("order_by") != Some("id") {
        return Err(Problem::NoKeyset);
    }
    let simple = ask.query.switch("simple", false)?;
    let size = page_size(ask)?;
    let rows = &rows[..rows.len().min(size)];
    let statistics = ask.query.switch("statistics", false)?;
    let rendered: Vec<Value> = rows.iter().map(|it| render(ask, it, simple, statistics)).collect();
    let mut reply = Reply::object(&rendered);
    reply.items = rows.len();
    match rows.last() {
        Some(last) => Ok(reply.with_header("link", next_link(ask, last.id, size)?)),
        None => Ok(reply),
    }
}

fn next_link(ask: &Ask<'_>, last: Id, size: usize) -> Result<String, Problem> {
    let name = if ask.query.word("sort", &["desc", "asc"])? == "asc" { "id_after" } else { "id_before" };
    let own = [(name, last.to_string()), ("per_page", size.to_string())];
    Ok(format!("<{}>; rel=\"next\"", ask.link(LIST, &own)))
}

/// `GET /projects/:id`
pub fn show(ask: &Ask<'_>) -> Answer {
    let project = ask.project()?;
    let mut body = render(ask, project, false, ask.query.switch("statistics", false)?);
    let access =
        |level: Option<i32>| level.map(|level| json!({ "access_level": level, "notification_level": 3 }));
    let own = project.members.get(&ask.viewer.user_id).map(|member| member.access_level);
    let inherited = match project.namespace {
        Namespace::Group(id) => ask.world.group_access_level(ask.viewer, id),
        Namespace::User(_) => None,
    };
    body["permissions"] = json!({ "project_access": access(own), "group_access": access(inherited) });
    body["build_git_strategy"] = json!("fetch");
    Ok(Reply::object(&body))
}
