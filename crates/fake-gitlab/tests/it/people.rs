//! Members in effect, and the list of all users.

use std::collections::BTreeMap;

use fake_gitlab::truth::effective_members;
use fake_gitlab::world::model::{Id, Namespace, UserType, World};
use serde_json::Value;

use crate::client::{all, first_project, get, tiny};

fn levels(rows: &[Value]) -> BTreeMap<Id, i64> {
    let level = |row: &Value| (row["id"].as_i64().unwrap(), row["access_level"].as_i64().unwrap());
    rows.iter().map(level).collect()
}

/// A group `acme` with a subgroup that holds a project, a group `guests` apart, and somebody.
struct Place {
    top: Id,
    sub: Id,
    project: Id,
    guests: Id,
    ann: Id,
}

fn place(world: &mut World) -> Place {
    let ann = world.create_user("ann", "Ann", UserType::Human);
    let top = world.create_group(None, "Acme", "acme", "private");
    let sub = world.create_group(Some(top), "Sub", "sub", "private");
    let guests = world.create_group(None, "Guests", "guests", "private");
    let project = world.create_project(Namespace::Group(sub), "shop", "shop", "private");
    Place { top, sub, project, guests, ann }
}

fn level(world: &World, place: &Place) -> Option<i32> {
    world.effective_members(&world.projects[&place.project]).get(&place.ann).map(|it| it.access_level)
}

#[test]
fn the_highest_level_of_all_ways_counts() {
    let mut world = World { now: "2026-01-01T00:00:00Z".parse().unwrap(), ..World::default() };
    let it = place(&mut world);
    assert_eq!(level(&world, &it), None);
    world.set_group_member(it.guests, it.ann, 40, None);
    world.invite_group_to_project(it.project, it.guests, 20);
    assert_eq!(level(&world, &it), Some(20), "an invitation bounds the level");
    world.invite_group_to_group(it.sub, it.guests, 30);
    assert_eq!(level(&world, &it), Some(30), "a group invited above counts, too");
    world.set_project_member(it.project, it.ann, 10, None);
    assert_eq!(level(&world, &it), Some(30), "a direct membership does not lower it");
    world.set_group_member(it.top, it.ann, 50, None);
    assert_eq!(level(&world, &it), Some(50));
    world.remove_group_member(it.top, it.ann);
    world.uninvite_group_from_group(it.sub, it.guests);
    world.uninvite_group_from_project(it.project, it.guests);
    assert_eq!(level(&world, &it), Some(10));
    world.set_project_member(it.project, it.ann, 10, "2025-12-31".parse().ok());
    assert_eq!(level(&world, &it), None, "it has ended");
}

#[test]
fn members_above_an_invited_group_count_in_projects_only() {
    let mut world = World { now: "2026-01-01T00:00:00Z".parse().unwrap(), ..World::default() };
    let it = place(&mut world);
    let below = world.create_group(Some(it.guests), "Below", "below", "private");
    world.set_group_member(it.guests, it.ann, 40, None);
    world.invite_group_to_group(it.top, below, 30);
    assert_eq!(level(&world, &it), None);
    world.invite_group_to_project(it.project, below, 30);
    assert_eq!(level(&world, &it), Some(30));
}

#[tokio::test]
async fn members_all_is_the_truth_about_members() {
    let fake = tiny().await;
    let project = first_project(&fake);
    let rows = all(&fake, &format!("/projects/{project}/members/all?per_page=100")).await;
    let truth = effective_members(&fake.world(), &fake.viewer());
    let wanted: BTreeMap<Id, i64> = truth
        .iter()
        .filter(|row| row["project_id"] == project)
        .map(|row| (row["user_id"].as_i64().unwrap(), row["access_level"].as_i64().unwrap()))
        .collect();
    assert_eq!(levels(&rows), wanted);
    assert_eq!(rows.len(), wanted.len(), "nobody twice");
    let direct = all(&fake, &format!("/projects/{project}/members?per_page=100")).await;
    assert!(direct.len() < rows.len());
    let shared = &get(&fake, &format!("/projects/{project}")).await.json()["shared_with_groups"];
    assert_eq!(shared[0]["group_access_level"], 30);
}

#[tokio::test]
async fn members_all_of_a_group_has_those_above_and_invited() {
    let fake = tiny().await;
    let (first, second) = {
        let world = fake.world();
        let mut groups = world.groups.keys().copied();
        (groups.next().unwrap(), groups.next().unwrap())
    };
    let rows = levels(&all(&fake, &format!("/groups/{first}/members/all?per_page=100")).await);
    let world = fake.world();
    let today = world.now.date_naive();
    for member in
        world.groups[&second].members.values().filter(|it| it.expires_at.is_none_or(|day| day > today))
    {
        let own = world.groups[&first].members.get(&member.user_id).map_or(0, |it| it.access_level);
        assert_eq!(rows[&member.user_id], i64::from(own.max(member.access_level.min(20))));
    }
}

#[tokio::test]
async fn users_are_listed_in_short_unless_an_administrator_asks() {
    let fake = tiny().await;
    let rows = all(&fake, "/users?per_page=100").await;
    assert_eq!(rows.len(), fake.world().users.len());
    assert!(rows.iter().all(|row| row.get("email").is_none() && row["username"].is_string()));
    let reader = fake.viewer().user_id;
    fake.world_mut().admins.insert(reader);
    let rows = all(&fake, "/users?pagination=keyset&order_by=id&sort=asc&per_page=20").await;
    assert_eq!(rows.len(), fake.world().users.len());
    assert!(rows.is_sorted_by_key(|row| row["id"].as_i64()));
    assert!(
        rows.iter().all(|row| row["email"].as_str().unwrap().contains('@') && row["created_at"].is_string())
    );
    assert_eq!(rows.iter().filter(|row| row["is_admin"] == true).count(), 1);
    let found = all(&fake, "/users?username=GitLabDuo").await;
    assert_eq!((found.len(), &found[0]["bot"]), (1, &Value::Bool(true)));
    assert!(all(&fake, "/users?humans=true&per_page=100").await.len() < rows.len());
}
