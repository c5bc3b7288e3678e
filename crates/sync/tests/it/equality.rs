//! Holds the tables against the fake's own truth, row by row and field by field.

use fake_gitlab::truth::{Reading, differences, truth};

use crate::harness::Bench;

/// Panics with the first differences.
pub async fn assert_equal(bench: &Bench, reading: Reading) {
    assert_equal_but(bench, reading, &[]).await;
}

/// The same, apart from some columns.
pub async fn assert_equal_but(bench: &Bench, reading: Reading, apart: &[&str]) {
    let wanted = truth(&bench.fake.world(), &bench.fake.viewer(), reading);
    let mut wrong = Vec::new();
    for (table, rows) in wanted {
        let stored = bench.store.live_rows(table).await.expect("the table can be read");
        let differences = differences(table, &rows, &stored);
        wrong.extend(differences.into_iter().filter(|it| !apart.iter().any(|name| it.contains(name))));
    }
    let first: Vec<&String> = wrong.iter().take(30).collect();
    assert!(wrong.is_empty(), "{} differences: {first:#?}", wrong.len());
}
