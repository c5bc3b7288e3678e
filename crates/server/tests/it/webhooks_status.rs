//! `webhooks.status`, and `weir webhooks install` to the row that changes.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use fake_gitlab::{Edition, FakeGitlab, Hook, HookOwner, TokenKind, TokenSpec, Trigger};
use serde_json::{Value, json};
use store::{GapWindow, WebhookHint, WebhookRow};
use sync::connection::{Settings, Token};
use sync::hooks::{Address, Named, Secret, Secrets, Wish, client_of, install};
use sync::{Clock, SystemClock};

use crate::harness::{Bench, Reply};

async fn secrets(bench: &Bench) -> Secrets {
    let all = bench.store.webhook_secrets(&bench.ring, SystemClock.now()).await.expect("secrets");
    let one = |signing: bool| {
        let found = all.iter().find(|it| it.signing == signing && it.valid_until.is_none()).expect("one");
        Secret { id: found.id, value: found.secret.clone() }
    };
    Secrets { token: one(false), signing: one(true) }
}

async fn token(bench: &Bench) -> String {
    use secrecy::ExposeSecret;
    secrets(bench).await.token.value.expose_secret().to_owned()
}

async fn deliver(bench: &Bench, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
    let mut request = Request::builder().method("POST").uri("/webhooks/gitlab");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    bench.send(request.body(body.into()).expect("a request")).await
}

/// The status once it is as wanted.
async fn until(bench: &Bench, wanted: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..200 {
        let status = bench.get("webhooks.status").await.ok(200);
        if wanted(&status) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not become so: {}", bench.get("webhooks.status").await.text);
}

#[tokio::test]
async fn what_came_waits_and_was_refused_is_told() {
    let bench = Bench::new().await;
    let empty = bench.get("webhooks.status").await.ok(200);
    assert_eq!(
        (&empty["waiting"]["count"], &empty["waiting"]["oldest_received_at"]),
        (&json!(0), &Value::Null)
    );
    assert_eq!(
        (&empty["delay"], &empty["events"], &empty["refused"]),
        (&Value::Null, &json!([]), &json!([]))
    );
    let (secret, base) = (token(&bench).await, bench.gitlab.url().to_owned());
    let body =
        json!({ "object_kind": "merge_request", "project": { "id": 1 }, "object_attributes": { "iid": 1 } });
    let good = [
        ("x-gitlab-token", secret.as_str()),
        ("x-gitlab-event", "Merge Request Hook"),
        ("x-gitlab-instance", &base),
    ];
    assert_eq!(deliver(&bench, &good, body.to_string()).await.status, 200);
    assert_eq!(deliver(&bench, &good, "{").await.status, 400);
    let guess = [("x-gitlab-token", "guess"), ("x-gitlab-event", "Note Hook")];
    for _ in 0..3 {
        assert_eq!(deliver(&bench, &guess, body.to_string()).await.status, 401);
    }
    assert_eq!(deliver(&bench, &[("x-gitlab-event", "Note Hook")], "{}").await.status, 401);
    assert_eq!(deliver(&bench, &[], "x").await.status, 401);
    let told = |it: &Value| {
        let all = it["refused"].as_array().expect("a list");
        let of = |reason: &str| {
            all.iter().find(|it| it["reason"] == reason).map_or(0, |it| it["count"].as_i64().unwrap())
        };
        [of("wrong_secret"), of("no_secret"), of("malformed"), of("stranger")]
    };
    let status = until(&bench, |it| told(it) == [3, 1, 1, 1]).await;
    assert_eq!(
        (&status["waiting"]["count"], &status["events"][0]["event"]),
        (&json!(1), &json!("merge_request"))
    );
    assert_eq!(
        (&status["events"][0]["state"], &status["events"][0]["sender"]),
        (&json!("due"), &json!(base))
    );
    assert!(status["waiting"]["lag_seconds"].as_f64().unwrap() >= 0.0);
    assert!(!status.to_string().contains(&secret) && !status.to_string().contains("guess"));
}

#[tokio::test]
async fn hours_have_to_be_hours() {
    let bench = Bench::new().await;
    bench.get("webhooks.status?hours=1").await.ok(200);
    for hours in ["0", "169", "-1", "many", "1%20or%201=1", "9999999999999999999999"] {
        let reply = bench.get(&format!("webhooks.status?hours={hours}")).await;
        assert_eq!(reply.error(), (422, "invalid_arguments"), "{hours}");
        assert_eq!(reply.body["field"], "hours", "{}", reply.text);
    }
}

fn row(place: &str, path: &str, events: &[&str]) -> WebhookRow {
    let now = SystemClock.now();
    WebhookRow {
        instance: 0,
        place: place.to_owned(),
        place_id: 1,
        hook_id: 9,
        path: path.to_owned(),
        url: "https://weir.example.com/webhooks/gitlab".to_owned(),
        events: events.iter().map(|it| (*it).to_owned()).collect(),
        alert_status: Some("disabled".to_owned()),
        disabled_until: None,
        problems: vec!["GitLab has disabled it.".to_owned()],
        token_id: Some(1),
        signing_token_id: None,
        created_at: Some(now - chrono::TimeDelta::days(2)),
        checked_at: now,
    }
}

#[tokio::test]
async fn hooks_and_gaps_are_told_as_they_were_last_seen() {
    let bench = Bench::new().await;
    bench.connection("gitlab").await;
    bench
        .database
        .execute("update _sqlx_migrations set installed_on = installed_on - interval '2 days'")
        .await;
    for sql in [
        "insert into gitlab_projects (id, source_id, name, path, path_with_namespace, synced_at)
         values (7, 7, 'shop', 'shop', 'acme/shop', now()), (8, 8, 'x', 'x', 'other/x', now())",
        "insert into gitlab_merge_requests (project_id, id, source_id, iid, title, state, created_at, updated_at, synced_at)
         select p, p * 100 + n, p * 100 + n, n, 't', 'opened', now(), now() - interval '1 hour', now()
           from unnest(array[7, 8]) p, generate_series(1, 4) n",
        "insert into gitlab_pipelines (project_id, id, source_id, status, updated_at, synced_at)
         values (7, 70, 70, 'success', now() - interval '1 hour', now())",
    ] {
        bench.database.execute(sql).await;
    }
    bench.store.save_webhook(&row("group", "acme", &["merge_requests_events"])).await.expect("it is kept");
    let hint = |number| WebhookHint { project_id: 7, kind: "merge_request", number };
    bench.store.note_webhook_hints(&[hint(1), hint(1), hint(2)], SystemClock.now()).await.expect("noted");
    let status = bench.get("webhooks.status").await.ok(200);
    let gitlab = &status["gitlabs"][0];
    assert_eq!(
        (&gitlab["hooks"][0]["alert_status"], &gitlab["hooks"][0]["id"]),
        (&json!("disabled"), &json!(9))
    );
    let gaps = &gitlab["gaps"];
    assert_eq!(
        gaps["counts"],
        json!([{ "kind": "merge_request", "changed": 4, "unnamed": 2 }, { "kind": "pipeline", "changed": 1, "unnamed": 1 }])
    );
    assert_eq!(gaps["uncovered_projects"], 1);
    let first = &gaps["projects"][0];
    assert_eq!(
        (&first["project"], &first["unnamed"], &first["needs_attention"]),
        (&json!("acme/shop"), &json!(2), &json!(true))
    );
    assert!(first["reasons"].to_string().contains("disabled"), "{first}");
    // Nothing moved in the last minutes.
    let now = SystemClock.now();
    let window = GapWindow { instance: 0, first_id: 0, end_id: 1 << 44, since: now, until: now };
    assert!(bench.store.webhook_gaps(window, 10).await.expect("an answer").is_empty());
    // Another instance has none of it.
    let window = GapWindow {
        instance: 1,
        first_id: 1 << 44,
        end_id: 2 << 44,
        since: now - chrono::TimeDelta::days(1),
        until: now,
    };
    assert!(bench.store.webhook_gaps(window, 10).await.expect("an answer").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_was_installed_leads_to_the_row() {
    let bench = Bench::of(FakeGitlab::builder().edition(Edition::Premium)).await;
    let listening = bench.listen().await;
    let working = bench.work("one");
    let id = bench.working("gitlab").await;
    bench
        .post("connections.update", json!({ "id": id, "settings": { "sync_every_seconds": 3600 } }))
        .await
        .ok(200);
    let idle = |it: &Value| it["tasks"].as_array().expect("tasks").iter().all(|it| it["running"] == false);
    bench.until(id, |it| it["last_synced_at"].is_string() && idle(it)).await;
    // An owner sets the hooks up, with a token of its own.
    let admin = {
        let mut world = bench.gitlab.world_mut();
        let admin = world.create_user("root", "Root", fake_gitlab::world::model::UserType::Human);
        let tops: Vec<i64> =
            world.groups.values().filter(|it| it.parent_id.is_none()).map(|it| it.id).collect();
        tops.into_iter().for_each(|it| world.set_group_member(it, admin, 50, None));
        admin
    };
    let spec = TokenSpec::personal("of-root", admin);
    bench.token(TokenSpec { kind: TokenKind::Personal, scopes: vec!["api".to_owned()], ..spec });
    let settings = Settings::parse(&json!({ "base_url": bench.gitlab.url() })).expect("settings");
    let (id, label) = ("0".to_owned(), "root".to_owned());
    let token = Token { id, label, kind: Default::default(), secret: "of-root".into() };
    let client = client_of(&settings, &[token], &Default::default()).expect("a client");
    let tops: Vec<Named> = {
        let world = bench.gitlab.world();
        world
            .groups
            .values()
            .filter(|it| it.parent_id.is_none())
            .map(|it| Named::Group(it.id.to_string()))
            .collect()
    };
    let wish =
        Wish { address: Address::parse(&listening.url).unwrap(), keep_events: false, confidential: false };
    let now = (false, SystemClock.now());
    let done =
        install(&client, &bench.store, &tops, &wish, &secrets(&bench).await, now).await.expect("it ran");
    assert!(done.iter().all(|it| it.error.is_none()), "{done:?}");
    let merge_request = open_merge_request(&bench);
    let author = bench.gitlab.viewer().user_id;
    bench.gitlab.world_mut().comment(merge_request, author, "told by a hook");
    let question =
        format!("select count(*) from gitlab_merge_request_notes where merge_request_id = {merge_request}");
    let wanted =
        bench.gitlab.world().notes.values().filter(|it| it.merge_request_id == merge_request).count();
    for _ in 0..200 {
        let rows = bench.store.query(&question).await.expect("an answer").rows;
        if rows[0][0] == json!(wanted) {
            let hints = "select count(*) from weir.webhook_hints where kind = 'merge_request'";
            assert_eq!(bench.store.query(hints).await.expect("an answer").rows[0][0], 1);
            return working.stop().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the comment did not come within 10 s: {}", bench.get("webhooks.status").await.text);
}

/// An open merge request that the connection sees.
fn open_merge_request(bench: &Bench) -> i64 {
    let (world, viewer) = (bench.gitlab.world(), bench.gitlab.viewer());
    let seen = |id: i64| {
        let project = &world.projects[&id];
        !project.archived && world.check_merge_requests(&viewer, project).is_ok()
    };
    let opened = fake_gitlab::world::model::MergeRequestState::Opened;
    let mut open = world.merge_requests.values().filter(|it| it.state == opened);
    open.find(|it| seen(it.project_id)).expect("an open merge request").id
}

#[tokio::test]
async fn a_hook_of_an_event_that_is_off_is_told_nothing() {
    // The fake keeps to the switches that installing sets: what is off is not delivered.
    let bench = Bench::new().await;
    let listening = bench.listen().await;
    let project = bench.gitlab.world().merge_requests.values().next().expect("one").project_id;
    let url = format!("{}/webhooks/gitlab", listening.url);
    let hook =
        Hook::new(HookOwner::Project(project), &url, bench.gitlab.world().now).told_of(&[Trigger::Issue]);
    bench.gitlab.hooks().add(hook.with_token(&token(&bench).await));
    let merge_request =
        bench.gitlab.world().merge_requests.values().find(|it| it.project_id == project).expect("one").id;
    let author = bench.gitlab.viewer().user_id;
    bench.gitlab.world_mut().comment(merge_request, author, "not told");
    bench.gitlab.hooks().settled().await;
    assert_eq!(bench.get("webhooks.status").await.ok(200)["events"], json!([]));
}
