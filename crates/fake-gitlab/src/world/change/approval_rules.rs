//! How approval rules come to merge requests, change, and stay as they are once it is merged. None of it writes a note
//! or moves `updated_at`.

use crate::world::approval_rules::{ApprovalRule, RuleState, RuleType};
use crate::world::model::{Id, MergeRequestState, World};

impl World {
    /// Adds a rule to a project. Without a number it is one that GitLab shows and has not stored.
    pub fn add_project_rule(&mut self, project_id: Id, rule: ApprovalRule, stored: bool) {
        let rules = &mut self.approval_rules;
        rules.last_of_project += i64::from(stored);
        let id = stored.then_some(rules.last_of_project);
        rules.projects.entry(project_id).or_default().push(ApprovalRule { id, ..rule });
    }

    /// Adds a rule to a merge request. The first that people make replaces those of the project.
    pub fn add_merge_request_rule(&mut self, merge_request_id: Id, rule: ApprovalRule) {
        let id = Some(self.next_rule_id());
        let rules = self.approval_rules.merge_requests.entry(merge_request_id).or_default();
        rules.push(ApprovalRule { id, ..rule });
    }

    /// Changes the rules of a merge request as a person would in its sidebar: one more is asked for by a rule of its
    /// own, or, where it has one already, its rules go and those of the project apply again.
    pub fn change_approval_rules(&mut self, merge_request_id: Id, eligible: &[Id]) {
        let mr = &self.merge_requests[&merge_request_id];
        if self.approval_rules.overwritten(mr) {
            let own = self.approval_rules.merge_requests.entry(merge_request_id).or_default();
            own.retain(|it| !it.rule_type.is_made_by_people());
            return;
        }
        self.add_merge_request_rule(
            merge_request_id,
            ApprovalRule {
                approvals_required: 1,
                overridden: true,
                ..ApprovalRule::new(RuleType::Regular, "One more pair of eyes", eligible)
            },
        );
    }

    /// What GitLab makes when a merge request is opened: of odd ones some need a code owner, some also a look at the
    /// coverage. People override the rules of every fifth.
    pub(super) fn make_approval_rules(&mut self, merge_request_id: Id) {
        let mr = &self.merge_requests[&merge_request_id];
        let iid = mr.iid;
        let Some(owners) = self.approval_rules.code_owners.get(&mr.project_id).cloned() else { return };
        if iid % 2 == 1 {
            let section = (iid % 4 == 1).then(|| "Backend".to_owned());
            let rule = ApprovalRule::new(RuleType::CodeOwner, "*.rs", &owners);
            let approvals_required = usize::from(iid % 3 == 1);
            self.add_merge_request_rule(
                merge_request_id,
                ApprovalRule { section, approvals_required, ..rule },
            );
        }
        if iid % 9 == 0 {
            let rule = ApprovalRule::new(RuleType::ReportApprover, "Coverage-Check", &owners);
            self.add_merge_request_rule(merge_request_id, ApprovalRule { approvals_required: 1, ..rule });
        }
        if iid % 5 == 4 {
            self.change_approval_rules(merge_request_id, &owners);
        }
    }

    /// Keeps the rules that are satisfied, with who satisfied them, as GitLab does on a merge: each is a rule of the
    /// merge request from now on, whatever becomes of the project's.
    pub(super) fn keep_approval_rules(&mut self, merge_request_id: Id) {
        let mr = &self.merge_requests[&merge_request_id];
        if mr.state == MergeRequestState::Merged {
            return;
        }
        let mut kept = self.approval_rules_of(mr);
        kept.retain(RuleState::approved);
        let overwritten = self.approval_rules.overwritten(mr);
        for state in &mut kept {
            if state.rule.rule_type.is_made_by_people() && !overwritten && state.rule.id.is_some() {
                state.rule.id = Some(self.next_rule_id());
            }
        }
        self.approval_rules.merge_requests.remove(&merge_request_id);
        if !kept.is_empty() {
            self.approval_rules.merged.insert(merge_request_id, kept);
        }
    }

    fn next_rule_id(&mut self) -> Id {
        self.approval_rules.last_of_merge_request += 1;
        self.approval_rules.last_of_merge_request
    }
}

impl ApprovalRule {
    /// A rule that asks for nothing yet.
    pub fn new(rule_type: RuleType, name: &str, eligible: &[Id]) -> Self {
        Self {
            id: None,
            name: name.to_owned(),
            rule_type,
            section: None,
            approvals_required: 0,
            eligible: eligible.to_vec(),
            overridden: false,
            contains_hidden_groups: false,
        }
    }
}
