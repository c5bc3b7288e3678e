//! Filters, orders and pages of merge requests.

use fake_gitlab::graphql::{Index, Order};
use fake_gitlab::world::model::World;
use serde_json::Value;

use crate::world::{SECOND, add, at, merge_request, small};
use crate::{ask, data};

fn connection(world: &World, arguments: &str) -> Value {
    let query = format!(
        r#"{{ project(fullPath: "acme/web/shop") {{ mergeRequests({arguments}) {{ count nodes {{ iid }}
        pageInfo {{ hasNextPage hasPreviousPage endCursor startCursor }} }} }} }}"#
    );
    data(world, &query)["project"]["mergeRequests"].clone()
}

fn iids(connection: &Value) -> Vec<&str> {
    connection["nodes"].as_array().unwrap().iter().map(|it| it["iid"].as_str().unwrap()).collect()
}

#[test]
fn a_list_is_read_to_its_end_page_by_page_in_any_order() {
    let world = small();
    let orders = [
        ("UPDATED_ASC", "2 3 4 5 1"),
        ("UPDATED_DESC", "1 5 4 3 2"),
        ("created_asc", "1 2 3 4 5"),
        ("CREATED_DESC", "5 4 3 2 1"),
    ];
    for (sort, expected) in orders {
        let mut seen = Vec::new();
        let mut after = String::new();
        loop {
            let page = connection(&world, &format!("first: 2, sort: {sort}, after: \"{after}\""));
            seen.extend(iids(&page).into_iter().map(str::to_owned));
            assert_eq!(page["count"], 5);
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
        }
        assert_eq!(seen.join(" "), expected, "{sort}");
    }
}

#[test]
fn the_last_elements_come_in_the_order_of_the_list() {
    let world = small();
    let page = connection(&world, "last: 2, sort: UPDATED_ASC");
    assert_eq!(iids(&page), ["5", "1"]);
    assert_eq!(page["pageInfo"]["hasPreviousPage"], true);
    assert_eq!(page["pageInfo"]["hasNextPage"], false);
    let before = page["pageInfo"]["startCursor"].as_str().unwrap();
    assert_eq!(
        iids(&connection(&world, &format!("last: 2, sort: UPDATED_ASC, before: \"{before}\""))),
        ["3", "4"]
    );
}

#[test]
fn updated_filters_include_their_ends_to_the_microsecond() {
    let world = small();
    let count = |arguments: &str| connection(&world, arguments)["count"].as_i64().unwrap();
    assert_eq!(count(r#"updatedAfter: "2025-06-13T00:00:30.000500Z""#), 4);
    assert_eq!(count(r#"updatedAfter: "2025-06-13T00:00:30.000501Z""#), 3);
    assert_eq!(count(r#"updatedBefore: "2025-06-13T00:00:30.000500Z""#), 2);
    assert_eq!(count(r#"updatedBefore: "2025-06-13T00:00:30Z""#), 1);
    assert_eq!(
        count(r#"updatedAfter: "2025-06-13T02:00:30+02:00", updatedBefore: "2025-06-13T00:00:40.0005Z""#),
        2
    );
}

fn walk(world: &World, arguments: &str) -> Vec<i64> {
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = connection(world, &format!("{arguments}, after: \"{after}\""));
        seen.extend(iids(&page).into_iter().map(|iid| iid.parse::<i64>().unwrap()));
        if page["pageInfo"]["hasNextPage"] == false {
            return seen;
        }
        after = page["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    }
}

#[test]
fn among_equal_times_the_highest_id_comes_first() {
    let mut world = small();
    for iid in 6..=30 {
        add(&mut world, merge_request(100 + iid, 11, iid, 9999 * SECOND));
    }
    let tied: Vec<_> = (6..=30).rev().collect();
    assert_eq!(walk(&world, "first: 4, sort: UPDATED_ASC"), [vec![2, 3, 4, 5, 1], tied.clone()].concat());
    assert_eq!(walk(&world, "first: 4, sort: UPDATED_DESC"), [tied, vec![1, 5, 4, 3, 2]].concat());
}

#[test]
fn time_filters_and_cursors_narrow_together() {
    let world = small();
    let window = r#"first: 1, updatedAfter: "2025-06-13T00:00:30Z", updatedBefore: "2025-06-13T00:00:51Z""#;
    assert_eq!(walk(&world, &format!("{window}, sort: UPDATED_ASC")), [3, 4, 5]);
    assert_eq!(walk(&world, &format!("{window}, sort: UPDATED_DESC")), [5, 4, 3]);
    assert_eq!(walk(&world, &format!("{window}, sort: CREATED_DESC")), [5, 4, 3]);
    assert_eq!(walk(&world, r#"first: 1, iids: ["5", "2", "3"], sort: UPDATED_DESC"#), [5, 3, 2]);
}

#[test]
fn other_filters_narrow_the_list() {
    let world = small();
    assert_eq!(iids(&connection(&world, "state: merged")), ["1"]);
    assert_eq!(iids(&connection(&world, r#"iids: ["4", "2", "77"], sort: CREATED_ASC"#)), ["2", "4"]);
    assert_eq!(iids(&connection(&world, r#"sourceBranches: ["branch-3"]"#)), ["3"]);
    assert_eq!(iids(&connection(&world, r#"mergedAfter: "2025-06-13T00:00:00Z""#)), ["1"]);
    assert_eq!(connection(&world, r#"iids: ["4", "2"]"#)["count"], 2);
    assert_eq!(connection(&world, "draft: true")["count"], 0);
}

#[test]
fn a_cursor_of_another_order_is_refused() {
    let world = small();
    let page = connection(&world, "first: 1, sort: CREATED_ASC");
    let cursor = page["pageInfo"]["endCursor"].as_str().unwrap();
    let query = format!(
        r#"{{ project(fullPath: "acme/web/shop") {{ mergeRequests(sort: UPDATED_ASC, after: "{cursor}") {{ count }} }} }}"#
    );
    assert_eq!(ask(&world, &query)["data"]["project"]["mergeRequests"], Value::Null);
}

#[test]
fn the_index_follows_a_changed_merge_request() {
    let mut world = small();
    let mut index = Index::build(&world);
    world.merge_requests.get_mut(&102).unwrap().updated_at = at(90_000 * SECOND);
    world.merge_requests.remove(&103);
    add(&mut world, merge_request(140, 12, 1, 7));
    for id in [102, 103, 140] {
        index.merge_request_changed(&world, id);
    }
    let fresh = Index::build(&world);
    for project in [11, 12] {
        for (updated, ascending) in [(true, true), (true, false), (false, true), (false, false)] {
            let order = Order { updated, ascending };
            assert_eq!(index.ordered(project, order), fresh.ordered(project, order));
        }
        assert_eq!(index.opened(project), fresh.opened(project));
    }
    assert_eq!(index.merge_request(11, 3), None);
}

#[test]
fn the_index_follows_a_renamed_group_and_a_new_label() {
    let mut world = small();
    let mut index = Index::build(&world);
    world.groups.get_mut(&7).unwrap().path = "umbrella".into();
    let label = world.labels[&22].clone();
    world.labels.insert(23, fake_gitlab::world::model::Label { id: 23, ..label });
    index.surroundings_changed(&world);
    assert_eq!((index.project_at("Umbrella/web/shop"), index.project_at("acme/web/shop")), (Some(11), None));
    assert_eq!(index.labels(fake_gitlab::world::model::Owner::Project(11)), [22, 23]);
    assert_eq!(index.merge_request(11, 2), Some(102));
}
