//! Holds the tables against the fake's own truth, row by row and field by field.

use fake_gitlab::truth::{Reading, differences, truth};

use crate::harness::Bench;

/// Panics with the first differences. Issues are always read.
pub async fn assert_equal(bench: &Bench, reading: Reading) {
    let wanted = truth(&bench.fake.world(), &bench.fake.viewer(), reading.with_issues());
    let mut wrong = Vec::new();
    for (table, rows) in wanted {
        let stored = bench.store.live_rows(table).await.expect("the table can be read");
        wrong.extend(differences(table, &rows, &stored));
    }
    let first: Vec<&String> = wrong.iter().take(30).collect();
    assert!(wrong.is_empty(), "{} differences: {first:#?}", wrong.len());
}
