//! Whether webhooks tell what changes, and if not, why.

use fake_gitlab::{Edition, FakeGitlab, Hook, HookOwner, HookSettings, Trigger};
use store::WebhookHint;
use sync::hooks::{Asked, CheckedHook, Gap, Named, Report};

use super::{ANN, BOB, NOWHERE, ROOT, Shop, acme, receiver, secrets, shop};

fn hooks(report: &Report) -> Vec<&CheckedHook> {
    report.places.iter().flat_map(|it| &it.hooks).collect()
}

fn gap<'r>(report: &'r Report, kind: &str) -> &'r Gap {
    report.gaps.iter().find(|it| it.kind == kind).unwrap_or_else(|| panic!("no gap of {kind}: {report:?}"))
}

fn said(report: &Report, word: &str) -> bool {
    serde_json::to_string(report).unwrap().contains(word)
}

#[tokio::test]
async fn a_hook_that_works_needs_no_attention() {
    let at = Shop::open().await;
    let address = receiver(200).await;
    at.install(&[acme()], &address).await;
    at.advance(1);
    at.merge_request();
    at.bench.fake.hooks().settled().await;
    at.sync().await;
    let project_id = at.project;
    let hint = WebhookHint { project_id, kind: "merge_request", number: 1 };
    at.bench.store.note_webhook_hints(&[hint], at.now()).await.unwrap();
    make_connection(&at).await;
    let report = at.check(ANN).await;
    assert!(!report.needs_attention(), "{report:#?}");
    assert!(hooks(&report)[0].deliveries.as_ref().is_some_and(|it| it.looked_at > 0 && it.failed == 0));
    let count = report.counts.iter().find(|it| it.kind == "merge_request").unwrap();
    assert_eq!((count.changed, count.unnamed), (1, 0));
}

/// Without one nobody looks at what is delivered.
async fn make_connection(at: &Shop) {
    let settings = serde_json::json!({ "base_url": at.bench.fake.url() });
    let new = store::NewConnection { connector: "gitlab", name: "gitlab", instance: 0, settings: &settings };
    at.bench.store.create_connection(&new, at.now()).await.unwrap();
}

#[tokio::test]
async fn where_there_is_no_hook_that_is_told() {
    let at = Shop::open().await;
    let report = at.check(ANN).await;
    assert!(report.needs_attention() && said(&report, "No webhook that leads to Weir"), "{report:?}");
}

#[tokio::test]
async fn a_disabled_hook_is_told_with_the_reason() {
    let settings = HookSettings { failing_are_disabled: true, ..HookSettings::default() };
    let at = Shop::of(FakeGitlab::builder().edition(Edition::Premium).hook_settings(settings)).await;
    at.install(&[acme()], &receiver(401).await).await;
    at.advance(1);
    let mr = at.merge_request();
    for number in 0..6 {
        at.bench.fake.world_mut().comment(mr, at.ann, &format!("number {number}"));
        at.bench.fake.hooks().settled().await;
    }
    at.sync().await;
    let report = at.check(ANN).await;
    let problems = hooks(&report)[0].problems.join(" ");
    assert!(problems.contains("has disabled it until") && problems.contains("401"), "{problems}");
    let gap = gap(&report, "merge_request");
    assert!(gap.attention && gap.reasons.iter().any(|it| it.contains("disabled")), "{gap:?}");
    assert!(gap.reasons.iter().any(|it| it.contains("the secret is not Weir's")), "{gap:?}");
}

#[tokio::test]
async fn an_address_that_cannot_be_reached_is_told() {
    let at = Shop::open().await;
    at.install(&[shop()], NOWHERE).await;
    at.merge_request();
    at.bench.fake.hooks().settled().await;
    let report = at.check(ANN).await;
    let problems = hooks(&report)[0].problems.join(" ");
    assert!(
        problems.contains("cannot reach the address") && problems.contains("Outbound requests"),
        "{problems}"
    );
}

#[tokio::test]
async fn a_gap_is_found_and_explained_by_the_event_that_is_not_ticked() {
    let at = Shop::open().await;
    let address = receiver(200).await;
    let id = at.install(&[acme()], &address).await[0].hook_id.unwrap();
    at.bench.fake.hooks().change(id, |it| {
        it.switches.insert(Trigger::MergeRequest, false);
    });
    at.advance(1);
    at.merge_request();
    at.sync().await;
    let report = at.check(ANN).await;
    let gap = gap(&report, "merge_request");
    assert_eq!((gap.changed, gap.unnamed, gap.example), (1, 1, Some(1)));
    assert!(gap.attention && gap.reasons[0].contains("not told of: merge requests"), "{gap:?}");
    assert!(hooks(&report)[0].problems[0].contains("merge requests"), "{report:?}");
}

#[tokio::test]
async fn what_changed_before_there_was_a_hook_is_no_gap() {
    let at = Shop::open().await;
    at.advance(1);
    at.merge_request();
    at.advance(5);
    at.install(&[acme()], &receiver(200).await).await;
    at.sync().await;
    let report = at.check(ANN).await;
    assert!(report.gaps.is_empty(), "{report:?}");
}

#[tokio::test]
async fn a_system_hook_says_why_comments_and_pipelines_are_missing() {
    let at = Shop::open().await;
    at.install_as(ROOT, &[Named::System], &receiver(200).await, false).await;
    at.advance(1);
    at.merge_request();
    at.sync().await;
    let report = at.check(ROOT).await;
    let gap = gap(&report, "merge_request");
    assert!(gap.reasons.iter().any(|it| it.contains("no comments")), "{gap:?}");
    assert!(hooks(&report)[0].deliveries.is_none(), "GitLab shows them to nobody");
}

#[tokio::test]
async fn a_project_that_no_hook_covers_is_counted() {
    let at = Shop::open().await;
    at.advance(1);
    at.merge_request();
    at.sync().await;
    let report = at.check(ANN).await;
    assert_eq!((report.uncovered_projects, report.gaps.len()), (1, 0), "{report:?}");
}

#[tokio::test]
async fn a_hook_of_a_project_in_which_something_moved_is_found() {
    let at = Shop::open().await;
    let url = format!("{}/webhooks/gitlab", receiver(200).await);
    at.bench.fake.hooks().add(Hook::new(HookOwner::Project(at.project), &url, at.bench.fake.world().now));
    at.advance(1);
    at.merge_request();
    at.sync().await;
    let report = at.check(ANN).await;
    assert_eq!(hooks(&report).len(), 1, "{report:?}");
    assert!(gap(&report, "merge_request").reasons[0].contains("not told of"), "{report:?}");
}

#[tokio::test]
async fn a_hook_that_is_gone_is_told_once() {
    let at = Shop::open().await;
    let id = at.install(&[acme()], NOWHERE).await[0].hook_id.unwrap();
    at.bench.fake.hooks().remove(id);
    let report = at.check(ANN).await;
    assert!(said(&report, "is gone") && report.needs_attention(), "{report:?}");
}

#[tokio::test]
async fn an_older_secret_another_address_and_a_wrong_place_are_told() {
    let mut at = Shop::open().await;
    at.install(&[acme()], NOWHERE).await;
    at.secrets = secrets(&at.bench, true).await;
    let address = Some(sync::hooks::Address::parse("https://weir.example.com").unwrap());
    let token_id = at.secrets.token.id;
    let places = vec![acme(), shop()];
    let report = at.check_as(ANN, Asked { places, address, hours: 24, token_id }).await;
    let problems = hooks(&report)[0].problems.join(" ");
    assert!(
        problems.contains("older secret") && problems.contains("not to https://weir.example.com"),
        "{problems}"
    );
    assert!(said(&report, "No hook of it leads to Weir"), "{report:?}");
}

#[tokio::test]
async fn who_may_not_see_hooks_is_told_what_it_takes() {
    let at = Shop::open().await;
    let token_id = at.secrets.token.id;
    let asked = Asked { places: vec![shop()], address: None, hours: 24, token_id };
    let report = at.check_as(BOB, asked).await;
    assert!(
        report.places[0].error.as_ref().is_some_and(|it| it.message.contains("Maintainer")),
        "{report:?}"
    );
    let report = at.check(BOB).await;
    assert!(report.notes.iter().any(|it| it.contains("cannot be seen")), "{report:?}");
}
