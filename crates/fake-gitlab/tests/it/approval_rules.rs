//! Approval rules: of every kind, silent in their changes, and kept by what is merged.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use fake_gitlab::truth::approval_rules;
use fake_gitlab::world::approval_rules::{RuleState, RuleType};
use fake_gitlab::world::change::MergeStyle;
use fake_gitlab::world::generate::{Scale, generate};
use fake_gitlab::world::model::{Id, MergeRequestState, World};
use fake_gitlab::{Edition, FakeGitlab};
use serde_json::{Value, json};

use crate::client::{get, start};

fn tiny() -> World {
    generate(1, &Scale::tiny())
}

fn rules(world: &World, mr: Id) -> Vec<RuleState> {
    world.approval_rules_of(&world.merge_requests[&mr])
}

/// An open merge request whose rules are those of its project.
fn open(world: &World) -> Id {
    let plain = world.merge_requests.values().find(|it| {
        it.state == MergeRequestState::Opened
            && !world.approval_rules.overwritten(it)
            && world.approval_rules_of(it).len() > 1
    });
    plain.unwrap().id
}

#[test]
fn there_are_rules_of_every_kind() {
    let world = tiny();
    let all: Vec<RuleState> =
        world.merge_requests.values().flat_map(|it| world.approval_rules_of(it)).collect();
    let any = |wanted: &dyn Fn(&RuleState) -> bool| all.iter().any(wanted);
    use RuleType::{AnyApprover, CodeOwner, Regular, ReportApprover};
    for kind in [AnyApprover, Regular, CodeOwner, ReportApprover] {
        assert!(any(&|it| it.rule.rule_type == kind), "{kind:?}");
    }
    assert!(any(&|it| it.rule.id.is_none()) && any(&|it| it.rule.overridden));
    assert!(any(&|it| it.rule.section.is_some()) && any(&|it| it.rule.contains_hidden_groups));
    assert!(any(&|it| it.approved()) && any(&|it| !it.approved()));
    assert!(any(&|it| it.rule.rule_type == Regular && !it.approved_by.is_empty()));
}

#[test]
fn two_rules_of_one_merge_request_may_share_a_number() {
    let world = tiny();
    let shares = world.merge_requests.values().any(|mr| {
        let ids: Vec<Id> = world.approval_rules_of(mr).iter().filter_map(|it| it.rule.id).collect();
        ids.iter().collect::<BTreeSet<_>>().len() < ids.len()
    });
    assert!(shares);
}

#[test]
fn a_change_of_rules_moves_nothing_else() {
    let mut world = tiny();
    let mr = open(&world);
    let (before, row) = (rules(&world, mr), format!("{:?}", world.merge_requests[&mr]));
    world.advance(TimeDelta::hours(1));
    let person = world.merge_requests[&mr].author_id;
    world.change_approval_rules(mr, &[person]);
    let changed = rules(&world, mr);
    assert!(changed != before && changed.iter().any(|it| it.rule.overridden));
    world.change_approval_rules(mr, &[person]);
    assert_eq!(rules(&world, mr), before);
    assert_eq!(format!("{:?}", world.merge_requests[&mr]), row);
}

#[test]
fn what_is_merged_keeps_the_rules_of_then() {
    let mut world = tiny();
    let mr = open(&world);
    let person = rules(&world, mr)[1].rule.eligible[0];
    world.unapprove(mr, person);
    world.approve(mr, person);
    world.merge(mr, person, MergeStyle::Squash);
    let kept = rules(&world, mr);
    assert!(!kept.is_empty() && kept.iter().all(RuleState::approved));
    world.approval_rules.projects.clear();
    world.unapprove(mr, person);
    assert_eq!(rules(&world, mr), kept);
}

#[tokio::test]
async fn rules_are_served_where_there_is_a_licence() {
    let fake = start(FakeGitlab::builder().edition(Edition::Premium)).await;
    let tables = approval_rules(&fake.world(), &fake.viewer(), Edition::Premium);
    let row = tables["gitlab_merge_request_approval_rules"].iter().find(|it| it["overridden"] == true);
    let row = row.unwrap();
    let iid = fake.world().merge_requests[&row["merge_request_id"].as_i64().unwrap()].iid;
    let path = format!("/projects/{}/merge_requests/{iid}/approval_state", row["project_id"]);
    let state = get(&fake, &path).await.json();
    let found = state["rules"].as_array().unwrap().iter().find(|it| it["overridden"] == true).unwrap();
    for column in ["name", "rule_type", "section", "approvals_required", "approved", "code_owner"] {
        assert_eq!(found[column], row[column], "{column}");
    }
    assert_eq!((&found["id"], &state["approval_rules_overwritten"]), (&row["source_id"], &json!(true)));
}

#[tokio::test]
async fn without_a_licence_there_are_none_and_the_community_edition_has_no_such_address() {
    let shape = async |edition: Edition| {
        let fake = start(FakeGitlab::builder().edition(edition)).await;
        let project = crate::client::first_project(&fake);
        let answer = get(&fake, &format!("/projects/{project}/merge_requests/1/approval_state")).await;
        (answer.status, answer.json())
    };
    let empty: Value = json!({ "approval_rules_overwritten": false, "rules": [] });
    assert_eq!(shape(Edition::Free).await, (200, empty));
    assert_eq!(shape(Edition::Ce).await, (404, json!({ "error": "404 Not Found" })));
}
