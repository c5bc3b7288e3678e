//! How hooks are told.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use fake_gitlab::hooks::AlertStatus;
use fake_gitlab::{FakeGitlab, Hook, HookOwner, HookSettings, Trigger};
use sha2::{Digest, Sha256};

use super::Shop;
use super::receiver::Received;

#[tokio::test]
async fn the_headers_are_those_of_gitlab() {
    let shop = Shop::open().await;
    let hook = Hook::new(HookOwner::Project(shop.project), &shop.receiver.url, shop.fake.world().now);
    shop.fake.hooks().add(hook.told_of(&[Trigger::Note]).with_token("secret"));
    let mr = shop.merge_request();
    let ann = shop.ann;
    shop.told(|it| it.comment(mr, ann, "Really?")).await;
    let [received] = &shop.receiver.received()[..] else { panic!("one request") };
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.header("user-agent"), Some("GitLab/17.11.0-ee"));
    assert_eq!(received.header("x-gitlab-event"), Some("Note Hook"));
    assert_eq!(received.header("x-gitlab-instance"), Some(shop.fake.url()));
    assert_eq!(received.header("x-gitlab-token"), Some("secret"));
    assert_eq!(received.header("webhook-signature"), None);
    for name in ["x-gitlab-webhook-uuid", "x-gitlab-event-uuid", "idempotency-key"] {
        assert_eq!(received.header(name).unwrap().len(), 36, "{name}");
    }
}

/// HMAC-SHA256, written once more.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |byte: u8| block.map(|it| it ^ byte);
    let inner = Sha256::digest([&pad(0x36)[..], message].concat());
    Sha256::digest([&pad(0x5c)[..], &inner].concat()).to_vec()
}

#[tokio::test]
async fn newer_versions_sign_what_they_send() {
    for (version, signs) in [("18.11.0", false), ("19.0.0", true)] {
        let shop = Shop::of(FakeGitlab::builder().version(version)).await;
        let key = [7_u8; 32];
        let token = format!("whsec_{}", STANDARD.encode(key));
        let hook = Hook::new(HookOwner::Project(shop.project), &shop.receiver.url, shop.fake.world().now);
        shop.fake.hooks().add(hook.signed_with(&token));
        let (project, ann) = (shop.project, shop.ann);
        shop.told(|it| it.push_to_trunk(project, ann, 1)).await;
        let received = shop.receiver.received()[0].clone();
        assert_eq!(received.header("webhook-signature").is_some(), signs, "{version}");
        if signs {
            let [id, at] = ["webhook-id", "webhook-timestamp"].map(|it| received.header(it).unwrap());
            assert_eq!(Some(id), received.header("idempotency-key"));
            assert_eq!(at, shop.fake.world().now.timestamp().to_string());
            let signed = [format!("{id}.{at}.").as_bytes(), &received.body].concat();
            let expected = format!("v1,{}", STANDARD.encode(hmac(&key, &signed)));
            assert_eq!(received.header("webhook-signature"), Some(expected.as_str()));
        }
    }
}

#[tokio::test]
async fn an_event_reaches_the_project_the_groups_above_it_and_the_instance() {
    let shop = Shop::open().await;
    let owners = [
        HookOwner::Project(shop.project),
        HookOwner::Group(shop.team),
        HookOwner::Group(shop.acme),
        HookOwner::System,
    ];
    for owner in owners {
        shop.listen_to(owner, &[Trigger::Push]);
    }
    let (project, ann) = (shop.project, shop.ann);
    shop.told(|it| it.push_to_trunk(project, ann, 1)).await;
    let received = shop.receiver.received();
    let all = |name: &str| -> Vec<String> {
        received.iter().map(|it| it.header(name).unwrap().to_owned()).collect()
    };
    let different = |name: &str| all(name).into_iter().collect::<BTreeSet<String>>().len();
    assert_eq!((received.len(), different("x-gitlab-event-uuid")), (4, 1));
    assert_eq!((different("idempotency-key"), different("x-gitlab-webhook-uuid")), (4, 4));
    assert_eq!(all("x-gitlab-event").iter().filter(|it| *it == "System Hook").count(), 1);
    let elsewhere = {
        let mut world = shop.fake.world_mut();
        let namespace = fake_gitlab::world::model::Namespace::User(ann);
        world.create_project(namespace, "mine", "mine", "private")
    };
    shop.told(|it| it.push_to_trunk(elsewhere, ann, 1)).await;
    assert_eq!(shop.receiver.received().len(), 1, "only the instance hears of other projects");
}

#[tokio::test]
async fn a_hook_is_told_only_what_it_asks_for() {
    let shop = Shop::open().await;
    let id = shop.listen_to(HookOwner::Project(shop.project), &[Trigger::MergeRequest]);
    let mr = shop.merge_request();
    let (project, ann, bob) = (shop.project, shop.ann, shop.bob);
    assert!(shop.told(|it| it.comment(mr, ann, "Really?")).await.is_empty());
    assert_eq!(shop.told(|it| it.close(mr, ann)).await.len(), 1);
    shop.fake.hooks().change(id, |hook| {
        hook.switches = [(Trigger::Push, true)].into();
        hook.push_events_branch_filter = Some("release-*".to_owned());
    });
    assert!(shop.told(|it| it.push_to_trunk(project, bob, 1)).await.is_empty());
    shop.fake.hooks().change(id, |hook| hook.push_events_branch_filter = Some("ma*".to_owned()));
    assert_eq!(shop.told(|it| it.push_to_trunk(project, bob, 1)).await.len(), 1);
}

#[tokio::test]
async fn deliveries_do_not_wait_for_each_other() {
    let shop = Shop::open().await;
    shop.listen(HookOwner::Project(shop.project));
    shop.receiver.hold();
    let (project, ann) = (shop.project, shop.ann);
    for _ in 0..5 {
        shop.fake.world_mut().push_to_trunk(project, ann, 1);
    }
    shop.receiver.meets(5).await;
    assert_eq!(shop.fake.hooks().counts().sent, 0, "none has ended, and the world went on");
    shop.receiver.let_go();
    shop.fake.hooks().settled().await;
    assert_eq!(shop.fake.hooks().counts().answered, 5);
}

#[tokio::test]
async fn redirects_are_successes_and_failures_are_not_repeated() {
    let shop = Shop::open().await;
    shop.listen(HookOwner::Project(shop.project));
    shop.receiver.answer_next(&[200, 204, 302, 404, 500]);
    let (project, ann) = (shop.project, shop.ann);
    for _ in 0..5 {
        shop.fake.world_mut().push_to_trunk(project, ann, 1);
        shop.fake.hooks().settled().await;
    }
    let counts = shop.fake.hooks().counts();
    assert_eq!((counts.sent, counts.answered, counts.failed), (5, 3, 2));
    assert_eq!(shop.receiver.received().len(), 5);
}

#[tokio::test]
async fn a_receiver_that_takes_too_long_has_failed() {
    let settings = HookSettings { time_limit: Duration::from_millis(50), ..HookSettings::default() };
    let shop = Shop::of(FakeGitlab::builder().hook_settings(settings)).await;
    shop.listen(HookOwner::Project(shop.project));
    shop.receiver.hold();
    let (project, ann) = (shop.project, shop.ann);
    shop.told(|it| it.push_to_trunk(project, ann, 1)).await;
    assert_eq!(shop.fake.hooks().counts().failed, 1);
    let record = shop.fake.hooks().all()[0].records[0].clone();
    assert_eq!((record.status, record.response_body.as_str()), (None, "execution expired"));
}

#[tokio::test]
async fn a_receiver_that_is_not_there_has_failed() {
    let shop = Shop::open().await;
    let id = shop.listen(HookOwner::Project(shop.project));
    for url in ["http://127.0.0.1:1/told", "https://127.0.0.1:1/told"] {
        shop.fake.hooks().change(id, |hook| hook.url = url.to_owned());
        let (project, ann) = (shop.project, shop.ann);
        shop.told(|it| it.push_to_trunk(project, ann, 1)).await;
    }
    assert_eq!(shop.fake.hooks().counts().failed, 2);
}

async fn strict() -> Shop {
    let settings = HookSettings { failing_are_disabled: true, ..HookSettings::default() };
    Shop::of(FakeGitlab::builder().hook_settings(settings)).await
}

impl Shop {
    async fn push(&self) -> Vec<Received> {
        let (project, ann) = (self.project, self.ann);
        self.told(|it| it.push_to_trunk(project, ann, 1)).await;
        self.receiver.received()
    }

    fn alert_status(&self) -> AlertStatus {
        let now = self.fake.world().now;
        self.fake.hooks().all()[0].alert_status(now)
    }
}

#[tokio::test]
async fn a_hook_that_fails_is_disabled_and_what_happens_meanwhile_is_lost() {
    let shop = strict().await;
    shop.listen(HookOwner::Project(shop.project));
    shop.receiver.always_answer(500);
    for _ in 0..3 {
        assert_eq!((shop.push().await.len(), shop.alert_status()), (1, AlertStatus::Executable));
    }
    shop.push().await;
    assert_eq!(shop.alert_status(), AlertStatus::TemporarilyDisabled);
    assert!(shop.push().await.is_empty());
    assert_eq!(shop.fake.hooks().counts().disabled, 1);
    shop.receiver.always_answer(200);
    shop.fake.state().advance_clock(TimeDelta::seconds(61));
    assert_eq!((shop.push().await.len(), shop.alert_status()), (1, AlertStatus::Executable));
    assert_eq!(shop.fake.hooks().all()[0].failures, 0, "a success resets");
    assert_eq!(shop.receiver.received().len(), 1, "what was lost does not come again");
}

#[tokio::test]
async fn without_the_switch_failures_have_no_consequence() {
    let shop = Shop::open().await;
    shop.listen(HookOwner::Project(shop.project));
    shop.receiver.always_answer(404);
    for _ in 0..45 {
        shop.push().await;
    }
    assert_eq!((shop.fake.hooks().counts().failed, shop.alert_status()), (45, AlertStatus::Executable));
}

#[tokio::test]
async fn after_forty_failures_only_a_trial_helps() {
    let shop = strict().await;
    shop.listen(HookOwner::Project(shop.project));
    shop.receiver.always_answer(500);
    for _ in 0..40 {
        shop.push().await;
        shop.fake.state().advance_clock(TimeDelta::hours(25));
    }
    assert_eq!(shop.alert_status(), AlertStatus::Disabled);
    let id = shop.fake.hooks().all()[0].id;
    let path = format!("/projects/{}/hooks/{id}", shop.project);
    let shown = shop.ask(super::ANN, "GET", &path, "").await.json();
    assert_eq!(shown["alert_status"], "disabled");
    assert!(shop.push().await.is_empty());
    shop.receiver.always_answer(200);
    let tried = shop.ask(super::ANN, "POST", &format!("{path}/test/push_events"), "").await;
    assert_eq!((tried.status, shop.alert_status()), (201, AlertStatus::Executable));
    assert_eq!(shop.push().await.len(), 1);
}

#[tokio::test]
async fn system_hooks_are_never_disabled() {
    let shop = strict().await;
    shop.listen_to(HookOwner::System, &[Trigger::Push]);
    shop.receiver.always_answer(500);
    for _ in 0..6 {
        assert_eq!((shop.push().await.len(), shop.alert_status()), (1, AlertStatus::Executable));
    }
}
