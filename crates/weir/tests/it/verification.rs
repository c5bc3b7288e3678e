//! Each code and reason of verification, on the command line and in JSON.

use catalogue::Connector;
use fake_gitlab::faults::Scripted;
use fake_gitlab::world::model::{Namespace, Project, UserType, World};
use fake_gitlab::{Edition, FakeGitlab, TokenSpec, TokenState};
use serde_json::Value;

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

/// The probes after groups and projects.
fn last_probes(object: &Value) -> Vec<&str> {
    let probes = object["probes"].as_array().unwrap();
    let names: Vec<&str> = probes.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names[0], "groups");
    let mut names: Vec<&str> = names[1..].iter().copied().skip_while(|it| *it == "projects").collect();
    names.dedup();
    names
}

#[tokio::test]
async fn each_connector_is_verified_by_what_it_reads() {
    let bench = Bench::new().await;
    let wanted: [(Connector, &[&str]); 5] = [
        (Connector::Gitlab, &["merge_requests"]),
        (Connector::GitlabPipelines, &["pipelines"]),
        (Connector::GitlabCommits, &["merge_requests", "merge_request_commits"]),
        (Connector::GitlabCommitsTrunk, &["commits"]),
        (Connector::GitlabDeployments, &["deployments"]),
    ];
    assert_eq!(wanted.map(|it| it.0), Connector::ALL);
    for (connector, probes) in wanted {
        let command = format!("verify --json --connector {}", connector.name());
        let object = bench.run(&command).await.ended_with(0).json();
        assert_eq!(last_probes(&object), probes, "{command}");
    }
}

#[tokio::test]
async fn commits_that_are_refused_while_merge_requests_are_not_are_told_with_their_own_command() {
    let bench = Bench::new().await;
    let refusal = Scripted::json(403, r#"{"message":"403 Forbidden"}"#);
    bench.fake.faults().aim("/commits?per_page=1", refusal);
    let object = bench.run("verify --json --connector gitlab_commits").await.ended_with(4).json();
    assert_eq!(object["error"]["code"], "invalid_permissions");
    assert_eq!(object["error"]["reason"], "role_too_low");
    let curl = object["error"]["curl"].as_str().unwrap();
    assert!(curl.ends_with("/commits?per_page=1'") && curl.contains("/merge_requests/"), "{curl}");
    // Several merge requests are tried, each in a project of its own, before the verdict.
    let refused = object["probes"].as_array().unwrap().iter().filter(|it| it["ok"] == false);
    assert!(refused.filter(|it| it["name"] == "merge_request_commits").count() > 1, "{object}");
    bench.run("verify --json --connector gitlab").await.ended_with(0);
}

#[tokio::test]
async fn a_project_without_a_merge_request_is_no_obstacle_to_its_commits() {
    let bench = Bench::with(FakeGitlab::builder().edition(Edition::Ce)).await;
    let member = bench.newcomer(TOKEN);
    bench.fake.world_mut().create_project(Namespace::User(member), "Empty", "empty", "private");
    let object = bench.run_as(TOKEN, "verify --json --connector gitlab_commits").await.ended_with(0).json();
    assert_eq!(last_probes(&object), ["merge_requests"], "{object}");
}

/// A token of a new user, who is a member of one private project in which merge requests and commits are.
fn member(bench: &Bench, token: &str, level: i32, change: impl FnOnce(&mut World, i64)) {
    let mut world = bench.fake.world_mut();
    let user = world.create_user(token, token, UserType::Human);
    let others = |it: &&Project| it.visibility == "private" && !it.archived && it.default_branch.is_some();
    let others: Vec<i64> = world.projects.values().filter(others).map(|it| it.id).collect();
    let project = others[usize::from(level > 10)];
    world.set_project_member(project, user, level, None);
    change(&mut world, project);
    drop(world);
    bench.fake.state().add_token(TokenSpec::personal(token, user));
}

fn all_off(world: &mut World, project: i64) {
    world.set_builds_access(project, "disabled");
    world.set_repository_access(project, "disabled");
}

fn private_jobs(world: &mut World, project: i64) {
    world.projects.get_mut(&project).unwrap().public_jobs = false;
}

/// One world with a token for each reason.
async fn with_every_failure() -> Bench {
    let bench = Bench::with(FakeGitlab::builder().edition(Edition::Ce)).await;
    let user = bench.fake.viewer().user_id;
    let add = |spec| bench.fake.state().add_token(spec);
    add(TokenSpec { state: TokenState::Expired, ..TokenSpec::personal("token-expired", user) });
    add(TokenSpec { scopes: vec!["read_user".to_owned()], ..TokenSpec::personal("token-scopeless", user) });
    bench.newcomer("token-empty");
    member(&bench, "token-guest", 10, private_jobs);
    member(&bench, "token-of-nothing", 30, all_off);
    bench
}

#[tokio::test]
async fn every_code_is_told_for_every_connector_to_people_and_to_programs() {
    let bench = with_every_failure().await;
    let wanted = [
        ("token-expired", 3, "invalid_credentials", "expired"),
        ("token-unheard-of", 3, "invalid_credentials", "unknown_token"),
        ("token-scopeless", 4, "invalid_permissions", "scope_missing"),
        ("token-guest", 4, "invalid_permissions", "role_too_low"),
        ("token-empty", 5, "no_resources", "empty"),
        ("token-of-nothing", 5, "no_resources", "feature_disabled"),
    ];
    for (connector, (token, exit, code, reason)) in
        Connector::ALL.into_iter().flat_map(|it| wanted.map(|case| (it, case)))
    {
        let command = format!("verify --connector {}", connector.name());
        let object = bench.run_as(token, &format!("{command} --json")).await.ended_with(exit).json();
        let error = &object["error"];
        assert_eq!(object["ok"], false);
        assert_eq!((&error["code"], &error["reason"]), (&code.into(), &reason.into()), "{command}: {object}");
        let run = bench.run_as(token, &command).await.ended_with(exit);
        assert_eq!(run.stdout, "", "{command}");
        let (message, curl) = (error["message"].as_str().unwrap(), error["curl"].as_str().unwrap());
        assert!(run.stderr.contains(message) && run.stderr.contains(curl), "{command}: {}", run.stderr);
        assert!(!run.said().contains(token), "{command}: {}", run.said());
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
