//! The truth follows the meaning of rows.

use std::collections::BTreeMap;

use fake_gitlab::Edition;
use fake_gitlab::truth::{Reading, Row, Tables, approval_rules, truth};
use fake_gitlab::world::access::Viewer;
use fake_gitlab::world::change::NewMergeRequest;
use fake_gitlab::world::generate::{READER, Scale, generate};
use fake_gitlab::world::model::{Id, Namespace, UserType, World};
use serde_json::{Value, json};

use crate::client::{all, first_project, tiny};

const GRAPHQL: Reading = Reading::new(true, false);
const REST: Reading = Reading::new(false, true);

fn reader(world: &World) -> Viewer {
    Viewer::of(world.users.values().find(|user| user.username == READER).unwrap().id)
}

/// A world with one merge request by `ann`, reviewed by `bob`.
struct Small {
    world: World,
    mr: Id,
    ann: Id,
    bob: Id,
    bot: Id,
}

impl Small {
    fn new() -> Self {
        let mut world = World { now: "2026-01-01T00:00:00Z".parse().unwrap(), ..World::default() };
        let ann = world.create_user("ann", "Ann", UserType::Human);
        let bob = world.create_user("bob", "Bob", UserType::Human);
        let bot = world.create_user("renovate", "Renovate", UserType::ProjectBot);
        let group = world.create_group(None, "Acme", "acme", "private");
        world.set_group_member(group, ann, 40, None);
        let project_id = world.create_project(Namespace::Group(group), "shop", "shop", "private");
        let mr = world.open_merge_request(NewMergeRequest {
            project_id,
            author_id: ann,
            title: "Add".to_owned(),
            draft: false,
            source_project_id: None,
        });
        Self { world, mr, ann, bob, bot }
    }

    fn wait(&mut self, seconds: i64) {
        self.world.advance(chrono::TimeDelta::seconds(seconds));
    }

    fn tables(&self, reading: Reading) -> Tables {
        truth(&self.world, &Viewer::of(self.ann), reading)
    }

    fn merge_request(&self) -> Row {
        self.tables(GRAPHQL)["gitlab_merge_requests"][0].clone()
    }

    fn reviews(&self) -> Vec<Row> {
        self.tables(GRAPHQL)["gitlab_reviews"].clone()
    }
}

fn words(rows: &[Row]) -> Vec<(&str, i64)> {
    rows.iter()
        .map(|it| (it["review_type"].as_str().unwrap(), it["comment_count"].as_i64().unwrap()))
        .collect()
}

#[test]
fn comments_within_half_an_hour_are_one_sitting() {
    let mut small = Small::new();
    for pause in [100, 1_799, 1_700, 1_900] {
        small.wait(pause);
        small.world.comment(small.mr, small.bob, "hm");
    }
    small.world.comment(small.mr, small.ann, "the author makes none");
    assert_eq!(words(&small.reviews()), [("commented", 3), ("commented", 1)]);
    assert_eq!(small.merge_request()["open_to_first_review"], 100);
}

#[test]
fn bots_make_reviews_that_do_not_count() {
    let mut small = Small::new();
    small.wait(10);
    small.world.comment(small.mr, small.bot, "beep");
    assert_eq!(words(&small.reviews()), [("commented", 1)]);
    assert_eq!(small.merge_request()["first_review_at"], Value::Null);
}

#[test]
fn an_approval_stands_until_it_is_taken_back() {
    let mut small = Small::new();
    small.wait(120);
    small.world.approve(small.mr, small.bob);
    assert_eq!(small.reviews()[0]["approved"], true);
    assert_eq!(small.merge_request()["open_to_first_approval"], 120);
    let approval = &small.tables(GRAPHQL)["gitlab_merge_request_approvals"][0];
    assert_eq!(
        (&approval["approved_at"], &approval["approved_at_source"]),
        (&json!("2026-01-01T00:02:00Z"), &json!("note"))
    );
    let approval = &small.tables(REST)["gitlab_merge_request_approvals"][0];
    assert_eq!(approval["approved_at_source"], "approvals");
    small.wait(60);
    small.world.unapprove(small.mr, small.bob);
    let review = &small.reviews()[0];
    assert_eq!((&review["review_type"], &review["approved"]), (&json!("unapproved"), &json!(false)));
    assert_eq!(
        (&review["created_at"], &review["updated_at"]),
        (&json!("2026-01-01T00:02:00Z"), &json!("2026-01-01T00:03:00Z"))
    );
    assert_eq!(small.merge_request()["first_approval_at"], Value::Null);
    assert_eq!(small.merge_request()["open_to_first_review"], 120);
}

#[test]
fn requested_changes_are_a_verdict() {
    let mut small = Small::new();
    small.world.request_review(small.mr, small.ann, &[small.bob]);
    small.wait(300);
    small.world.request_changes(small.mr, small.bob);
    assert_eq!(words(&small.reviews()), [("changes_requested", 0)]);
    assert_eq!(small.reviews()[0]["time_since_request"], 300);
}

#[test]
fn ready_for_review_is_the_last_time_it_left_draft() {
    let mut small = Small::new();
    assert_eq!(small.merge_request()["ready_for_review"], "2026-01-01T00:00:00Z");
    for draft in [true, false, true] {
        small.wait(600);
        small.world.set_draft(small.mr, small.ann, draft);
    }
    assert_eq!(small.merge_request()["ready_for_review"], Value::Null);
    small.wait(600);
    small.world.set_draft(small.mr, small.ann, false);
    assert_eq!(small.merge_request()["ready_for_review"], "2026-01-01T00:40:00Z");
}

#[test]
fn only_what_is_in_sight_is_true() {
    let world = generate(1, &Scale::tiny());
    let tables = truth(&world, &reader(&world), GRAPHQL);
    assert_eq!(tables["gitlab_groups"].len(), 4);
    assert_eq!(tables["gitlab_projects"].len(), 5);
    let paths: Vec<&Value> = tables["gitlab_projects"].iter().map(|row| &row["path"]).collect();
    assert!(!paths.contains(&&json!("library")), "a shared project is not pulled in");
    let off = tables["gitlab_projects"]
        .iter()
        .find(|row| row["merge_requests_access_level"] == "disabled")
        .unwrap();
    assert!(tables["gitlab_merge_requests"].iter().all(|row| row["project_id"] != off["id"]));
    assert_eq!(truth(&world, &Viewer::of(1), GRAPHQL)["gitlab_projects"].len(), 0);
}

/// The columns of every table of GitLab's, read from a migration.
fn columns(sql: &str) -> BTreeMap<String, Vec<String>> {
    let own = [
        "synced_at",
        "deleted_at",
        "deleted_reason",
        "api_accessible",
        "inaccessible_since",
        "inaccessible_reason",
    ];
    let table = |block: &str| {
        let (name, rest) = block.split_once(" (\n").unwrap();
        let lines = rest.split("\n);").next().unwrap().lines();
        let names = lines.filter_map(|line| line.split_whitespace().next()).filter(|it| *it != "primary");
        let mut names: Vec<String> = names.filter(|it| !own.contains(it)).map(str::to_owned).collect();
        names.sort();
        (name.to_owned(), names)
    };
    sql.split("create table ").skip(1).filter(|it| it.starts_with("gitlab_")).map(table).collect()
}

/// Adds the columns that a later migration adds to tables of an earlier one.
fn add_columns(columns: &mut BTreeMap<String, Vec<String>>, sql: &str) {
    for line in sql.split("alter table ").skip(1) {
        let mut words = line.split_whitespace();
        let known = words.next().and_then(|it| columns.get_mut(it));
        if let (Some(known), Some("add"), Some("column"), Some(column)) =
            (known, words.next(), words.next(), words.next())
        {
            known.push(column.to_owned());
            known.sort();
        }
    }
}

#[test]
fn every_table_and_column_is_told() {
    let world = generate(1, &Scale::tiny());
    let tables = truth(&world, &reader(&world), GRAPHQL);
    assert_columns(tables, include_str!("../../../store/migrations/0001_gitlab.sql"));
    let tables = approval_rules(&world, &reader(&world), Edition::Premium);
    assert_columns(tables, include_str!("../../../store/migrations/0003_approval_rules.sql"));
}

fn assert_columns(tables: Tables, migration: &str) {
    let mut columns = columns(migration);
    add_columns(&mut columns, include_str!("../../../store/migrations/0008_issues.sql"));
    assert_eq!(
        tables.keys().map(|name| (*name).to_owned()).collect::<Vec<_>>(),
        columns.keys().cloned().collect::<Vec<_>>()
    );
    for (name, rows) in tables {
        assert!(!rows.is_empty(), "{name}");
        for row in rows {
            assert_eq!(row.keys().cloned().collect::<Vec<_>>(), columns[name], "{name}");
        }
    }
}

#[test]
fn no_row_is_told_twice() {
    let world = generate(1, &Scale::tiny());
    for (name, rows) in truth(&world, &reader(&world), REST) {
        let mut texts: Vec<String> = rows.iter().map(|row| json!(row).to_string()).collect();
        texts.sort();
        let before = texts.len();
        texts.dedup();
        assert_eq!(before, texts.len(), "{name}");
    }
}

/// What REST serves and what is true are made apart from each other; here they meet.
#[tokio::test]
async fn what_is_served_is_what_is_true() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let tables = truth(&fake.world(), &fake.viewer(), REST);
    let served = all(&fake, &format!("/projects/{id}/merge_requests?per_page=100&sort=asc")).await;
    let mut told: Vec<&Row> =
        tables["gitlab_merge_requests"].iter().filter(|row| row["project_id"] == id).collect();
    told.sort_by_key(|row| row["iid"].as_i64());
    let second = |value: &Value| value.as_str().map(|time| time[..19].to_owned());
    let mut served: Vec<&Value> = served.iter().collect();
    served.sort_by_key(|row| row["iid"].as_i64());
    assert_eq!(told.len(), served.len());
    for (told, served) in told.into_iter().zip(served) {
        for column in [
            "id",
            "iid",
            "title",
            "state",
            "draft",
            "sha",
            "user_notes_count",
            "source_project_id",
            "squash_commit_sha",
        ] {
            assert_eq!(told[column], served[column], "{column}");
        }
        for column in ["created_at", "updated_at", "merged_at", "closed_at"] {
            assert_eq!(second(&told[column]), second(&served[column]), "{column}");
        }
        assert_eq!(told["user_id"], served["author"]["id"]);
        assert_eq!(told["merged_by_user_id"], served["merged_by"]["id"]);
        assert_eq!(told["closed_by_user_id"], served["closed_by"]["id"]);
        assert_eq!(told["milestone_id"], served["milestone"]["id"]);
    }
}
