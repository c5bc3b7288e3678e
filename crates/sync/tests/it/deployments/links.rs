//! The merge requests of deployments: read where they are asked for, and nowhere else.

use chrono::TimeDelta;

use super::{
    LINKS, LINKS_TABLE, TABLES, alone, alone_with_links, asked, assert_nothing_written, assert_tables, bench,
    pass, wanted,
};
use crate::harness::Bench;

fn successful(bench: &Bench) -> u64 {
    wanted(bench, true)["gitlab_deployments"].iter().filter(|it| it["status"] == "success").count() as u64
}

async fn merge_requests_equal_the_truth(seed: u64, graphql: bool) {
    let bench = bench(seed).await;
    alone_with_links(&bench, graphql).await;
    assert_tables(&bench, graphql, &TABLES).await;
    assert_eq!(asked(&bench, LINKS), successful(&bench), "one for each that succeeded");
    pass(&bench, TimeDelta::minutes(1));
    let second = alone_with_links(&bench, graphql).await;
    assert_nothing_written(&second);
    assert_eq!(asked(&bench, LINKS), 0, "what has its merge requests is not asked about again");
}

#[tokio::test(flavor = "multi_thread")]
async fn merge_requests_of_deployments_equal_the_truth() {
    merge_requests_equal_the_truth(831, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn merge_requests_of_deployments_equal_the_truth_by_rest_alone() {
    merge_requests_equal_the_truth(832, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_without_merge_requests_gets_them_later() {
    let bench = bench(833).await;
    alone(&bench, true).await;
    assert_eq!(asked(&bench, LINKS), 0);
    let stored = bench.store.live_rows(LINKS_TABLE).await.expect("the table can be read");
    assert!(stored.is_empty());
    pass(&bench, TimeDelta::hours(1));
    alone_with_links(&bench, true).await;
    assert_eq!(asked(&bench, LINKS), successful(&bench));
    assert_tables(&bench, true, &TABLES).await;
    pass(&bench, TimeDelta::hours(1));
    alone(&bench, true).await;
    alone_with_links(&bench, true).await;
    assert_eq!(asked(&bench, LINKS), 0);
}
