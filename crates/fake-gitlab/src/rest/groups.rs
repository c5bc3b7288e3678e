//! Groups and their projects.

use serde_json::{Value, json};

use super::entities::{group::group as view, project};
use super::params::{Declared, given, or, path};
use super::{Answer, Ask, Problem, Reply};
use crate::world::model::{Group, Id, Project};

const LIST: &[Declared] = &[
    given("active"),
    given("all_available"),
    given("archived"),
    given("marked_for_deletion_on"),
    given("min_access_level"),
    or("order_by", "name"),
    or("owned", "false"),
    given("search"),
    given("skip_groups"),
    or("sort", "asc"),
    or("statistics", "false"),
    given("top_level_only"),
    or("with_custom_attributes", "false"),
];

const BELOW: &[Declared] = &[
    path("id", "id"),
    given("active"),
    given("all_available"),
    given("archived"),
    given("min_access_level"),
    or("order_by", "name"),
    or("owned", "false"),
    given("search"),
    given("skip_groups"),
    or("sort", "asc"),
    or("statistics", "false"),
    or("with_custom_attributes", "false"),
];

const PROJECTS: &[Declared] = &[
    path("id", "id"),
    given("archived"),
    or("include_ancestor_groups", "false"),
    or("include_subgroups", "false"),
    given("min_access_level"),
    or("order_by", "created_at"),
    or("owned", "false"),
    given("search"),
    or("simple", "false"),
    or("sort", "desc"),
    or("starred", "false"),
    given("visibility"),
    or("with_custom_attributes", "false"),
    or("with_issues_enabled", "false"),
    or("with_merge_requests_enabled", "false"),
    or("with_security_reports", "false"),
    or("with_shared", "true"),
];

/// `GET /groups`. Without `min_access_level`, `owned` or `all_available=false` public groups are listed too.
pub fn list(ask: &Ask<'_>) -> Answer {
    let all = ask.world.groups.values().map(|group| group.id).collect();
    answer(ask, LIST, all)
}

/// `GET /groups/:id/subgroups`: one level.
pub fn subgroups(ask: &Ask<'_>) -> Answer {
    let group = ask.group()?;
    let below = ask.index.subgroups.get(&group.id).cloned().unwrap_or_default();
    answer(ask, BELOW, below)
}

/// `GET /groups/:id/descendant_groups`: all levels.
pub fn descendants(ask: &Ask<'_>) -> Answer {
    let group = ask.group()?;
    answer(ask, BELOW, ask.index.descendants(group.id))
}

fn answer(ask: &Ask<'_>, declared: &[Declared], ids: Vec<Id>) -> Answer {
    // GitLab has keyset pagination of groups for those without a token only.
    if ask.query.get("pagination") == Some("keyset") {
        return Err(Problem::NoKeyset);
    }
    let wanted = Wanted::of(ask)?;
    let mut groups: Vec<&Group> = ids.iter().filter_map(|id| ask.world.groups.get(id)).collect();
    groups.retain(|group| wanted.includes(ask, group));
    order(ask, &mut groups)?;
    let page = ask.bounded_page(groups.len(), "Group")?;
    ask.paged(declared, page, &groups, |group| view(ask.world, group))
}

/// The filters of group lists.
struct Wanted {
    least_level: Option<i32>,
    members_only: bool,
    top_level: bool,
    search: String,
    skip: Vec<Id>,
}

impl Wanted {
    fn of(ask: &Ask<'_>) -> Result<Self, Problem> {
        let owned = ask.query.switch("owned", false)?.then_some(50);
        let least = ask.query.number("min_access_level")?.map(|level| level as i32);
        Ok(Self {
            least_level: owned.max(least),
            members_only: !ask.query.switch("all_available", true)?,
            top_level: ask.query.switch("top_level_only", false)?,
            search: ask.query.get("search").unwrap_or_default().to_lowercase(),
            skip: ask.query.list("skip_groups").iter().filter_map(|id| id.parse().ok()).collect(),
        })
    }

    fn includes(&self, ask: &Ask<'_>, group: &Group) -> bool {
        let level = ask.world.group_access_level(ask.viewer, group.id);
        let seen = match (self.least_level, self.members_only) {
            (Some(least), _) => level.is_some_and(|level| level >= least),
            (None, true) => level.is_some(),
            (None, false) => ask.world.can_read_group(ask.viewer, group),
        };
        let text = format!("{} {}", group.name, group.path).to_lowercase();
        seen && !(self.top_level && group.parent_id.is_some())
            && text.contains(&self.search)
            && !self.skip.contains(&group.id)
    }
}

fn order(ask: &Ask<'_>, groups: &mut [&Group]) -> Result<(), Problem> {
    match ask.query.word("order_by", &["name", "path", "id", "similarity"])? {
        "path" => groups.sort_by_key(|group| (ask.world.group_full_path(group.id), group.id)),
        "id" => groups.sort_by_key(|group| group.id),
        _ => groups.sort_by_key(|group| (group.name.to_lowercase(), group.id)),
    }
    if ask.query.word("sort", &["asc", "desc"])? == "desc" {
        groups.reverse();
    }
    Ok(())
}

/// `GET /groups/:id`. Unless `with_projects=false`, up to 100 projects are embedded.
pub fn show(ask: &Ask<'_>) -> Answer {
    let group = ask.group()?;
    let mut body = view(ask.world, group);
    let invited = group.invited_groups.iter().map(|(id, level)| (*id, *level));
    body["shared_with_groups"] = json!(project::invited(ask.world, invited));
    body["runners_token"] = Value::Null;
    body["prevent_sharing_groups_outside_hierarchy"] = json!(false);
    if ask.query.switch("with_projects", true)? {
        let embed = |projects: Vec<&Project>| -> Vec<Value> {
            projects.into_iter().take(100).map(|it| project::full(ask, it)).collect()
        };
        body["projects"] = json!(embed(own_projects(ask, &[group.id])));
        body["shared_projects"] = json!(embed(shared_projects(ask, group)));
    }
    Ok(Reply::object(&body))
}

/// `GET /groups/:id/projects`. Projects shared into the group are listed unless `with_shared=false`.
pub fn projects(ask: &Ask<'_>) -> Answer {
    let group = ask.group()?;
    let mut groups = vec![group.id];
    if ask.query.switch("include_subgroups", false)? {
        groups.extend(ask.index.descendants(group.id));
    }
    let mut rows = own_projects(ask, &groups);
    if ask.query.switch("with_shared", true)? {
        rows.extend(shared_projects(ask, group));
    }
    super::projects::filter(ask, &mut rows)?;
    super::projects::order(ask, &mut rows)?;
    let page = ask.bounded_page(rows.len(), "Project")?;
    super::projects::answer(ask, PROJECTS, page, &rows)
}

fn own_projects<'a>(ask: &Ask<'a>, groups: &[Id]) -> Vec<&'a Project> {
    let ids = groups.iter().flat_map(|id| ask.index.group_projects.get(id).into_iter().flatten());
    visible(ask, ids)
}

fn shared_projects<'a>(ask: &Ask<'a>, group: &Group) -> Vec<&'a Project> {
    visible(ask, group.shared_projects.iter())
}

fn visible<'a, 'i>(ask: &Ask<'a>, ids: impl Iterator<Item = &'i Id>) -> Vec<&'a Project> {
    let world: &'a crate::world::model::World = ask.world;
    let projects = ids.filter_map(|id| world.projects.get(id));
    projects.filter(|project| world.can_read_project(ask.viewer, project)).collect()
}
