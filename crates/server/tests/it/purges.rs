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

/// What was deleted was deleted long enough ago for a purge to begin.
async fn age(bench: &Bench) {
    let long_ago = "update weir.connections set deleted_at = deleted_at - interval '3 minutes' where deleted_at is not null";
    bench.database.execute(long_ago).await;
}

async fn purged(bench: &Bench, id: i64) -> i64 {
    age(bench).await;
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
    assert!(bench.store.claim_purge("early").await.unwrap().is_none(), "a delivery may still be read");
    age(&bench).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_waits_for_syncs_of_its_connector_that_live() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    synced(&bench, "gitlab").await;
    let pipelines = synced(&bench, "gitlab_pipelines").await;
    working.stop().await;
    bench.store.delete_connection(pipelines, SystemClock.now()).await.unwrap();
    bench.store.ask_purge(pipelines, SystemClock.now()).await.unwrap().expect("it is deleted");
    age(&bench).await;
    let connectors = ["gitlab_pipelines".to_owned()];
    let run =
        store::Run { instance: 0, connectors: &connectors, scope: "hand", connection: None, owner: "hand" };
    let joined = bench.store.join_sync(&run, SystemClock.now()).await.unwrap();
    assert!(joined.leadership.is_some());
    assert!(bench.store.claim_purge("one").await.unwrap().is_none(), "a sync by hand runs");
    // Its process dies, and nobody ends the run.
    drop(joined);
    let mut claimed = None;
    for _ in 0..100 {
        claimed = bench.store.claim_purge("one").await.unwrap();
        if claimed.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(claimed.is_some(), "the dead hold up nobody");
    assert_eq!(number(&bench, "select count(*) from weir.syncs where state = 'running'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_goes_on_where_it_was_and_finds_what_came_behind_it() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    synced(&bench, "gitlab").await;
    let pipelines = synced(&bench, "gitlab_pipelines").await;
    working.stop().await;
    let jobs = "insert into gitlab_jobs (project_id, id, pipeline_id, source_id, kind, status, synced_at)
                select $project, 1000000 + n, 1, 1000000 + n, 'build', 'success', now() from generate_series(1, $count) as n";
    let jobs = |project: i64, count: i64| {
        jobs.replace("$project", &project.to_string()).replace("$count", &count.to_string())
    };
    bench.database.execute(&jobs(1_000_000, 6_000)).await;
    let before = rows(&bench).await;
    bench.store.delete_connection(pipelines, SystemClock.now()).await.unwrap();
    bench.store.ask_purge(pipelines, SystemClock.now()).await.unwrap().expect("it is deleted");
    age(&bench).await;
    let purge = bench.store.claim_purge("one").await.unwrap().expect("it is there");
    assert_eq!(bench.store.purge_piece(&purge, "one").await.unwrap(), 5_000);
    bench.database.execute(&jobs(1, 1)).await;
    let mut removed = 5_000;
    loop {
        match bench.store.purge_piece(&purge, "one").await.unwrap() {
            0 => break,
            piece => removed += i64::try_from(piece).unwrap(),
        }
    }
    assert_eq!(removed, before["gitlab_jobs"] + before["gitlab_pipelines"] + 1);
    assert_eq!(number(&bench, "select count(*) from gitlab_jobs").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_leaves_the_deliveries_of_a_gitlab_whose_address_only_begins_alike() {
    let bench = Bench::new().await;
    let gitlab = bench.connection("gitlab").await;
    let (own, other) = (bench.gitlab.url().to_owned(), format!("{}0", bench.gitlab.url()));
    let delivery = |key: u8, sender: &str| store::Delivery {
        key: vec![key; 16],
        sender: Some(sender.to_owned()),
        event: "note".to_owned(),
        body: "{}".to_owned(),
        received_at: SystemClock.now(),
    };
    let slashed = format!("{own}/");
    let deliveries = [delivery(1, &own), delivery(2, &slashed), delivery(3, &other)];
    bench.store.receive(&deliveries).await.unwrap();
    bench.post("connections.delete", json!({ "id": gitlab, "purge": true })).await.ok(200);
    let working = bench.work("one");
    purged(&bench, gitlab).await;
    working.stop().await;
    let left = bench.store.query("select sender from weir.inbox").await.expect("it runs").rows;
    assert_eq!(left, [[json!(other)]]);
}
