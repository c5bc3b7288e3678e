//! Approval rules: those of projects, those of merge requests, and what a merge request shows of both. GitLab numbers
//! the two kinds apart, so a number alone does not tell a rule.

use std::collections::BTreeMap;

use super::model::{Id, MergeRequest, MergeRequestState, World};

/// Every approval rule of the instance, by what it belongs to.
#[derive(Debug, Clone, Default)]
pub struct ApprovalRules {
    /// Rules of projects, which apply to all their merge requests that have none of their own.
    pub projects: BTreeMap<Id, Vec<ApprovalRule>>,
    /// People whom a project's CODEOWNERS file names.
    pub code_owners: BTreeMap<Id, Vec<Id>>,
    /// Rules of merge requests that are not merged: those that override the project's, of code owners and of reports.
    pub merge_requests: BTreeMap<Id, Vec<ApprovalRule>>,
    /// Rules of merged merge requests, as they stood then.
    pub merged: BTreeMap<Id, Vec<RuleState>>,
    /// The last number given to a rule of a project.
    pub last_of_project: Id,
    /// The last number given to a rule of a merge request.
    pub last_of_merge_request: Id,
}

/// What makes a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleType {
    /// Anybody who may approve at all.
    AnyApprover,
    /// Named people.
    Regular,
    /// A line of the CODEOWNERS file.
    CodeOwner,
    /// A report, such as the coverage of tests.
    ReportApprover,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRule {
    /// None for a rule that GitLab shows and has not stored.
    pub id: Option<Id>,
    pub name: String,
    pub rule_type: RuleType,
    /// The section of the CODEOWNERS file.
    pub section: Option<String>,
    pub approvals_required: usize,
    /// Who may approve under it; empty where anybody may.
    pub eligible: Vec<Id>,
    /// Whether it changes a rule of the project.
    pub overridden: bool,
    pub contains_hidden_groups: bool,
}

/// A rule as a merge request shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleState {
    pub rule: ApprovalRule,
    pub approved_by: Vec<Id>,
}

impl RuleType {
    /// Whether people make such rules; GitLab makes the others for each merge request.
    pub fn is_made_by_people(self) -> bool {
        matches!(self, Self::AnyApprover | Self::Regular)
    }
}

impl RuleState {
    /// Whether the rule is satisfied. One that asks for more people than it names cannot be, and is let pass.
    pub fn approved(&self) -> bool {
        let (rule, given) = (&self.rule, self.approved_by.len());
        let impossible =
            rule.rule_type != RuleType::AnyApprover && rule.approvals_required > rule.eligible.len();
        given >= rule.approvals_required || impossible
    }
}

impl ApprovalRules {
    /// Whether the merge request has rules of people's making that replace those of its project.
    pub fn overwritten(&self, mr: &MergeRequest) -> bool {
        self.own(mr).any(|it| it.rule_type.is_made_by_people())
    }

    fn own(&self, mr: &MergeRequest) -> impl Iterator<Item = &ApprovalRule> {
        self.merge_requests.get(&mr.id).into_iter().flatten()
    }

    /// Those made by people first, then those of code owners and reports.
    fn applicable(&self, mr: &MergeRequest) -> Vec<&ApprovalRule> {
        let by_people = |it: &&ApprovalRule| it.rule_type.is_made_by_people();
        let mut rules: Vec<&ApprovalRule> = self.own(mr).filter(by_people).collect();
        if rules.is_empty() {
            rules.extend(self.projects.get(&mr.project_id).into_iter().flatten());
        }
        rules.extend(self.own(mr).filter(|it| !by_people(it)));
        rules
    }
}

impl World {
    /// The rules that a merge request shows.
    pub fn approval_rules_of(&self, mr: &MergeRequest) -> Vec<RuleState> {
        if mr.state == MergeRequestState::Merged {
            return self.approval_rules.merged.get(&mr.id).cloned().unwrap_or_default();
        }
        let state =
            |rule: &ApprovalRule| RuleState { approved_by: approved_by(mr, rule), rule: rule.clone() };
        self.approval_rules.applicable(mr).into_iter().map(state).collect()
    }
}

fn approved_by(mr: &MergeRequest, rule: &ApprovalRule) -> Vec<Id> {
    let anybody = rule.rule_type == RuleType::AnyApprover;
    let given = mr.approvals.iter().map(|it| it.user_id);
    given.filter(|id| anybody || rule.eligible.contains(id)).collect()
}
