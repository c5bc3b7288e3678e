//! Approval rules of a merge request.

use serde_json::{Value, json};

use super::entities::user::UserBasic;
use super::{Answer, Ask, Problem, Reply};
use crate::settings::Edition;
use crate::world::approval_rules::{RuleState, RuleType};

/// `GET /projects/:id/merge_requests/:iid/approval_state`: not on CE, without rules on Free.
pub fn show(ask: &Ask<'_>) -> Answer {
    if ask.settings.edition == Edition::Ce {
        return Err(Problem::NoRoute);
    }
    let mr = ask.merge_request()?;
    let licensed = ask.settings.edition == Edition::Premium;
    let states = if licensed { ask.world.approval_rules_of(mr) } else { Vec::new() };
    let rules: Vec<Value> = states.iter().map(|it| rule(ask, it)).collect();
    let overwritten = licensed && ask.world.approval_rules.overwritten(mr);
    Ok(Reply::object(&json!({ "approval_rules_overwritten": overwritten, "rules": rules })))
}

fn rule(ask: &Ask<'_>, state: &RuleState) -> Value {
    let rule = &state.rule;
    let users = || UserBasic::all(ask.world, rule.eligible.iter().copied());
    let source = rule.overridden.then(|| json!({ "approvals_required": 0 }));
    json!({
        "id": rule.id,
        "name": rule.name,
        "rule_type": rule_type(rule.rule_type),
        "report_type": report_type(rule.rule_type),
        "section": rule.section,
        "eligible_approvers": users(),
        "approvals_required": rule.approvals_required,
        "users": users(),
        "groups": [],
        "contains_hidden_groups": rule.contains_hidden_groups,
        "source_rule": source,
        "overridden": rule.overridden,
        "code_owner": rule.rule_type == RuleType::CodeOwner,
        "approved_by": UserBasic::all(ask.world, state.approved_by.iter().copied()),
        "approved": state.approved(),
    })
}

/// The type in REST's words.
pub fn rule_type(rule_type: RuleType) -> &'static str {
    match rule_type {
        RuleType::AnyApprover => "any_approver",
        RuleType::Regular => "regular",
        RuleType::CodeOwner => "code_owner",
        RuleType::ReportApprover => "report_approver",
    }
}

/// The report that a rule is about.
pub fn report_type(rule_type: RuleType) -> Option<&'static str> {
    (rule_type == RuleType::ReportApprover).then_some("code_coverage")
}
