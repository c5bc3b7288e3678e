//! Milestones of projects and groups, and inside merge requests.

use chrono::NaiveDate;
use serde::Serialize;

use super::entities::Millis;
use super::params::{Declared, given, or, path};
use super::{Answer, Ask, Problem};
use crate::world::model::{Id, Milestone, Owner, World};

const OF_PROJECT: &[Declared] = &[
    path("id", "id"),
    given("iids"),
    or("include_ancestors", "false"),
    or("include_parent_milestones", "false"),
    given("search"),
    or("state", "all"),
    given("title"),
    given("updated_after"),
    given("updated_before"),
];

/// A milestone.
#[derive(Debug, Serialize)]
pub struct MilestoneView<'a> {
    id: Id,
    iid: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<Id>,
    title: &'a str,
    description: &'static str,
    state: &'a str,
    created_at: Millis,
    updated_at: Millis,
    due_date: Option<NaiveDate>,
    start_date: Option<NaiveDate>,
    expired: bool,
    web_url: String,
}

/// Renders a milestone: `project_id` or `group_id`, whichever owns it.
pub fn milestone<'a>(world: &World, milestone: &'a Milestone) -> MilestoneView<'a> {
    let (project_id, group_id, path) = match milestone.owner {
        Owner::Project(id) => (Some(id), None, world.projects.get(&id).map(|p| world.project_full_path(p))),
        Owner::Group(id) => (None, Some(id), Some(format!("groups/{}", world.group_full_path(id)))),
    };
    let web_url = format!("{}/{}/-/milestones/{}", world.url, path.unwrap_or_default(), milestone.iid);
    MilestoneView {
        id: milestone.id,
        iid: milestone.iid,
        project_id,
        group_id,
        title: &milestone.title,
        description: "",
        state: &milestone.state,
        created_at: Millis(milestone.created_at),
        updated_at: Millis(milestone.updated_at),
        due_date: milestone.due_date,
        start_date: milestone.start_date,
        expired: milestone.due_date.is_some_and(|day| day < world.now.date_naive()),
        web_url,
    }
}

/// `GET /projects/:id/milestones`
pub fn of_project(ask: &Ask<'_>) -> Answer {
    let project = ask.project()?;
    let mut owners = vec![Owner::Project(project.id)];
    if include_ancestors(ask)? {
        owners.extend(ask.world.project_groups(project).into_iter().map(Owner::Group));
    }
    answer(ask, &owners)
}

/// `GET /groups/:id/milestones`
pub fn of_group(ask: &Ask<'_>) -> Answer {
    let group = ask.group()?;
    let groups = match include_ancestors(ask)? {
        true => ask.world.group_and_ancestors(group.id),
        false => vec![group.id],
    };
    let owners: Vec<Owner> = groups.into_iter().map(Owner::Group).collect();
    answer(ask, &owners)
}

/// The switch has two names, by version.
fn include_ancestors(ask: &Ask<'_>) -> Result<bool, Problem> {
    let older = ask.query.switch("include_parent_milestones", false)?;
    Ok(older || ask.query.switch("include_ancestors", false)?)
}

fn answer(ask: &Ask<'_>, owners: &[Owner]) -> Answer {
    let state = ask.query.word("state", &["all", "active", "closed"])?;
    let updated_after = ask.query.time("updated_after")?;
    let updated_before = ask.query.time("updated_before")?;
    let ids = owners.iter().flat_map(|owner| ask.index.milestones.get(owner).into_iter().flatten());
    let mut rows: Vec<&Milestone> = ids.filter_map(|id| ask.world.milestones.get(id)).collect();
    rows.retain(|row| {
        (state == "all" || row.state == state)
            && updated_after.is_none_or(|time| row.updated_at >= time)
            && updated_before.is_none_or(|time| row.updated_at <= time)
    });
    rows.sort_by_key(|row| (row.due_date.is_none(), row.due_date, row.id));
    let page = ask.page(rows.len())?;
    ask.paged(OF_PROJECT, page, &rows, |row| milestone(ask.world, row))
}
