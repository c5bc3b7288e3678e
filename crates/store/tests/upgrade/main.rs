//! Databases of older versions are brought up to date with what they hold.
#![allow(clippy::unwrap_used, reason = "clippy takes the helpers of tests for ordinary code")]

use store::Store;
use store::testing::TestDatabase;

/// Two merge requests, one of which is gone.
const ROWS: &str = "insert into gitlab_merge_requests
       (project_id, id, source_id, iid, title, state, created_at, updated_at, synced_at, deleted_at)
     values (7, 70, 70, 1, 'Add', 'merged', now(), now(), now(), null)
          , (7, 71, 71, 2, 'Take away', 'opened', now(), now(), now(), now())";

async fn value(store: &Store, sql: &str) -> serde_json::Value {
    store.query(sql).await.unwrap().rows[0][0].clone()
}

/// 2 is the last migration of the first version that was in use.
#[tokio::test]
async fn the_schema_of_the_first_version_gets_what_came_later() {
    let (old, new) = (TestDatabase::of_version(2).await, TestDatabase::new().await);
    let rules = "select to_regclass('gitlab_merge_request_approval_rules')";
    assert!(value(&Store::connect(old.url(), 1).await.unwrap(), rules).await.is_null());
    let (upgraded, made) = (old.store().await, new.store().await);
    let schema = async |store: &Store| serde_json::to_value(store.schema().await.unwrap()).unwrap();
    assert_eq!(schema(&upgraded).await, schema(&made).await);
    assert!(!value(&upgraded, rules).await.is_null());
}

#[tokio::test]
async fn what_was_read_before_there_were_rules_is_asked_for_its_own_once() {
    let database = TestDatabase::of_version(2).await;
    database.execute(ROWS).await;
    let store = database.store().await;
    let ask = async || store.ask_for_approval_rules(0, &[7], None).await.unwrap();
    assert_eq!(ask().await, 1, "the one that is still there");
    let pending = "select list || ' ' || project || ' ' || parent || ' ' || iid from weir.pending";
    assert_eq!(value(&store, pending).await, "approval_rules 7 70 1");
    database.execute("delete from weir.pending").await;
    assert_eq!(ask().await, 0);
    database.execute("update gitlab_merge_requests set updated_at = updated_at + interval '1 second'").await;
    assert_eq!(ask().await, 1, "it has moved since");
}

#[tokio::test]
async fn the_same_time_told_more_finely_is_no_move() {
    let database = TestDatabase::new().await;
    database.execute(ROWS).await;
    let set =
        |time: &str| format!("update gitlab_merge_requests set updated_at = '2026-01-01T00:00:00{time}Z'");
    database.execute(&set("")).await;
    let store = database.store().await;
    assert_eq!(store.ask_for_approval_rules(0, &[7], None).await.unwrap(), 1);
    database.execute(&set(".731")).await;
    database.execute("delete from weir.pending").await;
    assert_eq!(store.ask_for_approval_rules(0, &[7], None).await.unwrap(), 0);
}
