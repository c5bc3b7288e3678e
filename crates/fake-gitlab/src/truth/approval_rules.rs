//! Approval rules, which a reading brings only where they are asked for.

use serde_json::{Value, json};

use super::merge_requests::link;
use super::{Reading, Row, Sight, Tables, row};
use crate::rest::approval_state::{report_type, rule_type};
use crate::settings::Edition;
use crate::world::access::Viewer;
use crate::world::approval_rules::{ApprovalRule, RuleState, RuleType};
use crate::world::model::{Id, MergeRequest, World};

/// Below every number of a rule that has one.
const UNNUMBERED: i64 = -(1 << 62);

/// The rows that a reading brings beside [`super::truth`] where approval rules are asked for.
pub fn approval_rules(world: &World, viewer: &Viewer, edition: Edition) -> Tables {
    let mut tables = Tables::new();
    tables.insert("gitlab_merge_request_approval_rules", Vec::new());
    tables.insert("gitlab_merge_request_approval_rule_approvals", Vec::new());
    if edition == Edition::Premium {
        // How the rest is read makes no difference to rules.
        let reading = Reading::new(true, true);
        for mr in &Sight::new(world, viewer, reading).merge_requests {
            one(world, mr, &mut tables);
        }
    }
    tables
}

fn one(world: &World, mr: &MergeRequest, tables: &mut Tables) {
    let states = world.approval_rules_of(mr);
    let mut add = |table: &'static str, rows: Vec<Row>| tables.entry(table).or_default().extend(rows);
    add("gitlab_merge_request_approval_rules", states.iter().map(|it| rule(mr, it)).collect());
    let given = states.iter().flat_map(|it| it.approved_by.iter().map(|user| (key(&it.rule), *user)));
    let approvals = given.map(|(rule_id, user_id)| approval(mr, rule_id, user_id));
    add("gitlab_merge_request_approval_rule_approvals", approvals.collect());
}

fn rule(mr: &MergeRequest, state: &RuleState) -> Row {
    let rule = &state.rule;
    row(json!({
        "project_id": mr.project_id,
        "merge_request_id": mr.id,
        "id": key(rule),
        "source_id": rule.id,
        "name": rule.name,
        "rule_type": rule_type(rule.rule_type),
        "report_type": report_type(rule.rule_type),
        "section": rule.section,
        "approvals_required": rule.approvals_required,
        "eligible_approvers": rule.eligible.len(),
        "approved": state.approved(),
        "code_owner": rule.rule_type == RuleType::CodeOwner,
        "overridden": rule.overridden,
        "contains_hidden_groups": rule.contains_hidden_groups,
    }))
}

fn approval(mr: &MergeRequest, rule_id: i64, user_id: Id) -> Row {
    let mut row = link(mr, user_id);
    row.insert("rule_id".to_owned(), Value::from(rule_id));
    row
}

/// GitLab's number, negative for rules that it makes by itself. What has no number has a key from its names: FNV-1a of
/// type, section and name.
fn key(rule: &ApprovalRule) -> i64 {
    match rule.id {
        Some(id) if rule.rule_type.is_made_by_people() => id,
        Some(id) => -id,
        None => {
            let section = rule.section.as_deref().unwrap_or_default();
            let mut hash = 0xcbf2_9ce4_8422_2325_u64;
            for byte in format!("{}\0{section}\0{}", rule_type(rule.rule_type), rule.name).bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
            }
            UNNUMBERED - (hash >> 3) as i64
        }
    }
}
