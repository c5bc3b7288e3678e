//! Members of groups and projects: direct, or with those inherited from the groups above and of invited groups.

use std::collections::BTreeMap;

use super::entities::member::member as view;
use super::params::{Declared, given, path};
use super::{Answer, Ask};
use crate::world::members::Effective;
use crate::world::model::{Id, Member};

const DECLARED: &[Declared] = &[
    path("id", "id"),
    given("query"),
    given("show_seat_info"),
    given("skip_users"),
    given("state"),
    given("user_ids"),
];

/// `GET /groups/:id/members`
pub fn of_group(ask: &Ask<'_>) -> Answer {
    let group = ask.group()?;
    answer(ask, direct(&group.members))
}

/// `GET /groups/:id/members/all`
pub fn of_group_and_above(ask: &Ask<'_>) -> Answer {
    let group = ask.group()?;
    answer(ask, in_effect(ask.world.effective_group_members(group)))
}

/// `GET /projects/:id/members`
pub fn of_project(ask: &Ask<'_>) -> Answer {
    let project = ask.project()?;
    answer(ask, direct(&project.members))
}

/// `GET /projects/:id/members/all`
pub fn of_project_and_above(ask: &Ask<'_>) -> Answer {
    let project = ask.project()?;
    answer(ask, in_effect(ask.world.effective_members(project)))
}

/// One membership per user, with the highest level the user has by any way.
fn in_effect(members: BTreeMap<Id, Effective<'_>>) -> Vec<Listed<'_>> {
    members.into_values().map(|it| (it.shown, it.access_level)).collect()
}

fn direct(members: &BTreeMap<Id, Member>) -> Vec<Listed<'_>> {
    members.values().map(|it| (it, it.access_level)).collect()
}

/// A membership and the level to show.
type Listed<'a> = (&'a Member, i32);

fn answer(ask: &Ask<'_>, mut members: Vec<Listed<'_>>) -> Answer {
    let wanted: Vec<Id> = ask.query.list("user_ids").iter().filter_map(|id| id.parse().ok()).collect();
    let search = ask.query.get("query").unwrap_or_default().to_lowercase();
    let today = ask.world.now.date_naive();
    members.retain(|(member, _)| {
        let user = ask.world.users.get(&member.user_id);
        member.expires_at.is_none_or(|day| day > today)
            && (wanted.is_empty() || wanted.contains(&member.user_id))
            && user.is_some_and(|it| format!("{} {}", it.name, it.username).to_lowercase().contains(&search))
    });
    members.sort_by_key(|(member, _)| member.user_id);
    let page = ask.page(members.len())?;
    ask.paged(DECLARED, page, &members, |(member, level)| view(ask.world, member, level))
}
