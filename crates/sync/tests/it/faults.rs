//! Answers that fail in every way, limits, revoked tokens, and a world that moves while it is read.

use std::sync::Arc;
use std::time::Duration;

use catalogue::Connector;
use fake_gitlab::faults::{ALL_FAULTS, Fault, FaultPlan};
use fake_gitlab::truth::Reading;
use fake_gitlab::world::change::{Kinds, random_change};
use fake_gitlab::world::generate::Scale;
use fake_gitlab::{FakeGitlab, TokenSpec};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sync::{Outcome, Progress, Stop};

use crate::equality::{assert_equal, assert_equal_but};
use crate::harness::{Bench, options};

const TOKENS: [&str; 3] = ["glpat-first-of-three", "glpat-second-of-three", "glpat-third-of-three"];

/// A fake with three tokens of one user, one of which is revoked in the middle, and a twentieth of all answers spoilt.
async fn troubled(seed: u64) -> Bench {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(seed)).await;
    let user = bench.fake.viewer().user_id;
    for token in TOKENS {
        bench.fake.state().add_token(TokenSpec::personal(token, user));
    }
    bench.fake.faults().set_plan(Some(FaultPlan::new(0.05, ALL_FAULTS, seed)));
    bench.fake.faults().revoke_token_at(25, TOKENS[1]);
    bench
}

async fn storm(bench: &Bench) {
    for _ in 0..12 {
        bench.fake.faults().too_many_requests_next(1);
    }
}

async fn reads_the_truth_in_spite_of_it_all(seed: u64, rest_only: bool) {
    let bench = troubled(seed).await;
    storm(&bench).await;
    let client = bench.client_with(&TOKENS);
    let mut options = options();
    options.rest_only = rest_only;
    let syncing = sync::run(client, bench.store.clone(), options, Default::default(), Default::default());
    let second_storm = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        storm(&bench).await;
    };
    let (outcome, ()) = tokio::join!(syncing, second_storm);
    assert!(outcome.ok, "{:?}", outcome.error);
    assert!(
        outcome.skips.iter().all(|it| it.reason == "feature_disabled" || it.reason == "graphql_off"),
        "{:?}",
        outcome.skips
    );
    assert!(outcome.waited_seconds > 0.5, "the storms were waited out: {outcome:?}");
    assert_equal(&bench, Reading::new(!rest_only, false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_storms_and_a_revoked_token_change_nothing_by_graphql() {
    reads_the_truth_in_spite_of_it_all(21, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_storms_and_a_revoked_token_change_nothing_by_rest_alone() {
    reads_the_truth_in_spite_of_it_all(22, true).await;
}

/// Projects are renamed and moved, merge requests change, while they are read; the sync after it finds the rest.
async fn a_moving_world_is_read(seed: u64, rest_only: bool) {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(seed)).await;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    bench.fake.faults().on_every_request(move |_, world| {
        if random.random_bool(0.7) {
            random_change(world, &mut random, Kinds::Visible);
        }
    });
    let first = bench.sync_with(|it| it.rest_only = rest_only).await;
    assert!(first.ok, "{:?}", first.error);
    bench.fake.faults().stop_hooks();
    let second = bench.sync_with(|it| it.rest_only = rest_only).await;
    assert!(second.ok, "{:?}", second.error);
    assert_equal(&bench, Reading::new(!rest_only, false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_that_moves_while_it_is_read_is_right_after_the_next_sync() {
    a_moving_world_is_read(31, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_that_moves_while_it_is_read_by_rest_is_right_after_the_next_sync() {
    a_moving_world_is_read(32, true).await;
}

/// The sync is dropped at random moments, as a killed process would be, and started again.
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_is_cut_short_at_random_moments_goes_on_where_it_stopped() {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(41)).await;
    let mut random = ChaCha8Rng::seed_from_u64(41);
    for _ in 0..50 {
        let syncing =
            sync::run(bench.client(), bench.store.clone(), options(), Default::default(), Default::default());
        let _ = tokio::time::timeout(Duration::from_millis(random.random_range(1..250)), syncing).await;
    }
    let outcome = bench.sync().await;
    assert!(outcome.ok, "{:?}", outcome.error);
    assert_equal(&bench, Reading::new(true, false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_token_is_revoked_the_sync_ends_with_invalid_credentials() {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(51)).await;
    bench.fake.faults().revoke_token_at(6, bench.fake.token());
    let outcome = bench.sync().await;
    let failure = outcome.error.expect("it fails");
    assert_eq!((failure.code, failure.reason.as_str()), ("invalid_credentials", "revoked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_syncs_at_once_share_the_work_and_read_nothing_twice() {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(61)).await;
    let alone = {
        let other = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(61)).await;
        other.sync().await.requests
    };
    let run =
        || sync::run(bench.client(), bench.store.clone(), options(), Default::default(), Default::default());
    let (one, two) = tokio::join!(run(), run());
    assert!(one.ok && two.ok, "{:?} {:?}", one.error, two.error);
    assert_eq!(one.requests + two.requests, alone, "{} and {}", one.requests, two.requests);
    assert_equal(&bench, Reading::new(true, false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_asked_to_stop_says_so_and_the_next_one_goes_on() {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(71)).await;
    let stop = sync::Stop::default();
    stop.ask();
    let outcome = sync::run(bench.client(), bench.store.clone(), options(), Default::default(), stop).await;
    assert_eq!(outcome.error.map(|it| it.code), Some("stopped"));
    assert!(bench.sync().await.ok);
    assert_equal(&bench, Reading::new(true, false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_waits_for_a_limit_stops_when_it_is_asked_to() {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(72)).await;
    for _ in 0..40 {
        bench.fake.faults().too_many_requests_next(3600);
    }
    let stop = sync::Stop::default();
    let syncing = sync::run(bench.client(), bench.store.clone(), options(), Default::default(), stop.clone());
    let asking = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.ask();
    };
    let (outcome, ()) = tokio::join!(syncing, asking);
    assert_eq!(outcome.error.map(|it| it.code), Some("stopped"));
}

/// Every connection ends, again and again, while pages are written.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_restarted_in_the_middle_is_waited_for_and_loses_nothing() {
    let latency = Duration::from_millis(30);
    let builder = FakeGitlab::builder().scale(Scale::tiny()).seed(109).latency(latency, Duration::ZERO);
    let bench = Bench::new(builder).await;
    let mut options = options();
    options.connectors = Connector::ALL.to_vec();
    let client = bench.client();
    let syncing = sync::run(client, bench.store.clone(), options, Default::default(), Default::default());
    let mut syncing = std::pin::pin!(syncing);
    let mut cut = 0;
    let outcome = loop {
        tokio::select! {
            outcome = &mut syncing => break outcome,
            () = tokio::time::sleep(Duration::from_millis(250)), if cut < 4 => {
                bench.cut_off().await;
                cut += 1;
            }
        }
    };
    assert!(outcome.ok, "{outcome:?}");
    assert!(cut > 1, "the sync was over before the database went away: {cut}");
    let every = Connector::ALL.iter().fold(Reading::new(true, false), |it, each| it.with(each.name()));
    assert_equal_but(&bench, every, &["gitlab_deployment_merge_requests"]).await;
}

/// Nothing but 503 for as long as every retry takes, and longer.
#[tokio::test(flavor = "multi_thread")]
async fn a_gitlab_that_goes_away_in_the_middle_is_waited_for() {
    let builder = FakeGitlab::builder().scale(Scale::tiny()).seed(110);
    let bench = Bench::new(builder.latency(Duration::from_millis(30), Duration::ZERO)).await;
    let mut config = bench.config(&[bench.fake.token()]);
    config.retry.attempts = 2;
    let client = gitlab_client::Client::new(config).expect("the client is made");
    let syncing = sync::run(client, bench.store.clone(), options(), Default::default(), Default::default());
    let upgrade = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        bench.fake.faults().set_plan(Some(FaultPlan::new(1.0, &[Fault::Unavailable], 1)));
        tokio::time::sleep(Duration::from_secs(4)).await;
        bench.fake.faults().set_plan(None);
    };
    let (outcome, ()) = tokio::join!(syncing, upgrade);
    assert!(outcome.ok, "{outcome:?}");
    assert!(outcome.duration_seconds > 4.0, "GitLab went away after the sync: {outcome:?}");
    assert_equal(&bench, Reading::new(true, false)).await;
}

/// Nothing but 503.
fn away() -> Option<FaultPlan> {
    Some(FaultPlan::new(1.0, &[Fault::Unavailable], 1))
}

/// Returns when a sync is in this phase.
async fn until(progress: &Progress, phase: &str) {
    while progress.phase() != phase {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A sync that gives up after one attempt, and what is done to its GitLab meanwhile.
async fn meanwhile(bench: &Bench, stop: Stop, happens: impl AsyncFnOnce(&Progress)) -> Outcome {
    let mut config = bench.config(&[bench.fake.token()]);
    config.retry.attempts = 1;
    let client = gitlab_client::Client::new(config).expect("the client is made");
    let progress = Arc::<Progress>::default();
    let syncing = sync::run(client, bench.store.clone(), options(), progress.clone(), stop);
    let mut syncing = std::pin::pin!(syncing);
    tokio::select! {
        outcome = &mut syncing => outcome,
        () = happens(&progress) => syncing.await,
    }
}

async fn slow(seed: u64) -> Bench {
    let builder = FakeGitlab::builder().scale(Scale::tiny()).seed(seed);
    Bench::new(builder.latency(Duration::from_millis(30), Duration::ZERO)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gitlab_that_goes_away_during_discovery_is_waited_for_and_each_run_records_its_own() {
    let bench = slow(112).await;
    let outcome = meanwhile(&bench, Stop::default(), async |progress| {
        until(progress, "discovering").await;
        bench.fake.faults().set_plan(away());
        until(progress, "waiting for GitLab").await;
        bench.fake.faults().set_plan(None);
    });
    let outcome = outcome.await;
    assert!(outcome.ok, "{outcome:?}");
    assert_equal(&bench, Reading::new(true, false)).await;
    let recorded = "select count(*), sum(requests)::bigint, sum((resources->'gitlab_groups'->>'read')::bigint)::bigint from weir.syncs";
    let recorded = bench.store.query(recorded).await.expect("it runs").rows.remove(0);
    let groups = outcome.resources["gitlab_groups"].read;
    assert_eq!(recorded, [2, outcome.requests, groups].map(serde_json::Value::from));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gitlab_that_comes_back_and_goes_away_again_is_waited_for() {
    let bench = slow(113).await;
    let outcome = meanwhile(&bench, Stop::default(), async |progress| {
        until(progress, "reading").await;
        bench.fake.faults().set_plan(away());
        until(progress, "waiting for GitLab").await;
        // It answers who looks whether it is back, and not the run that begins then.
        bench.fake.faults().answer_next_with(200, r#"{"version":"18.5.0"}"#);
        bench.fake.faults().fault_next(Fault::Unavailable);
        bench.fake.faults().set_plan(None);
    });
    let outcome = outcome.await;
    assert!(outcome.ok, "{outcome:?}");
    assert_equal(&bench, Reading::new(true, false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_waits_for_gitlab_stops_when_it_is_asked_to() {
    let (bench, stop) = (slow(114).await, Stop::default());
    let outcome = meanwhile(&bench, stop.clone(), async |progress| {
        until(progress, "reading").await;
        bench.fake.faults().set_plan(away());
        until(progress, "waiting for GitLab").await;
        stop.ask();
    });
    assert_eq!(outcome.await.error.map(|it| it.code), Some("stopped"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gitlab_that_is_away_at_the_very_first_question_is_not_waited_for() {
    let bench = slow(115).await;
    bench.fake.faults().set_plan(away());
    let outcome = meanwhile(&bench, Stop::default(), async |_| {}).await;
    assert!(outcome.error.is_some() && outcome.requests <= 2, "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gitlab_that_stays_away_ends_the_sync_when_patience_does() {
    let builder = FakeGitlab::builder().scale(Scale::tiny()).seed(111);
    let bench = Bench::new(builder.latency(Duration::from_millis(30), Duration::ZERO)).await;
    let mut config = bench.config(&[bench.fake.token()]);
    config.retry.attempts = 2;
    let client = gitlab_client::Client::new(config).expect("the client is made");
    let mut options = options();
    options.patience = Duration::from_secs(2);
    let syncing = sync::run(client, bench.store.clone(), options, Default::default(), Default::default());
    let ending = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        bench.fake.faults().set_plan(Some(FaultPlan::new(1.0, &[Fault::Unavailable], 1)));
    };
    let (outcome, ()) = tokio::join!(syncing, ending);
    let error = outcome.error.expect("it ended early");
    assert_eq!(error.reason, "unavailable", "{error:?}");
    assert!(outcome.duration_seconds > 2.0, "it was not waited for");
}
