//! Holds the tables against the fake's own truth, row by row and field by field.

use fake_gitlab::truth::{Reading, differences, truth};

use serde_json::{Map, Value};

use crate::harness::Bench;

/// Panics with the first differences. Issues are always read.
pub async fn assert_equal(bench: &Bench, reading: Reading) {
    assert_equal_but(bench, reading, &[]).await;
}

/// The same, apart from some columns.
pub async fn assert_equal_but(bench: &Bench, reading: Reading, apart: &[&str]) {
    let wanted = truth(&bench.fake.world(), &bench.fake.viewer(), reading.with_issues());
    let lost = lost(bench).await;
    let mut wrong = Vec::new();
    for (table, rows) in wanted {
        let mut stored = bench.store.live_rows(table).await.expect("the table can be read");
        // What is stored of a project that is out of sight stays, and the truth does not show it.
        stored.retain(|row| !is_of(table, row, &lost));
        let differences = differences(table, &rows, &stored);
        wrong.extend(differences.into_iter().filter(|it| !apart.iter().any(|name| it.contains(name))));
    }
    let first: Vec<&String> = wrong.iter().take(30).collect();
    assert!(wrong.is_empty(), "{} differences: {first:#?}", wrong.len());
}

/// Whether a row is of one of these projects.
pub fn is_of(table: &str, row: &Map<String, Value>, projects: &[i64]) -> bool {
    let project = if table == "gitlab_projects" { "id" } else { "project_id" };
    row.get(project).and_then(Value::as_i64).is_some_and(|it| projects.contains(&it))
}

/// Projects that were in sight once.
pub async fn lost(bench: &Bench) -> Vec<i64> {
    let found = bench.store.query("select id from gitlab_projects where not api_accessible").await;
    found.expect("the table can be read").rows.iter().filter_map(|row| row[0].as_i64()).collect()
}
