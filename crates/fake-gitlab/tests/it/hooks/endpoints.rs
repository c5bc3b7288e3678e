//! Hooks listed, made, changed and removed.

use fake_gitlab::{Edition, FakeGitlab, HookSettings};
use serde_json::json;

use super::{ANN, BOB, READS, ROOT, Shop};

#[tokio::test]
async fn a_hook_is_made_shown_changed_and_removed() {
    let shop = Shop::open().await;
    let hooks = format!("/projects/{}/hooks", shop.project);
    let body =
        r#"{"url":"http://localhost:9/told","token":"secret","merge_requests_events":true,"name":"Weir"}"#;
    let made = shop.ask(ANN, "POST", &hooks, body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert_eq!((&made["push_events"], &made["merge_requests_events"]), (&json!(true), &json!(true)));
    assert_eq!((&made["issues_events"], &made["enable_ssl_verification"]), (&json!(false), &json!(true)));
    assert_eq!((&made["project_id"], &made["name"]), (&json!(shop.project), &json!("Weir")));
    assert_eq!((&made["alert_status"], &made["disabled_until"]), (&json!("executable"), &json!(null)));
    assert_eq!((made.get("token"), made.get("signing_token")), (None, None));
    let one = format!("{hooks}/{}", made["id"]);
    assert_eq!(shop.ask(READS, "GET", &one, "").await.json(), made);
    assert_eq!(shop.ask(READS, "GET", &hooks, "").await.list()[0], made);
    let changed = shop.ask(ANN, "PUT", &one, r#"{"push_events":false,"note_events":true}"#).await.json();
    assert_eq!((&changed["push_events"], &changed["note_events"]), (&json!(false), &json!(true)));
    assert_eq!(changed["merge_requests_events"], true, "what is not sent stays");
    assert_eq!(shop.ask(ANN, "DELETE", &one, "").await.status, 204);
    let gone = shop.ask(ANN, "GET", &one, "").await;
    assert_eq!((gone.status, gone.json()), (404, json!({ "message": "404 Not found" })));
}

#[tokio::test]
async fn forms_are_taken_like_json() {
    let shop = Shop::open().await;
    let hooks = format!("/projects/{}/hooks", shop.project);
    let form = "url=http%3A%2F%2Flocalhost%3A9&push_events=false&pipeline_events=true";
    let made = shop.ask_as(ANN, "POST", &hooks, "application/x-www-form-urlencoded", form).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert_eq!((&made["push_events"], &made["pipeline_events"]), (&json!(false), &json!(true)));
    let by_query = shop.ask(ANN, "POST", &format!("{hooks}?url=http://localhost:9/other"), "").await;
    assert_eq!(by_query.json()["url"], "http://localhost:9/other");
}

#[tokio::test]
async fn a_second_hook_with_the_same_address_is_made() {
    let shop = Shop::open().await;
    let hooks = format!("/projects/{}/hooks", shop.project);
    for _ in 0..2 {
        assert_eq!(shop.ask(ANN, "POST", &hooks, r#"{"url":"http://localhost:9"}"#).await.status, 201);
    }
    assert_eq!(shop.ask(ANN, "GET", &hooks, "").await.list().len(), 2);
}

#[tokio::test]
async fn another_address_takes_the_token_away() {
    let shop = Shop::of(FakeGitlab::builder().version("19.1.0")).await;
    let hooks = format!("/projects/{}/hooks", shop.project);
    let made = shop.ask(ANN, "POST", &hooks, r#"{"url":"http://localhost:9","token":"secret"}"#).await.json();
    assert_eq!((&made["token_present"], &made["signing_token_present"]), (&json!(true), &json!(false)));
    let one = format!("{hooks}/{}", made["id"]);
    let same = shop.ask(ANN, "PUT", &one, r#"{"url":"http://localhost:9"}"#).await.json();
    assert_eq!(same["token_present"], true);
    let other = shop.ask(ANN, "PUT", &one, r#"{"url":"http://localhost:8"}"#).await.json();
    assert_eq!(other["token_present"], false);
}

#[tokio::test]
async fn hooks_of_a_project_need_a_maintainer_and_the_scope_api() {
    let shop = Shop::open().await;
    let hooks = format!("/projects/{}/hooks", shop.project);
    let body = r#"{"url":"http://localhost:9"}"#;
    let refused = shop.ask(READS, "POST", &hooks, body).await;
    assert_eq!((refused.status, &refused.json()["error"]), (403, &json!("insufficient_scope")));
    assert_eq!(refused.json()["scope"], "api");
    let refused = shop.ask(BOB, "POST", &hooks, body).await;
    assert_eq!((refused.status, refused.json()), (403, json!({ "message": "403 Forbidden" })));
    assert_eq!(shop.ask(BOB, "GET", &hooks, "").await.status, 403);
    let project = shop.project;
    shop.fake.world_mut().remove_project_member(project, shop.bob);
    let refused = shop.ask(BOB, "GET", &hooks, "").await;
    assert_eq!((refused.status, refused.json()), (404, json!({ "message": "404 Project Not Found" })));
    assert_eq!(shop.ask("wrong", "GET", &hooks, "").await.status, 401);
    shop.fake.world_mut().set_project_member(project, shop.bob, 40, None);
    assert_eq!(shop.ask(BOB, "POST", &hooks, body).await.status, 201);
}

#[tokio::test]
async fn hooks_of_a_group_need_an_owner_and_a_licence() {
    let body = r#"{"url":"http://localhost:9","subgroup_events":true}"#;
    for (edition, status) in [(Edition::Ce, 404), (Edition::Free, 403), (Edition::Premium, 201)] {
        let shop = Shop::of(FakeGitlab::builder().edition(edition)).await;
        let answer = shop.ask(ANN, "POST", &format!("/groups/{}/hooks", shop.team), body).await;
        assert_eq!(answer.status, status, "{edition:?}: {}", answer.body);
    }
    let shop = Shop::open().await;
    let hooks = format!("/groups/{}/hooks", shop.acme);
    let made = shop.ask(ANN, "POST", &hooks, body).await.json();
    assert_eq!((&made["group_id"], &made["subgroup_events"]), (&json!(shop.acme), &json!(true)));
    assert_eq!((&made["project_events"], &made["member_events"]), (&json!(false), &json!(false)));
    shop.fake.world_mut().set_group_member(shop.acme, shop.bob, 40, None);
    assert_eq!(shop.ask(BOB, "GET", &hooks, "").await.status, 403);
}

#[tokio::test]
async fn hooks_of_the_instance_need_an_administrator() {
    let shop = Shop::open().await;
    assert_eq!(shop.ask(ANN, "GET", "/hooks", "").await.status, 403);
    let made = shop.ask(ROOT, "POST", "/hooks", r#"{"url":"http://localhost:9"}"#).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert_eq!((&made["push_events"], &made["repository_update_events"]), (&json!(false), &json!(true)));
    assert_eq!(made.get("note_events"), None);
    let one = format!("/hooks/{}", made["id"]);
    let changed = shop.ask(ROOT, "PUT", &one, r#"{"push_events":true}"#).await.json();
    assert_eq!(changed["push_events"], true);
    assert_eq!(shop.ask(ROOT, "DELETE", &one, "").await.status, 204);
    assert_eq!(shop.ask(ROOT, "GET", "/hooks", "").await.list().len(), 0);
}

#[tokio::test]
async fn what_cannot_be_stored_is_refused() {
    let shop = Shop::open().await;
    let hooks = format!("/projects/{}/hooks", shop.project);
    let missing = shop.ask(ANN, "POST", &hooks, "{}").await;
    assert_eq!((missing.status, missing.json()), (400, json!({ "error": "url is missing" })));
    for (field, error) in [
        (r#""url":"ftp://localhost""#, "Invalid url given"),
        (r#""url":"nonsense""#, "Invalid url given"),
        (r#""url":"http://a","push_events_branch_filter":"a b""#, "Invalid branch filter given"),
        (
            r#""url":"http://a","custom_headers":[{"key":"a b","value":"c"}]"#,
            "Custom headers validation failed",
        ),
    ] {
        let answer = shop.ask(ANN, "POST", &hooks, &format!("{{{field}}}")).await;
        assert_eq!((answer.status, answer.json()), (422, json!({ "error": error })));
    }
    let unclear = shop.ask(ANN, "POST", &hooks, r#"{"url":"http://a","push_events":"maybe"}"#).await;
    assert_eq!((unclear.status, unclear.json()), (400, json!({ "error": "push_events is invalid" })));
    let unsigned = shop.ask(ANN, "POST", &hooks, r#"{"url":"http://a","signing_token":"whsec_a"}"#).await;
    assert_eq!(
        (unsigned.status, unsigned.json()),
        (422, json!({ "message": { "signing_token": ["is invalid"] } }))
    );
    assert_eq!(shop.ask(ANN, "GET", &hooks, "").await.list().len(), 0);
}

#[tokio::test]
async fn local_addresses_are_refused_where_the_instance_says_so() {
    let settings = HookSettings { local_addresses_are_refused: true, ..HookSettings::default() };
    let shop = Shop::of(FakeGitlab::builder().hook_settings(settings)).await;
    let hooks = format!("/projects/{}/hooks", shop.project);
    for (url, status) in [("http://127.0.0.1:9", 422), ("http://localhost", 422), ("http://example.com", 201)]
    {
        let answer = shop.ask(ANN, "POST", &hooks, &json!({ "url": url }).to_string()).await;
        assert_eq!(answer.status, status, "{url}");
    }
}

#[tokio::test]
async fn there_is_a_most_of_hooks() {
    let shop = Shop::open().await;
    let body = r#"{"url":"http://localhost:9"}"#;
    for (place, most, kind) in [
        (format!("/projects/{}/hooks", shop.project), 100, "project"),
        (format!("/groups/{}/hooks", shop.acme), 50, "group"),
    ] {
        for _ in 0..most {
            assert_eq!(shop.ask(ANN, "POST", &place, body).await.status, 201);
        }
        let refused = shop.ask(ANN, "POST", &place, body).await;
        let why = format!("Maximum number of {kind} hooks ({most}) exceeded");
        assert_eq!((refused.status, refused.json()), (422, json!({ "message": { "base": [why] } })));
    }
}

#[tokio::test]
async fn a_hook_dies_with_its_project() {
    let shop = Shop::open().await;
    shop.listen(fake_gitlab::HookOwner::Project(shop.project));
    let project = shop.project;
    assert!(shop.told(|it| it.delete_project(project)).await.is_empty());
    assert!(shop.fake.hooks().all().is_empty());
}
