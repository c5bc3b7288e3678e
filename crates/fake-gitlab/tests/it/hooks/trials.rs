//! Hooks tried out, and the list of what they were sent.

use fake_gitlab::world::change::{NewJob, NewPipeline};
use fake_gitlab::{HookOwner, Trigger};
use serde_json::json;

use super::{ANN, ROOT, Shop};

#[tokio::test]
async fn a_trial_sends_the_newest_there_is() {
    let shop = Shop::open().await;
    let mr = shop.merge_request();
    let (project, ann) = (shop.project, shop.ann);
    {
        let mut world = shop.fake.world_mut();
        world.comment(mr, ann, "Really?");
        let pipeline = world.create_pipeline(NewPipeline::push(project, ann, "main"));
        world.add_job(pipeline, &NewJob::build("test", "rspec"));
    }
    let id = shop.listen_to(HookOwner::Project(project), &[]);
    for (trigger, kind) in [
        ("push_events", "push"),
        ("merge_requests_events", "merge_request"),
        ("note_events", "note"),
        ("pipeline_events", "pipeline"),
        ("job_events", "build"),
    ] {
        shop.receiver.forget();
        let answer =
            shop.ask(ANN, "POST", &format!("/projects/{project}/hooks/{id}/test/{trigger}"), "").await;
        assert_eq!((answer.status, answer.json()), (201, json!({ "message": "201 Created" })), "{trigger}");
        assert_eq!(shop.receiver.received()[0].json()["object_kind"], kind);
    }
    let path = format!("/projects/{project}/hooks/{id}/test");
    let answer = shop.ask(ANN, "POST", &format!("{path}/deployment_events"), "").await;
    assert_eq!(
        (answer.status, answer.json()),
        (422, json!({ "message": "Ensure the project has deployments." }))
    );
    assert_eq!(shop.ask(ANN, "POST", &format!("{path}/nonsense"), "").await.status, 400);
    shop.receiver.answer_next(&[500]);
    assert_eq!(shop.ask(ANN, "POST", &format!("{path}/push_events"), "").await.status, 422);
}

#[tokio::test]
async fn a_hook_of_the_instance_is_tried_with_a_project() {
    let shop = Shop::open().await;
    let id = shop.listen_to(HookOwner::System, &[]);
    let answer = shop.ask(ROOT, "POST", &format!("/hooks/{id}"), "").await;
    assert_eq!((answer.status, &answer.json()["event_name"]), (201, &json!("project_create")));
    assert_eq!(shop.receiver.received()[0].json(), answer.json());
}

#[tokio::test]
async fn what_was_sent_is_listed_and_can_be_sent_again() {
    let shop = Shop::open().await;
    let hook =
        fake_gitlab::Hook::new(HookOwner::Project(shop.project), &shop.receiver.url, shop.fake.world().now);
    let id = shop.fake.hooks().add(hook.told_of(&[Trigger::Push]).with_token("secret"));
    shop.receiver.answer_next(&[500]);
    let (project, ann) = (shop.project, shop.ann);
    shop.told(|it| it.push_to_trunk(project, ann, 1)).await;
    let events = format!("/projects/{project}/hooks/{id}/events");
    let listed = shop.ask(ANN, "GET", &events, "").await.list();
    let [event] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((&event["response_status"], &event["trigger"]), (&json!("500"), &json!("push_hooks")));
    assert_eq!(event["request_headers"]["X-Gitlab-Token"], "[REDACTED]");
    assert_eq!(event["request_data"]["object_kind"], "push");
    let failures = shop.ask(ANN, "GET", &format!("{events}?status=server_failure"), "").await.list();
    let successes = shop.ask(ANN, "GET", &format!("{events}?status=successful"), "").await.list();
    assert_eq!((failures.len(), successes.len()), (1, 0));
    let again = shop.ask(ANN, "POST", &format!("{events}/{}/resend", event["id"]), "").await;
    assert_eq!((again.status, again.json()), (201, json!({ "response_status": 200 })));
    let received = shop.receiver.received();
    assert_eq!(received[0].header("idempotency-key"), received[1].header("idempotency-key"));
    assert_ne!(received[0].header("x-gitlab-webhook-uuid"), received[1].header("x-gitlab-webhook-uuid"));
    assert_eq!(received[1].header("x-gitlab-token"), Some("secret"));
}

#[tokio::test]
async fn the_list_of_what_was_sent_has_its_bounds() {
    let shop = Shop::open().await;
    let (of_project, of_system) =
        (shop.listen(HookOwner::Project(shop.project)), shop.listen(HookOwner::System));
    let events = format!("/projects/{}/hooks/{of_project}/events", shop.project);
    assert_eq!(shop.ask(ANN, "GET", &format!("{events}?per_page=20"), "").await.status, 200);
    let many = shop.ask(ANN, "GET", &format!("{events}?per_page=21"), "").await;
    assert_eq!((many.status, many.json()), (400, json!({ "error": "per_page does not have a valid value" })));
    assert_eq!(shop.ask(ROOT, "GET", &format!("/hooks/{of_system}/events"), "").await.status, 404);
}

#[tokio::test]
async fn older_versions_cannot_try_out_list_or_change_everything() {
    let shop = Shop::of(fake_gitlab::FakeGitlab::builder().version("16.0.0")).await;
    let (of_project, of_system) =
        (shop.listen(HookOwner::Project(shop.project)), shop.listen(HookOwner::System));
    let hook = format!("/projects/{}/hooks/{of_project}", shop.project);
    assert_eq!(shop.ask(ANN, "GET", &format!("{hook}/events"), "").await.status, 404);
    assert_eq!(shop.ask(ANN, "POST", &format!("{hook}/test/push_events"), "").await.status, 404);
    assert_eq!(
        shop.ask(ROOT, "PUT", &format!("/hooks/{of_system}"), r#"{"push_events":true}"#).await.status,
        405
    );
}
