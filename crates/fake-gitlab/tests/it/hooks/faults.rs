//! Deliveries that go wrong on command.

use std::collections::{BTreeMap, BTreeSet};

use fake_gitlab::{HookFaults, HookOwner};
use serde_json::json;

use super::{ANN, Shop};
use crate::client::{get_with, post, send};

async fn pushes(shop: &Shop, count: usize) {
    let (project, ann) = (shop.project, shop.ann);
    for _ in 0..count {
        shop.fake.world_mut().push_to_trunk(project, ann, 1);
    }
    shop.fake.hooks().settled().await;
}

/// How often each event came, in the order in which they happened.
fn arrivals(shop: &Shop) -> Vec<usize> {
    let mut by_key: BTreeMap<String, usize> = BTreeMap::new();
    for received in shop.receiver.received() {
        *by_key.entry(received.header("idempotency-key").unwrap().to_owned()).or_default() += 1;
    }
    by_key.into_values().collect()
}

#[tokio::test]
async fn some_are_lost_and_some_come_twice_as_the_seed_decides() {
    let mut before = None;
    for _ in 0..2 {
        let shop = Shop::open().await;
        shop.listen(HookOwner::Project(shop.project));
        let plan = HookFaults { lost: 0.3, duplicated: 0.3, seed: 7, ..HookFaults::default() };
        shop.fake.hooks().set_faults(Some(plan));
        pushes(&shop, 60).await;
        let counts = shop.fake.hooks().counts();
        assert!(counts.lost > 5 && counts.duplicated > 5, "{counts:?}");
        assert_eq!(counts.sent, 60 - counts.lost + counts.duplicated);
        let received = shop.receiver.received();
        let calls: BTreeSet<_> = received.iter().map(|it| it.header("x-gitlab-webhook-uuid")).collect();
        assert_eq!(calls.len(), received.len(), "each request has a number of its own");
        let found = arrivals(&shop);
        assert_eq!(found.iter().filter(|times| **times == 2).count() as u64, counts.duplicated);
        assert!(before.replace((counts, found.clone())).is_none_or(|it| it == (counts, found)));
    }
}

#[tokio::test]
async fn what_is_late_comes_after_what_happened_later() {
    let shop = Shop::open().await;
    shop.listen(HookOwner::Project(shop.project));
    let plan = HookFaults { delayed: 0.5, delay_milliseconds: 60, seed: 3, ..HookFaults::default() };
    shop.fake.hooks().set_faults(Some(plan));
    pushes(&shop, 30).await;
    let counts = shop.fake.hooks().counts();
    assert!((5..25).contains(&counts.delayed), "{counts:?}");
    assert_eq!(counts.answered, 30);
    let order: Vec<String> =
        shop.receiver.received().iter().map(|it| it.json()["after"].as_str().unwrap().to_owned()).collect();
    let world = shop.fake.world();
    let place = |sha: &String| {
        let trunk = world.repositories[&shop.project].trunk();
        trunk.iter().rev().position(|it| it.sha == *sha).unwrap()
    };
    assert!(!order.iter().map(place).is_sorted());
}

#[tokio::test]
async fn the_faults_end() {
    let shop = Shop::open().await;
    shop.listen(HookOwner::Project(shop.project));
    shop.fake.hooks().set_faults(Some(HookFaults { lost: 1.0, ..HookFaults::default() }));
    pushes(&shop, 3).await;
    shop.fake.hooks().set_faults(None);
    pushes(&shop, 2).await;
    assert_eq!((shop.fake.hooks().counts().lost, shop.receiver.received().len()), (3, 2));
    shop.fake.hooks().reset_counts();
    assert_eq!(shop.fake.hooks().counts(), Default::default());
}

#[tokio::test]
async fn hooks_are_made_watched_and_disturbed_from_outside() {
    let shop = Shop::open().await;
    let wanted = json!({ "url": shop.receiver.url, "project_id": shop.project, "events": ["note_events"] });
    let made = post(&shop.fake, "/fake/hooks", &wanted.to_string()).await.json();
    let shown = shop.ask(ANN, "GET", &format!("/projects/{}/hooks/{}", shop.project, made["id"]), "").await;
    assert_eq!(shown.json()["note_events"], true);
    pushes(&shop, 2).await;
    let settled = post(&shop.fake, "/fake/hooks/settle", "").await.json();
    assert_eq!(settled["counts"]["answered"], 2);
    assert_eq!(post(&shop.fake, "/fake/hooks/faults", r#"{"lost":1.0}"#).await.status, 200);
    pushes(&shop, 1).await;
    let seen = get_with(&shop.fake, "/fake/hooks", &[]).await.json();
    assert_eq!(
        (&seen["counts"]["lost"], &seen["hooks"][0]["alert_status"]),
        (&json!(1), &json!("executable"))
    );
    assert_eq!(post(&shop.fake, "/fake/hooks/faults", "null").await.status, 200);
    assert_eq!(send(&shop.fake, "DELETE", "/fake/hooks", &[], "").await.unwrap().status, 200);
    pushes(&shop, 1).await;
    let seen = get_with(&shop.fake, "/fake/hooks", &[]).await.json();
    assert_eq!((&seen["counts"]["lost"], &seen["counts"]["answered"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn a_lively_world_can_be_told_in_full() {
    let fake = crate::client::tiny().await;
    let receiver = super::Receiver::start().await;
    let hook = fake_gitlab::Hook::new(HookOwner::System, &receiver.url, fake.world().now);
    fake.hooks().add(hook.told_of(&[fake_gitlab::Trigger::Push, fake_gitlab::Trigger::MergeRequest]));
    let projects: Vec<i64> = fake.world().projects.keys().copied().collect();
    for project in projects {
        let owner = HookOwner::Project(project);
        let all: Vec<_> = fake_gitlab::Trigger::switches(owner).into_iter().map(|it| it.0).collect();
        let hook = fake_gitlab::Hook::new(owner, &receiver.url, fake.world().now);
        fake.hooks().add(hook.told_of(&all));
    }
    for query in ["kinds=all", "kinds=visible", "ci=true&kinds=all", "among=trunk,issues,features,deletions"]
    {
        post(&fake, &format!("/fake/change?count=150&seed=5&{query}"), "").await;
    }
    post(&fake, "/fake/day?merge_requests=20&pipelines=20", "").await;
    let counts = post(&fake, "/fake/hooks/settle", "").await.json()["counts"].clone();
    assert!(counts["answered"].as_u64().unwrap() > 250, "{counts}");
    assert_eq!((&counts["failed"], &counts["lost"]), (&json!(0), &json!(0)));
    assert!(receiver.received().iter().all(|it| it.json().is_object()));
}
