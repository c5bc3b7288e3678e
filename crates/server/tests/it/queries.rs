//! queries.run and schema.list

use serde_json::json;

use crate::harness::Bench;

#[tokio::test]
async fn a_question_is_answered_within_its_limits() {
    let bench = Bench::new().await;
    let answer = bench.post("queries.run", json!({ "sql": "select 1 as one, 'x' as two" })).await.ok(200);
    assert_eq!((&answer["columns"], &answer["rows"]), (&json!(["one", "two"]), &json!([[1, "x"]])));
    let body = json!({ "sql": "select * from generate_series(1, 50)", "max_rows": 10 });
    let answer = bench.post("queries.run", body).await.ok(200);
    assert_eq!((answer["rows"].as_array().unwrap().len(), &answer["truncated"]), (10, &json!(true)));
    let slow = json!({ "sql": "select pg_sleep(30)", "timeout_seconds": 1 });
    let reply = bench.post("queries.run", slow).await;
    assert_eq!(reply.error(), (422, "query_failed"));
    assert!(reply.text.contains("1 seconds"), "{}", reply.text);
}

#[tokio::test]
async fn a_question_changes_nothing() {
    let bench = Bench::new().await;
    for sql in [
        "delete from weir.api_keys",
        "select 1; delete from weir.api_keys",
        "create table mine ()",
        "select from where",
    ] {
        assert_eq!(
            bench.post("queries.run", json!({ "sql": sql })).await.error(),
            (422, "query_failed"),
            "{sql}"
        );
    }
    assert_eq!(
        bench.post("queries.run", json!({ "sql": " " })).await.error(),
        (422, "required_params_missing")
    );
    bench.get("connections.list").await.ok(200);
}

#[tokio::test]
async fn without_a_reader_there_are_no_questions() {
    let bench = Bench::with(|app| app.reader = None).await;
    assert_eq!(
        bench.post("queries.run", json!({ "sql": "select 1" })).await.error(),
        (409, "queries_disabled")
    );
}

#[tokio::test]
async fn every_table_is_listed_with_its_meaning() {
    let bench = Bench::new().await;
    let tables = bench.get("schema.list").await.ok(200)["tables"].take();
    let named = |name: &str| {
        tables.as_array().unwrap().iter().any(|it| it["name"] == name && it["description"].is_string())
    };
    assert!(named("gitlab_merge_requests") && named("weir.connections"));
}
