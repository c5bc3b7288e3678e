//! Hooks made and mended.

use fake_gitlab::{Edition, FakeGitlab, Hook, HookOwner, HookSettings, Trigger};
use secrecy::ExposeSecret;
use sync::hooks::{Named, Step, install};

use super::{ANN, BOB, NOWHERE, READS, ROOT, Shop, acme, receiver, secrets, shop, wish};

#[tokio::test]
async fn a_hook_is_made_and_a_second_time_nothing_is_done() {
    let at = Shop::open().await;
    let done = at.install(&[acme(), shop()], NOWHERE).await;
    assert_eq!(done.iter().map(|it| it.step).collect::<Vec<_>>(), [Some(Step::Create); 2]);
    let hooks = at.bench.fake.hooks().all();
    let [of_group, of_project] = &hooks[..] else { panic!("{hooks:?}") };
    assert_eq!(
        (of_group.owner, of_project.owner),
        (HookOwner::Group(at.acme), HookOwner::Project(at.project))
    );
    for hook in &hooks {
        assert_eq!(hook.url, format!("{NOWHERE}/webhooks/gitlab"));
        assert_eq!(hook.token.as_deref(), Some(at.secrets.token.value.expose_secret()));
        assert!(
            hook.enable_ssl_verification && hook.switches[&Trigger::Note] && hook.switches[&Trigger::Push]
        );
        assert!(!hook.switches[&Trigger::WikiPage] && !hook.switches[&Trigger::ConfidentialNote]);
    }
    assert!(of_group.switches[&Trigger::Member] && of_group.switches[&Trigger::Subgroup]);
    let again = at.install(&[acme(), shop()], NOWHERE).await;
    assert_eq!(again.iter().map(|it| it.step).collect::<Vec<_>>(), [Some(Step::Keep); 2], "{again:?}");
    assert_eq!(at.bench.fake.hooks().all().len(), 2);
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_do_and_changes_nothing() {
    let at = Shop::open().await;
    at.bench.fake.counters().reset();
    let done = at.install_as(ANN, &[acme(), shop()], NOWHERE, true).await;
    assert!(done[0].changes[0].contains("merge requests") && done[0].step == Some(Step::Create), "{done:?}");
    assert!(at.bench.fake.hooks().all().is_empty());
    assert!(at.bench.store.webhooks(None, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_hook_made_by_hand_is_adopted_by_its_address_and_mended() {
    let at = Shop::open().await;
    let url = "https://weir.example.com/webhooks/gitlab";
    let by_hand = Hook::new(HookOwner::Project(at.project), &format!("{url}/"), at.bench.fake.world().now);
    let by_hand = Hook {
        enable_ssl_verification: false,
        ..by_hand.told_of(&[Trigger::MergeRequest, Trigger::WikiPage])
    };
    let id = at.bench.fake.hooks().add(by_hand.with_token("wrong"));
    let other =
        Hook::new(HookOwner::Project(at.project), "https://ci.example.com/hook", at.bench.fake.world().now);
    let other = at.bench.fake.hooks().add(other);
    let told = at.install_as(ANN, &[shop()], "https://weir.example.com", true).await;
    assert!(told[0].changes.iter().any(|it| it.contains("wiki page")), "{told:?}");
    let done = at.install(&[shop()], "https://weir.example.com").await;
    assert_eq!((done[0].step, done[0].hook_id), (Some(Step::Mend), Some(id)));
    let hook = at.bench.fake.hooks().get(id).unwrap();
    assert_eq!(hook.token.as_deref(), Some(at.secrets.token.value.expose_secret()));
    assert!(
        hook.enable_ssl_verification
            && hook.switches[&Trigger::Pipeline]
            && !hook.switches[&Trigger::WikiPage]
    );
    assert_eq!(at.bench.fake.hooks().all().len(), 2);
    assert_eq!(at.bench.fake.hooks().get(other).unwrap().token, None);
}

#[tokio::test]
async fn a_new_secret_is_given_to_hooks_that_have_the_old_one() {
    let mut at = Shop::open().await;
    at.install(&[acme()], NOWHERE).await;
    let before = at.bench.fake.hooks().all()[0].token.clone();
    at.secrets = secrets(&at.bench, true).await;
    let done = at.install(&[acme()], NOWHERE).await;
    assert_eq!(done[0].step, Some(Step::Mend));
    assert_ne!(at.bench.fake.hooks().all()[0].token, before);
    assert_eq!(at.install(&[acme()], NOWHERE).await[0].step, Some(Step::Keep));
}

#[tokio::test]
async fn a_signing_token_is_given_where_gitlab_signs() {
    for (version, signs) in [("18.11.0", false), ("19.0.0", true)] {
        let at = Shop::of(FakeGitlab::builder().edition(Edition::Premium).version(version)).await;
        at.install(&[acme()], NOWHERE).await;
        let hook = at.bench.fake.hooks().all().remove(0);
        let wanted = signs.then(|| at.secrets.signing.value.expose_secret());
        assert_eq!(hook.signing_token.as_deref(), wanted, "{version}");
        assert_eq!(at.install(&[acme()], NOWHERE).await[0].step, Some(Step::Keep));
    }
}

#[tokio::test]
async fn without_premium_it_is_said_what_to_do() {
    for edition in [Edition::Free, Edition::Ce] {
        let at = Shop::of(FakeGitlab::builder().edition(edition)).await;
        let done = at.install_as(ANN, &[acme(), shop()], NOWHERE, false).await;
        let failure = done[0].error.as_ref().expect("it is refused");
        assert_eq!(failure.code, "invalid_permissions");
        assert!(
            failure.message.contains("Premium") && failure.message.contains("--project"),
            "{}",
            failure.message
        );
        // What fails does not hold up the rest.
        assert_eq!((done[1].step, done[1].error.is_none()), (Some(Step::Create), true));
    }
}

#[tokio::test]
async fn who_may_not_is_told_what_it_takes() {
    let at = Shop::open().await;
    for (token, place, word) in [
        (BOB, shop(), "Maintainer"),
        (READS, shop(), "the scope api"),
        (BOB, Named::Group("nowhere".to_owned()), "There is no group nowhere"),
        (ANN, Named::System, "administrator"),
    ] {
        let done = at.install_as(token, std::slice::from_ref(&place), NOWHERE, false).await;
        let failure = done[0].error.as_ref().unwrap_or_else(|| panic!("{place:?} is refused"));
        assert!(failure.message.contains(word), "{place:?}: {}", failure.message);
        assert_eq!(failure.code, "invalid_permissions");
    }
    assert!(at.bench.fake.hooks().all().is_empty());
}

#[tokio::test]
async fn a_local_address_that_gitlab_refuses_is_told_with_the_switch() {
    let settings = HookSettings { local_addresses_are_refused: true, ..HookSettings::default() };
    let at = Shop::of(FakeGitlab::builder().edition(Edition::Premium).hook_settings(settings)).await;
    let done = at.install_as(ANN, &[shop()], NOWHERE, false).await;
    let failure = done[0].error.as_ref().expect("it is refused");
    assert_eq!(failure.reason, "address_refused");
    assert!(failure.message.contains("Outbound requests"), "{}", failure.message);
}

#[tokio::test]
async fn a_project_that_has_too_many_hooks_is_told() {
    let at = Shop::open().await;
    for number in 0..100 {
        let url = format!("http://localhost/{number}");
        at.bench.fake.hooks().add(Hook::new(HookOwner::Project(at.project), &url, at.bench.fake.world().now));
    }
    let done = at.install_as(ANN, &[shop()], NOWHERE, false).await;
    assert_eq!(done[0].error.as_ref().expect("it is refused").reason, "hook_limit");
}

#[tokio::test]
async fn a_disabled_hook_is_tried_out_and_delivers_again() {
    let settings = HookSettings { failing_are_disabled: true, ..HookSettings::default() };
    let at = Shop::of(FakeGitlab::builder().edition(Edition::Premium).hook_settings(settings)).await;
    let address = receiver(200).await;
    let id = at.install(&[acme()], &address).await[0].hook_id.unwrap();
    at.bench.fake.hooks().change(id, |it| it.failures = 40);
    let done = at.install(&[acme()], &address).await;
    assert!(done[0].notes.iter().any(|it| it.contains("delivers again")), "{done:?}");
    assert_eq!(at.bench.fake.hooks().get(id).unwrap().failures, 0);
    // Where Weir does not answer, that is told.
    let broken = receiver(500).await;
    let id = at.install(&[shop()], &broken).await[0].hook_id.unwrap();
    at.bench.fake.hooks().change(id, |it| it.failures = 40);
    let done = at.install_as(ANN, &[shop()], &broken, false).await;
    assert_eq!(done[0].error.as_ref().expect("the trial failed").reason, "trial_failed");
}

#[tokio::test]
async fn a_hook_below_a_group_that_has_one_is_called_needless() {
    let at = Shop::open().await;
    at.install(&[acme()], NOWHERE).await;
    let done = at.install(&[shop()], NOWHERE).await;
    assert!(done[0].notes.iter().any(|it| it.contains("needless")), "{done:?}");
}

#[tokio::test]
async fn a_system_hook_says_that_it_carries_no_comments() {
    let at = Shop::open().await;
    let done = at.install_as(ROOT, &[Named::System], NOWHERE, false).await;
    assert!(done[0].notes.iter().any(|it| it.contains("no comments")), "{done:?}");
    let hook = at.bench.fake.hooks().all().remove(0);
    assert!(hook.switches[&Trigger::MergeRequest] && hook.switches[&Trigger::Push]);
    assert!(!hook.switches[&Trigger::RepositoryUpdate] && !hook.switches[&Trigger::TagPush]);
    let old = Shop::of(FakeGitlab::builder().version("16.11.0")).await;
    let by_hand =
        Hook::new(HookOwner::System, &format!("{NOWHERE}/webhooks/gitlab"), old.bench.fake.world().now);
    old.bench.fake.hooks().add(by_hand);
    let done = old.install_as(ROOT, &[Named::System], NOWHERE, false).await;
    assert!(done[0].error.as_ref().expect("it cannot").message.contains("by hand"), "{done:?}");
}

#[tokio::test]
async fn what_a_sync_uses_can_change_nothing() {
    let at = Shop::open().await;
    let done = install(
        &at.bench.client_with(&[ANN]),
        &at.bench.store,
        &[shop()],
        &wish(NOWHERE),
        &at.secrets,
        (false, at.now()),
    )
    .await
    .unwrap();
    assert!(done[0].error.as_ref().expect("it is refused").message.contains("not declared"), "{done:?}");
    assert!(at.bench.fake.hooks().all().is_empty());
}
