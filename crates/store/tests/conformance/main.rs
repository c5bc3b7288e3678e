//! Every resource of the catalogue against the database, with no code of its own for any of them.
//!
//! The samples are what the fake GitLab answers (`cargo xtask record`); a resource that is added is tested by being in
//! the list.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::{Batch, Instance, Origin, RESOURCES, Reader, Resource, Rows};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use store::testing::TestDatabase;
use store::{Page, Store};

/// The parents under which the samples were read.
const ORIGINS: &str = include_str!("../../../catalogue/samples/origins.json");

fn origin(resource: &Resource) -> Origin {
    let all: Value = serde_json::from_str(ORIGINS).expect("the origins are JSON");
    let id = |name: &str| all[resource.name][name].as_i64().unwrap_or(0);
    let origin = Origin::instance(Instance(0)).project(id("project")).group(id("group"));
    origin.merge_request(id("merge_request")).pipeline(id("pipeline")).deployment(id("deployment"))
}

fn rows(resource: &Resource, reader: &Reader) -> Rows {
    let mut rows = Rows::default();
    let elements: Vec<&RawValue> = serde_json::from_str(reader.sample).expect("a sample is a list");
    assert!(!elements.is_empty(), "{}.{} has no sample", resource.name, reader.name);
    for element in elements {
        if let Err(error) = (reader.read)(&origin(resource), element.get(), &mut rows) {
            panic!("{}.{}: {error} in {}", resource.name, reader.name, element.get());
        }
    }
    rows.pending.clear();
    rows
}

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(minute)
}

/// Writes a sample as if it had been asked for at this minute. Gives how many rows changed.
async fn write(store: &Store, rows: &Rows, minute: i64) -> u64 {
    let page = Page::new(0, rows, at(minute));
    store.forget_seen_users();
    let written = store.write_page(&page).await.expect("the page is written");
    written.values().map(|it| it.written).sum()
}

async fn fresh() -> (TestDatabase, Store) {
    let database = TestDatabase::new().await;
    let store = database.store().await;
    (database, store)
}

/// Everything in a table that a reader brings, by key.
async fn stored(store: &Store, batch: &Batch) -> BTreeMap<String, Map<String, Value>> {
    let sql = format!("select to_jsonb(t) from {} t where deleted_at is null", batch.table.name);
    let result = store.query(&sql).await.expect("the table can be read");
    let keyed = |row: &Value| {
        let row = row.as_object().expect("a row is an object").clone();
        let key = batch.table.key.iter().map(|it| row[*it].to_string()).collect::<Vec<_>>().join("/");
        (key, row)
    };
    result.rows.iter().map(|row| keyed(&row[0])).collect()
}

#[tokio::test]
async fn every_sample_is_read_and_every_column_it_brings_exists_and_is_described() {
    let (_database, store) = fresh().await;
    let schema = store.schema().await.expect("the schema can be read");
    for resource in RESOURCES {
        for reader in resource.readers {
            let rows = rows(resource, reader);
            assert!(!rows.batches.is_empty(), "{}.{} brings no row", resource.name, reader.name);
            for batch in &rows.batches {
                let table = schema.iter().find(|it| it.name == batch.table.name);
                let table = table.unwrap_or_else(|| panic!("there is no table {}", batch.table.name));
                assert!(table.description.is_some(), "{} is not described", table.name);
                assert_eq!(table.key, batch.table.key, "{}", table.name);
                for column in batch.columns {
                    let found = table.columns.iter().find(|it| it.name == *column);
                    assert!(found.is_some_and(|it| it.description.is_some()), "{}.{column}", table.name);
                }
            }
        }
    }
}

#[tokio::test]
async fn every_table_and_column_of_weir_is_described() {
    let (_database, store) = fresh().await;
    for table in store.schema().await.expect("the schema can be read") {
        assert!(table.description.is_some(), "{} is not described", table.name);
        for column in table.columns {
            assert!(column.description.is_some(), "{}.{} is not described", table.name, column.name);
        }
    }
}

#[tokio::test]
async fn a_sample_written_twice_changes_nothing_the_second_time() {
    let (_database, store) = fresh().await;
    for resource in RESOURCES {
        for reader in resource.readers {
            store.clear().await.expect("the tables can be emptied");
            let rows = rows(resource, reader);
            assert!(write(&store, &rows, 1).await > 0, "{}.{}", resource.name, reader.name);
            assert_eq!(write(&store, &rows, 2).await, 0, "{}.{}", resource.name, reader.name);
        }
    }
}

#[tokio::test]
async fn an_older_version_never_wins_and_an_equal_one_does() {
    let (_database, store) = fresh().await;
    for resource in RESOURCES {
        for reader in resource.readers {
            store.clear().await.expect("the tables can be emptied");
            let rows = rows(resource, reader);
            write(&store, &rows, 10).await;
            for batch in &rows.batches {
                let before = stored(&store, batch).await;
                // What is stored was changed meanwhile, by a read of the same time.
                let Some(column) = changeable(batch, &before) else { continue };
                store.set_null(batch.table.name, &column).await.expect("the column can be null");
                let changed = stored(&store, batch).await;
                write(&store, &rows, 9).await;
                assert_eq!(stored(&store, batch).await, changed, "an older {} won", batch.table.name);
                write(&store, &rows, 11).await;
                let after = stored(&store, batch).await;
                let values = |rows: &BTreeMap<String, Map<String, Value>>| {
                    rows.values().map(|it| it[&column].clone()).collect::<Vec<_>>()
                };
                assert_eq!(values(&after), values(&before), "an equal {} did not win", batch.table.name);
            }
        }
    }
}

/// A column that is neither key nor version, brought with a value, and that may be null.
/// One issue as a reader of REST finds it, with this text.
fn issue(text: &str, minute: i64) -> Rows {
    issue_numbered(1, text, minute)
}

fn issue_numbered(id: i64, text: &str, minute: i64) -> Rows {
    let resource = RESOURCES.iter().find(|it| it.name == "issues").expect("there are issues");
    let reader = resource.reader("rest").expect("they are read by REST");
    let mut samples: Vec<Value> = serde_json::from_str(reader.sample).expect("a sample is a list");
    let mut element = samples.swap_remove(0);
    element["id"] = id.into();
    element["iid"] = id.into();
    element["description"] = text.into();
    element["updated_at"] = at(minute).to_rfc3339().into();
    let mut rows = Rows::default();
    (reader.read)(&origin(resource), &element.to_string(), &mut rows).expect("it is read");
    rows
}

#[tokio::test]
async fn an_older_answer_that_comes_late_brings_nothing_back_below_what_is_newer() {
    let (_database, store) = fresh().await;
    let links = async || {
        let sql = "select target from gitlab_issue_links where deleted_at is null order by 1";
        let rows = store.query(sql).await.expect("it runs").rows;
        rows.iter().map(|it| it[0].as_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };
    write(&store, &issue("see https://one.example/a", 1), 1).await;
    assert_eq!(links().await, ["https://one.example/a"]);
    write(&store, &issue("see https://two.example/b", 5), 6).await;
    // Asked for before, and written after.
    write(&store, &issue("see https://three.example/c", 3), 4).await;
    assert_eq!(links().await, ["https://two.example/b"]);
    write(&store, &issue("nothing", 7), 8).await;
    assert!(links().await.is_empty());
}

#[tokio::test]
async fn of_two_answers_of_one_second_the_one_that_was_asked_for_later_counts() {
    let (_database, store) = fresh().await;
    write(&store, &issue("nothing", 5), 6).await;
    write(&store, &issue("see https://one.example/a", 5), 4).await;
    assert_eq!(links_left(&store).await, 0);
    write(&store, &issue("see https://one.example/a", 5), 7).await;
    assert_eq!(links_left(&store).await, 1);
}

async fn links_left(store: &Store) -> i64 {
    let sql = "select count(*) from gitlab_issue_links where deleted_at is null";
    store.query(sql).await.expect("it runs").rows[0][0].as_i64().expect("a number")
}

/// None of the two finds the issue stored when it begins.
#[tokio::test(flavor = "multi_thread")]
async fn two_answers_about_what_was_never_stored_that_are_written_at_once_leave_the_newer() {
    let (_database, store) = fresh().await;
    for id in 1..=60 {
        let (older, newer) =
            (issue_numbered(id, "see https://one.example/a", 3), issue_numbered(id, "nothing", 5));
        let (first, second) = (store.clone(), store.clone());
        let older = tokio::spawn(async move { write(&first, &older, 4).await });
        let newer = tokio::spawn(async move { write(&second, &newer, 6).await });
        older.await.expect("it is written");
        newer.await.expect("it is written");
        assert_eq!(links_left(&store).await, 0, "issue {id}");
    }
}

fn changeable(batch: &Batch, rows: &BTreeMap<String, Map<String, Value>>) -> Option<String> {
    const REQUIRED: &[&str] = &[
        "name",
        "path",
        "full_path",
        "path_with_namespace",
        "title",
        "state",
        "access_level",
        "status",
        "kind",
        "pipeline_id",
    ];
    let fits = |column: &&&str| {
        !batch.table.key.contains(column)
            && batch.table.version != Some(**column)
            && !REQUIRED.contains(column)
            && !["source_id", "iid", "merge_request_id", "system", "created_at"].contains(column)
            && rows.values().any(|row| !row[**column].is_null())
    };
    batch.columns.iter().find(fits).map(|it| (*it).to_owned())
}

#[tokio::test]
async fn readers_in_any_order_lose_no_column_and_the_third_write_changes_nothing() {
    let (_database, store) = fresh().await;
    for resource in RESOURCES {
        for first in resource.readers {
            for second in resource.readers.iter().filter(|it| it.name != first.name) {
                store.clear().await.expect("the tables can be emptied");
                let (one, two) = (rows(resource, first), rows(resource, second));
                write(&store, &one, 1).await;
                let alone = columns_with_values(&store, &one).await;
                write(&store, &two, 2).await;
                let both = columns_with_values(&store, &one).await;
                assert!(
                    both.is_superset(&alone),
                    "{}: {} lost {:?}",
                    resource.name,
                    second.name,
                    alone.difference(&both)
                );
                let third = write(&store, &one, 3).await;
                assert_eq!(third, 0, "{}: {}, {}, {}", resource.name, first.name, second.name, first.name);
            }
        }
    }
}

async fn columns_with_values(store: &Store, rows: &Rows) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for batch in &rows.batches {
        for (key, row) in stored(store, batch).await {
            let filled = batch.columns.iter().filter(|it| !row[**it].is_null());
            found.extend(filled.map(|it| format!("{} {key} {it}", batch.table.name)));
        }
    }
    found
}

#[tokio::test]
async fn what_rest_and_graphql_both_bring_is_equal() {
    let ((_database, by_rest), (_other, by_graphql)) = (fresh().await, fresh().await);
    for resource in RESOURCES {
        let (Some(rest), Some(graphql)) = (resource.reader("rest"), resource.reader("graphql")) else {
            continue;
        };
        let (one, two) = (rows(resource, rest), rows(resource, graphql));
        by_rest.clear().await.expect("the tables can be emptied");
        by_graphql.clear().await.expect("the tables can be emptied");
        write(&by_rest, &one, 1).await;
        write(&by_graphql, &two, 1).await;
        for (left, right) in shared(&one, &two) {
            let (rest, graphql) = (stored(&by_rest, left).await, stored(&by_graphql, right).await);
            let common: Vec<&&str> = left.columns.iter().filter(|it| right.columns.contains(it)).collect();
            assert!(!common.is_empty(), "{}", left.table.name);
            // Samples are cut after some elements, and a thread holds several notes: not every row is in both.
            let in_both: Vec<_> = rest.iter().filter(|(key, _)| graphql.contains_key(*key)).collect();
            assert!(
                !in_both.is_empty(),
                "{}: the samples share no row of {}",
                resource.name,
                left.table.name
            );
            for (key, row) in in_both {
                let other = &graphql[key];
                for column in &common {
                    let (a, b) = (to_the_second(&row[**column]), to_the_second(&other[**column]));
                    assert_eq!(a, b, "{} {key} {column}", left.table.name);
                }
            }
        }
    }
}

/// Batches of the same table, of both readers. Users come in several degrees of detail: only equal ones are compared.
fn shared<'r>(one: &'r Rows, two: &'r Rows) -> Vec<(&'r Batch, &'r Batch)> {
    let pair = |left: &'r Batch| {
        let same = |it: &&Batch| it.table.name == left.table.name;
        let right = two.batches.iter().find(same)?;
        (left.table.name != "gitlab_users" || left.columns == right.columns).then_some((left, right))
    };
    one.batches.iter().filter_map(pair).collect()
}

fn to_the_second(value: &Value) -> Value {
    let is_time = |it: &&str| it.len() >= 19 && it.as_bytes()[10] == b'T' && it.as_bytes()[4] == b'-';
    value.as_str().filter(is_time).map_or_else(|| value.clone(), |it| Value::String(it[..19].to_owned()))
}
