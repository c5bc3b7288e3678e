//! What is decided, from hooks as GitLab shows them.

use serde_json::json;

use super::*;
use crate::hooks::Kind;

fn secret(id: i64) -> Secret {
    Secret { id, value: "secret".into() }
}

fn wish() -> Wish {
    Wish {
        address: Address::parse("https://weir.example.com").unwrap(),
        keep_events: false,
        confidential: false,
    }
}

fn place(kind: Kind) -> Place {
    Place { kind, id: 7, path: "acme".to_owned() }
}

fn hook(value: Value) -> Hook {
    serde_json::from_value(value).unwrap()
}

/// A hook as Weir makes it, with what this says besides.
fn good(kind: Kind, besides: Value) -> Hook {
    let mut all = json!({ "id": 3, "url": "https://weir.example.com/webhooks/gitlab", "enable_ssl_verification": true,
        "alert_status": "executable" });
    let events = wanted(kind, false).into_iter().map(|it| (it.to_owned(), json!(true)));
    all.as_object_mut().unwrap().extend(events);
    all.as_object_mut().unwrap().extend(besides.as_object().unwrap().clone());
    hook(all)
}

fn known(hook: &Hook, token: Option<i64>) -> WebhookRow {
    let row = hook.row(catalogue::Instance(0), &place(Kind::Group), "2026-01-01T00:00:00Z".parse().unwrap());
    WebhookRow { token_id: token, ..row }
}

fn planned(kind: Kind, hooks: &[Hook], token: Option<i64>, wish: &Wish) -> Plan {
    let secret = secret(1);
    let known: Vec<WebhookRow> = hooks.iter().map(|it| known(it, token)).collect();
    plan(&place(kind), hooks, &known, wish, &Given { token: &secret, signing: None })
}

#[test]
fn where_there_is_none_a_hook_is_made_with_the_right_events() {
    for (kind, count) in [(Kind::Project, 7), (Kind::Group, 10), (Kind::System, 2)] {
        let plan = planned(kind, &[], None, &wish());
        assert_eq!((plan.step, plan.body["token"].as_str()), (Step::Create, Some("secret")));
        let on =
            plan.body.as_object().unwrap().iter().filter(|it| it.0.ends_with("_events") && *it.1 == true);
        assert_eq!(on.count(), count, "{}", plan.body);
        assert_eq!(plan.body["enable_ssl_verification"], true);
    }
    let system = planned(Kind::System, &[], None, &wish());
    assert_eq!(
        (system.body.get("note_events"), &system.body["repository_update_events"]),
        (None, &json!(false))
    );
}

#[test]
fn a_hook_that_is_right_is_left_alone() {
    let plan = planned(Kind::Group, &[good(Kind::Group, json!({}))], Some(1), &wish());
    assert_eq!((plan.step, plan.changes.len(), plan.trial), (Step::Keep, 0, false));
}

#[test]
fn a_hook_that_was_made_by_hand_gets_the_secret_and_the_events() {
    let by_hand = good(
        Kind::Project,
        json!({ "note_events": false, "tag_push_events": true, "enable_ssl_verification": false }),
    );
    let plan = planned(Kind::Project, std::slice::from_ref(&by_hand), None, &wish());
    assert_eq!(plan.step, Step::Mend);
    assert_eq!(
        plan.body,
        json!({ "token": "secret", "note_events": true, "tag_push_events": false, "enable_ssl_verification": true,
            "url": by_hand.url })
    );
    assert_eq!(plan.changes.len(), 4, "{:?}", plan.changes);
    let kept = planned(Kind::Project, &[by_hand], None, &Wish { keep_events: true, ..wish() });
    assert_eq!(kept.body.get("tag_push_events"), None);
}

#[test]
fn an_older_secret_is_replaced() {
    let plan = planned(Kind::Group, &[good(Kind::Group, json!({}))], Some(0), &wish());
    assert_eq!((plan.step, plan.body["token"].as_str()), (Step::Mend, Some("secret")));
    let gone =
        planned(Kind::Group, &[good(Kind::Group, json!({ "token_present": false }))], Some(1), &wish());
    assert_eq!(gone.step, Step::Mend);
}

#[test]
fn what_a_version_does_not_have_is_not_asked_for() {
    let mut old = json!({ "id": 3, "url": "https://weir.example.com/webhooks/gitlab" });
    for event in wanted(Kind::Project, false) {
        old[event] = json!(true);
    }
    let plan = planned(Kind::Group, &[hook(old)], Some(1), &wish());
    assert_eq!(plan.step, Step::Keep, "{:?}", plan.changes);
}

#[test]
fn confidential_events_are_neither_asked_for_nor_taken_away() {
    let told =
        good(Kind::Group, json!({ "confidential_issues_events": true, "confidential_note_events": false }));
    assert_eq!(planned(Kind::Group, std::slice::from_ref(&told), Some(1), &wish()).step, Step::Keep);
    let wanted = planned(Kind::Group, &[told], Some(1), &Wish { confidential: true, ..wish() });
    assert_eq!(wanted.body["confidential_note_events"], true);
}

#[test]
fn a_disabled_hook_is_tried_out() {
    let disabled = good(Kind::Group, json!({ "alert_status": "temporarily_disabled" }));
    let plan = planned(Kind::Group, &[disabled], Some(1), &wish());
    assert_eq!((plan.step, plan.trial, plan.body), (Step::Mend, true, json!({})));
}

#[test]
fn a_hook_that_weir_made_follows_its_address_and_a_strangers_does_not() {
    let elsewhere = good(Kind::Group, json!({ "url": "https://old.example.com/webhooks/gitlab" }));
    let plan = planned(Kind::Group, std::slice::from_ref(&elsewhere), Some(1), &wish());
    assert_eq!(plan.body["url"], "https://weir.example.com/webhooks/gitlab");
    assert_eq!(plan.body["token"], "secret", "another address takes the token away");
    assert_eq!(planned(Kind::Group, &[elsewhere], None, &wish()).step, Step::Create);
}

#[test]
fn the_oldest_of_several_is_adopted_and_the_others_are_told() {
    let hooks = [good(Kind::Group, json!({ "id": 9 })), good(Kind::Group, json!({ "id": 4 }))];
    let plan = planned(Kind::Group, &hooks, Some(1), &wish());
    assert_eq!(plan.hook.unwrap().id, 4);
    assert!(plan.notes[0].contains('9'), "{:?}", plan.notes);
}
