//! A soak of webhooks: a GitLab in which much changes and whose deliveries are lost, doubled and late. Now and then it is
//! let be, and no later than one interval of polling afterwards every table equals the truth. CI runs a short one;
//! `WEIR_SOAK_SECONDS=1800` makes it long, `WEIR_SOAK_SEED` another one (with `cargo test -p weir --test it webhook_soak`).

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use fake_gitlab::truth::{Reading, differences, truth};
use fake_gitlab::world::change::{Kinds, Subject, random_change, random_change_among, random_ci_change};
use fake_gitlab::world::generate::Scale;
use fake_gitlab::{FakeGitlab, Hook, HookFaults, HookOwner, Trigger};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use crate::bench::{Bench, finished};
use crate::serve::{KEY, Serving, serve, with_key};

type Row = Map<String, Value>;

/// The interval of polling, the shortest that there is.
const INTERVAL: Duration = Duration::from_secs(10);
/// How long changes go on between two looks at the truth.
const UNREST: Duration = Duration::from_secs(15);

const CONNECTORS: [&str; 5] =
    ["gitlab", "gitlab_pipelines", "gitlab_commits", "gitlab_commits_trunk", "gitlab_deployments"];
/// What is not shown where CI is switched off.
const OF_CI: [&str; 5] = [
    "gitlab_pipelines",
    "gitlab_jobs",
    "gitlab_environments",
    "gitlab_deployments",
    "gitlab_deployment_merge_requests",
];
/// What the API makes there leaves no sign, and no webhook tells of environments: they are found once a day, or by a sweep.
const OF_THE_API: [&str; 3] =
    ["gitlab_environments", "gitlab_deployments", "gitlab_deployment_merge_requests"];
const TOLD_OF: [Trigger; 10] = [
    Trigger::MergeRequest,
    Trigger::Note,
    Trigger::Push,
    Trigger::Pipeline,
    Trigger::Job,
    Trigger::Deployment,
    Trigger::Issue,
    Trigger::ConfidentialIssue,
    Trigger::ConfidentialNote,
    Trigger::Member,
];

#[tokio::test(flavor = "multi_thread")]
async fn with_a_tenth_of_deliveries_lost_doubled_and_late_the_tables_equal_the_truth_an_interval_later() {
    let seed = number("WEIR_SOAK_SEED").unwrap_or(31);
    let bench = Bench::with(FakeGitlab::builder().scale(Scale::tiny()).seed(seed)).await;
    let serving = serve(&bench, "serve").await;
    let connections = connect(&bench, &serving).await;
    hook(&bench, &serving).await;
    let spoilt = HookFaults { lost: 0.1, duplicated: 0.1, delayed: 0.1, delay_milliseconds: 1500, seed };
    bench.fake.hooks().set_faults(Some(spoilt));
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (began, mut looks, mut changes) = (Instant::now(), 0, 0);
    while looks < 2 || began.elapsed() < length() {
        changes += unrest(&bench, &mut random).await;
        synced_since_now(&bench, &serving, &connections).await;
        equals_the_truth(&bench, looks, &OF_THE_API).await;
        looks += 1;
    }
    for _ in 0..40 {
        random_change_among(&mut bench.fake.world_mut(), &mut random, &[Subject::Deletions]);
    }
    for connection in &connections {
        let body = json!({ "id": connection, "sweep": true });
        assert_eq!(serving.ask("POST", "/api/connections.sync", body).await.0, 200);
    }
    swept(&serving, &connections).await;
    synced_since_now(&bench, &serving, &connections).await;
    equals_the_truth(&bench, looks, &[]).await;
    let counts = bench.fake.hooks().counts();
    let failed = bench.value("select count(*) from weir.inbox where state = 'failed'").await;
    eprintln!("{changes} changes, {looks} looks at the truth, {counts:?}, {failed} given up");
    assert_eq!(failed, 0);
    assert_eq!(serving.terminate().await, 0);
}

fn length() -> Duration {
    number("WEIR_SOAK_SECONDS").map_or(Duration::ZERO, Duration::from_secs)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Every connector, polled as often as may be; the numbers of the connections.
async fn connect(bench: &Bench, serving: &Serving) -> Vec<i64> {
    let mut connections = Vec::new();
    for kind in CONNECTORS {
        let settings = json!({
            "base_url": bench.fake.url(), "sync_every_seconds": INTERVAL.as_secs(), "sweep_every_hours": 0,
            "deployment_merge_requests": kind == "gitlab_deployments",
        });
        let body = json!({ "type": kind, "settings": settings });
        let (status, made) = serving.ask("POST", "/api/connections.create", body).await;
        assert_eq!(status, 201, "{made}");
        let id = made["connection"]["id"].as_i64().unwrap();
        let body = json!({ "secrets": { "api_token": bench.fake.token() } });
        let path = format!("/api/connections/{id}/credentials.create");
        assert_eq!(serving.ask("POST", &path, body).await.0, 201);
        serving.until_synced(id).await;
        connections.push(id);
    }
    connections
}

/// Every top-level group tells of everything.
async fn hook(bench: &Bench, serving: &Serving) {
    let secret = finished(with_key(bench, "webhooks secret --json", KEY)).await.ended_with(0).json();
    let url = format!("http://{}/webhooks/gitlab", serving.address);
    let world = bench.fake.world();
    for group in world.groups.values().filter(|it| it.parent_id.is_none()) {
        let hook = Hook::new(HookOwner::Group(group.id), &url, world.now);
        bench.fake.hooks().add(hook.told_of(&TOLD_OF).with_token(secret["token"].as_str().unwrap()));
    }
}

/// Lets things change for a while; how many did.
async fn unrest(bench: &Bench, random: &mut ChaCha8Rng) -> u64 {
    let (began, mut changes) = (Instant::now(), 0);
    while began.elapsed() < UNREST {
        change(bench, random);
        changes += 1;
        tokio::time::sleep(Duration::from_millis(random.random_range(5..150))).await;
    }
    changes
}

fn change(bench: &Bench, random: &mut ChaCha8Rng) {
    let mut world = bench.fake.world_mut();
    let said = match random.random_range(0..4) {
        0 => random_ci_change(&mut world, random, Kinds::Visible),
        1 => {
            let subjects = [Subject::Trunk, Subject::Branches, Subject::Issues];
            random_change_among(&mut world, random, &subjects)
        }
        _ => random_change(&mut world, random, Kinds::Visible),
    };
    world.advance(TimeDelta::seconds(1));
    if std::env::var_os("WEIR_TEST_CHANGES").is_some() {
        eprintln!("{said}");
    }
}

/// Waits until each connection was synced once from beginning to end, and the inbox is empty.
async fn synced_since_now(bench: &Bench, serving: &Serving, connections: &[i64]) {
    bench.fake.hooks().settled().await;
    let now = bench.value("select to_json(clock_timestamp())").await;
    let now = now.as_str().unwrap().to_owned();
    for connection in connections {
        until(serving, *connection, |it| it["last_synced_at"].as_str().is_some_and(|at| later(at, &now)))
            .await;
    }
    for _ in 0..400 {
        if bench.value("select count(*) from weir.inbox where state = 'due'").await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let left = "select json_agg(json_build_array(event, attempts, note)) from weir.inbox where state = 'due'";
    panic!("the inbox was not emptied in 20 s: {}", bench.value(left).await);
}

fn later(at: &str, than: &str) -> bool {
    let read = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap();
    read(at) > read(than)
}

async fn swept(serving: &Serving, connections: &[i64]) {
    for connection in connections {
        until(serving, *connection, |it| {
            let tasks = it["tasks"].as_array().unwrap();
            tasks.iter().any(|it| it["activity"] == "sweep" && it["outcome"] == "complete")
        })
        .await;
    }
}

async fn until(serving: &Serving, connection: i64, wanted: impl Fn(&Value) -> bool) {
    let path = format!("/api/connections.info/{connection}");
    for _ in 0..1200 {
        if wanted(&serving.ask("GET", &path, Value::Null).await.1["connection"]) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not as wanted in two minutes: {}", serving.ask("GET", &path, Value::Null).await.1);
}

/// Holds the tables against the truth, apart from some.
async fn equals_the_truth(bench: &Bench, look: u64, apart_from: &[&str]) {
    let store = bench.database.store().await;
    let reading = CONNECTORS.into_iter().skip(1).fold(Reading::new(true, false).with_issues(), Reading::with);
    let wanted = truth(&bench.fake.world(), &bench.fake.viewer(), reading);
    let (off, emptied) = (without_ci(bench), without_issues(&store).await);
    for (table, rows) in wanted.into_iter().filter(|it| !apart_from.contains(&it.0)) {
        let mut stored = store.live_rows(table).await.unwrap();
        let within =
            |row: &Row, projects: &[i64]| projects.contains(&row["project_id"].as_i64().unwrap_or_default());
        let (of_ci, of_issues) = (OF_CI.contains(&table), table.starts_with("gitlab_issue"));
        stored.retain(|row| !(of_ci && within(row, &off) || of_issues && within(row, &emptied)));
        let wrong = differences(table, &rows, &stored);
        // People who appear nowhere any more stay known; a bridge that was read tells nothing of what came into sight since.
        let apart = |it: &&String| !it.starts_with("gitlab_users") && !it.contains(" downstream_");
        let wrong: Vec<&String> = wrong.iter().filter(apart).take(10).collect();
        assert!(wrong.is_empty(), "look {look}, {table}: {wrong:#?}");
    }
}

/// Projects of which a sweep says that GitLab counts no issue where some are stored, and that it has marked none: when the only
/// issue is deleted, that cannot be told from lost access.
async fn without_issues(store: &store::Store) -> Vec<i64> {
    let sql = "select project_id from weir.proofs
                where resource = 'issues' and state = 'unproved' and detail like 'GitLab counts none%'";
    store.query(sql).await.unwrap().rows.iter().filter_map(|row| row[0].as_i64()).collect()
}

/// What was read while a feature was on stays when it is switched off, and the truth does not show it.
fn without_ci(bench: &Bench) -> Vec<i64> {
    let world = bench.fake.world();
    world.projects.values().filter(|it| it.builds_access_level == "disabled").map(|it| it.id).collect()
}
