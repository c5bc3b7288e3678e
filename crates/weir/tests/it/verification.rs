//! Each code and reason of verification, on the command line and in JSON.

use catalogue::Connector;
use fake_gitlab::{Edition, FakeGitlab, TokenSpec, TokenState};

use crate::bench::{Bench, Run, finished, weir, words};
use crate::html;

/// The token of these tests.
const TOKEN: &str = "glpat-under-test-0123456789";

/// What verification and a sync say of a token, which is the same for every connector.
async fn check(bench: &Bench, exit: i32, code: &str, reason: &str) -> Run {
    let connectors = Connector::ALL.iter().map(|it| format!(" --connector {}", it.name()));
    let each = connectors.chain([String::new()]);
    for command in each.flat_map(|it| [format!("verify --json{it}"), format!("sync --json{it}")]) {
        let command = command.as_str();
        let run = bench.run_as(TOKEN, command).await.ended_with(exit);
        let object = run.json();
        assert_eq!(object["ok"], false);
        assert_eq!(object["error"]["code"], code, "{command}: {object}");
        assert_eq!(object["error"]["reason"], reason, "{command}: {object}");
        assert!(run.stderr.contains(object["error"]["message"].as_str().unwrap()), "{}", run.stderr);
        assert!(!run.said().contains(TOKEN));
    }
    bench.run_as(TOKEN, "verify --json").await
}

/// A bench whose reader has a second token, in this state.
async fn with_state(state: TokenState) -> Bench {
    let bench = Bench::new().await;
    let user = bench.fake.viewer().user_id;
    bench.fake.state().add_token(TokenSpec { state, ..TokenSpec::personal(TOKEN, user) });
    bench
}

#[tokio::test]
async fn a_good_token_is_verified() {
    let bench = Bench::new().await;
    let run = bench.run("verify").await.ended_with(0);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("merge_requests: readable"), "{}", run.stderr);
    let object = bench.run("verify --connector gitlab --json").await.ended_with(0).json();
    assert_eq!((&object["ok"], &object["error"]), (&true.into(), &serde_json::Value::Null));
    assert!(object["probes"].as_array().unwrap().len() >= 3);
    assert_eq!(object["tokens"][0]["label"], "GITLAB_TOKEN");
}

#[tokio::test]
async fn an_expired_token_is_told() {
    check(&with_state(TokenState::Expired).await, 3, "invalid_credentials", "expired").await;
}

#[tokio::test]
async fn a_revoked_token_is_told() {
    check(&with_state(TokenState::Revoked).await, 3, "invalid_credentials", "revoked").await;
}

#[tokio::test]
async fn an_unknown_token_is_told_with_the_command_to_try() {
    let run = check(&Bench::new().await, 3, "invalid_credentials", "unknown_token").await;
    let curl = run.json()["error"]["curl"].as_str().unwrap().to_owned();
    assert!(curl.starts_with("curl ") && curl.contains("YOUR_ACCESS_TOKEN"), "{curl}");
    assert!(run.stderr.contains(&curl));
}

#[tokio::test]
async fn a_missing_scope_is_named_with_what_the_token_has() {
    let bench = Bench::new().await;
    let user = bench.fake.viewer().user_id;
    let scopes = vec!["read_user".to_owned()];
    bench.fake.state().add_token(TokenSpec { scopes, ..TokenSpec::personal(TOKEN, user) });
    let run = check(&bench, 4, "invalid_permissions", "scope_missing").await;
    assert!(run.stderr.contains("read_api"), "{}", run.stderr);
}

#[tokio::test]
async fn a_role_that_is_too_low_is_told() {
    let bench = Bench::with(FakeGitlab::builder().edition(Edition::Ce)).await;
    let guest = bench.newcomer(TOKEN);
    let mut world = bench.fake.world_mut();
    let private = world.projects.values().find(|it| it.visibility == "private").map(|it| it.id).unwrap();
    world.set_project_member(private, guest, 10, None);
    world.projects.get_mut(&private).unwrap().public_jobs = false;
    drop(world);
    for connector in Connector::ALL {
        let command = format!("verify --json --connector {}", connector.name());
        let object = bench.run_as(TOKEN, &command).await.ended_with(4).json();
        assert_eq!(object["error"]["code"], "invalid_permissions", "{command}: {object}");
        assert_eq!(object["error"]["reason"], "role_too_low");
        assert!(object["error"]["curl"].as_str().unwrap().contains("YOUR_ACCESS_TOKEN"));
    }
}

#[tokio::test]
async fn each_connector_is_verified_by_what_it_reads() {
    let bench = Bench::new().await;
    for connector in Connector::ALL {
        let command = format!("verify --json --connector {}", connector.name());
        let object = bench.run(&command).await.ended_with(0).json();
        let probes: Vec<&str> =
            object["probes"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(&probes[..2], ["groups", "projects"], "{command}");
        assert!(!["groups", "projects"].contains(probes.last().unwrap()), "{command}: {probes:?}");
    }
}

#[tokio::test]
async fn what_no_project_has_switched_on_is_told() {
    let bench = Bench::new().await;
    let projects: Vec<i64> = bench.fake.world().projects.keys().copied().collect();
    for project in projects {
        bench.fake.world_mut().set_builds_access(project, "disabled");
    }
    let object = bench.run("verify --json --connector gitlab_pipelines").await.ended_with(5).json();
    assert_eq!(object["error"]["code"], "no_resources");
    assert_eq!(object["error"]["reason"], "feature_disabled");
    bench.run("verify --json").await.ended_with(0);
}

#[tokio::test]
async fn nothing_in_sight_is_told() {
    let bench = Bench::new().await;
    bench.newcomer(TOKEN);
    check(&bench, 5, "no_resources", "empty").await;
}

#[tokio::test]
async fn a_page_of_something_else_is_not_a_gitlab() {
    let bench = Bench::new().await;
    let url = html::serve().await;
    for command in ["verify", "sync"] {
        let run = bench.run(&format!("{command} --json --url {url}")).await.ended_with(1);
        assert_eq!(run.json()["error"]["reason"], "not_gitlab", "{}", run.stdout);
        assert!(run.stderr.contains("--url"), "{}", run.stderr);
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_told() {
    let bench = Bench::new().await;
    for url in ["http://127.0.0.1:1", "https://no-such-host.invalid"] {
        let run = bench.run(&format!("verify --json --url {url}")).await.ended_with(1);
        assert_eq!(run.json()["error"]["reason"], "unreachable", "{}", run.stdout);
    }
}

#[tokio::test]
async fn no_token_is_an_invalid_credential() {
    let run = finished(weir(&words("verify --json"))).await.ended_with(3);
    assert_eq!(run.json()["error"]["reason"], "no_token");
    assert!(run.stderr.contains("GITLAB_TOKEN"), "{}", run.stderr);
}
