//! Members of groups and projects: direct, or with those inherited from the groups above.

use std::collections::BTreeMap;

use super::entities::member::member as view;
use super::params::{Declared, given, path};
use super::{Answer, Ask};
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
    answer(ask, group.members.values().collect())
}

/// `GET /groups/:id/members/all`
pub fn of_group_and_above(ask: &Ask<'_>) -> Answer {
    let group = ask.group()?;
    answer(ask, highest(inherited(ask, &ask.world.group_and_ancestors(group.id))))
}

/// `GET /projects/:id/members`
pub fn of_project(ask: &Ask<'_>) -> Answer {
    let project = ask.project()?;
    answer(ask, project.members.values().collect())
}

/// `GET /projects/:id/members/all`
pub fn of_project_and_above(ask: &Ask<'_>) -> Answer {
    let project = ask.project()?;
    let above = inherited(ask, &ask.world.project_groups(project));
    answer(ask, highest(project.members.values().chain(above)))
}

fn inherited<'a>(ask: &Ask<'a>, groups: &[Id]) -> impl Iterator<Item = &'a Member> + use<'a> {
    let world: &'a crate::world::model::World = ask.world;
    let groups: Vec<_> = groups.iter().filter_map(|id| world.groups.get(id)).collect();
    groups.into_iter().flat_map(|group| group.members.values())
}

/// One membership per user: the one with the highest level.
fn highest<'a>(members: impl Iterator<Item = &'a Member>) -> Vec<&'a Member> {
    let mut best: BTreeMap<Id, &Member> = BTreeMap::new();
    for member in members {
        let kept = best.entry(member.user_id).or_insert(member);
        if member.access_level > kept.access_level {
            *kept = member;
        }
    }
    best.into_values().collect()
}

fn answer(ask: &Ask<'_>, mut members: Vec<&Member>) -> Answer {
    let wanted: Vec<Id> = ask.query.list("user_ids").iter().filter_map(|id| id.parse().ok()).collect();
    let search = ask.query.get("query").unwrap_or_default().to_lowercase();
    let today = ask.world.now.date_naive();
    members.retain(|member| {
        let user = ask.world.users.get(&member.user_id);
        member.expires_at.is_none_or(|day| day > today)
            && (wanted.is_empty() || wanted.contains(&member.user_id))
            && user.is_some_and(|it| format!("{} {}", it.name, it.username).to_lowercase().contains(&search))
    });
    members.sort_by_key(|member| member.user_id);
    let page = ask.page(members.len())?;
    ask.paged(DECLARED, page, &members, |member| view(ask.world, member))
}
