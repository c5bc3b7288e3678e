//! Connections that are deleted with all they brought.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use store::BROUGHT;
use sync::{Clock, SystemClock};

use crate::harness::Bench;

async fn number(bench: &Bench, sql: &str) -> i64 {
    bench.store.query(sql).await.expect("it runs").rows[0][0].as_i64().expect("a number")
}

/// Rows of every table that a connector brings.
async fn rows(bench: &Bench) -> BTreeMap<&'static str, i64> {
    let mut all = BTreeMap::new();
    for (table, _) in BROUGHT.into_iter().flat_map(|it| it.1) {
        all.insert(*table, number(bench, &format!("select count(*) from {table}")).await);
    }
    all
}

async fn synced(bench: &Bench, kind: &str) -> i64 {
    let id = bench.working(kind).await;
    bench.until(id, |it| it["last_synced_at"].is_string()).await;
    id
}

async fn purged(bench: &Bench, id: i64) -> i64 {
    for _ in 0..400 {
        let told = bench.post("connections.delete", json!({ "id": id, "purge": true })).await.ok(200);
        if told["purge"]["state"] == "complete" {
            return told["purge"]["rows"].as_i64().expect("a number");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the purge of connection {id} did not end in 20 s");
}

#[tokio::test]
async fn every_table_of_gitlab_belongs_to_exactly_one_connector() {
    let bench = Bench::new().await;
    let sql = "select table_name::text from information_schema.tables
                where table_schema = 'public' and table_type = 'BASE TABLE' and table_name like 'gitlab\\_%'";
    let found = bench.store.query(sql).await.expect("it runs").rows;
    let listed: Vec<&str> = BROUGHT.into_iter().flat_map(|it| it.1).map(|it| it.0).collect();
    for table in found.iter().map(|it| it[0].as_str().expect("a name")) {
        assert_eq!(listed.iter().filter(|it| **it == table).count(), 1, "{table}");
    }
    // A table of Weir's own that belongs to a project has to go too.
    let sql = "select distinct 'weir.' || table_name from information_schema.columns
                where table_schema = 'weir' and column_name in ('project_id', 'group_id', 'user_id')";
    for table in bench.store.query(sql).await.expect("it runs").rows {
        let table = table[0].as_str().expect("a name").to_owned();
        // Proofs go by instance, rate limits are forgotten by themselves, and who was erased stays erased.
        let others =
            ["weir.proofs", "weir.gates"].contains(&table.as_str()) || table.starts_with("weir.erased_");
        assert!(others || listed.contains(&table.as_str()), "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_removes_what_the_connector_brought_and_nothing_else() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    let gitlab = synced(&bench, "gitlab").await;
    let pipelines = synced(&bench, "gitlab_pipelines").await;
    let before = rows(&bench).await;
    assert!(before["gitlab_pipelines"] > 0 && before["gitlab_jobs"] > 0);
    let told = bench.post("connections.delete", json!({ "id": pipelines, "purge": true })).await.ok(200);
    assert!(told["purge"]["state"].is_string(), "{told}");
    let removed = purged(&bench, pipelines).await;
    assert_eq!(removed, before["gitlab_pipelines"] + before["gitlab_jobs"]);
    let after = rows(&bench).await;
    for (table, count) in &before {
        let gone = ["gitlab_pipelines", "gitlab_jobs"].contains(table);
        assert_eq!(after[table], if gone { 0 } else { *count }, "{table}");
    }
    // It can be read again, whole.
    let again = synced(&bench, "gitlab_pipelines").await;
    assert_eq!(rows(&bench).await["gitlab_jobs"], before["gitlab_jobs"]);
    bench.post("connections.delete", json!({ "id": again })).await.ok(200);
    bench.post("connections.delete", json!({ "id": gitlab, "purge": true })).await.ok(200);
    purged(&bench, gitlab).await;
    assert!(rows(&bench).await.values().all(|it| *it == 0), "{:?}", rows(&bench).await);
    assert_eq!(number(&bench, "select count(*) from weir.partitions").await, 0);
    working.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_another_connection_reads_too_stay() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    let first = synced(&bench, "gitlab").await;
    let second = synced(&bench, "gitlab").await;
    let before = rows(&bench).await;
    let told = bench.post("connections.delete", json!({ "id": first, "purge": true })).await.ok(200);
    assert_eq!(told["purge"], Value::Null);
    assert!(told["warnings"][0].as_str().unwrap().contains("another connection"), "{told}");
    assert_eq!(rows(&bench).await, before);
    bench.post("connections.delete", json!({ "id": second })).await.ok(200);
    assert_eq!(bench.post("connections.delete", json!({ "id": second })).await.error().0, 404);
    // What was deleted without a purge can be purged later.
    bench.post("connections.delete", json!({ "id": second, "purge": true })).await.ok(200);
    purged(&bench, second).await;
    assert!(rows(&bench).await.values().all(|it| *it == 0));
    working.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_that_was_killed_is_gone_on_with_and_counted_once() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    let gitlab = synced(&bench, "gitlab").await;
    let before: i64 = rows(&bench).await.values().sum();
    working.stop().await;
    bench.store.delete_connection(gitlab, SystemClock.now()).await.unwrap();
    bench.store.ask_purge(gitlab, SystemClock.now()).await.unwrap().expect("it is deleted");
    let body = json!({ "type": "gitlab", "settings": { "base_url": bench.gitlab.url() } });
    assert_eq!(bench.post("connections.create", body.clone()).await.error(), (409, "connection_in_use"));
    // One piece, and then a kill.
    let purge = bench.store.claim_purge("killed").await.unwrap().expect("it is there");
    let piece = bench.store.purge_piece(&purge, "killed").await.unwrap();
    assert!(piece > 0);
    assert!(bench.store.claim_purge("other").await.unwrap().is_none(), "it may still live");
    bench.database.execute("update weir.connections set purge_until = now() - interval '1 second'").await;
    let working = bench.work("two");
    assert_eq!(purged(&bench, gitlab).await, before);
    assert_eq!(
        bench.store.purge_piece(&purge, "killed").await.unwrap(),
        0,
        "who lost the lease removes nothing"
    );
    bench.post("connections.create", body).await.ok(201);
    working.stop().await;
}
