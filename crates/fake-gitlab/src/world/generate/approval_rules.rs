//! Approval rules of projects. Nothing here draws from the world's random numbers: a project's number decides, so that
//! the rest of the world is the same with and without rules.

use super::Maker;
use crate::world::approval_rules::{ApprovalRule, RuleType};
use crate::world::hash::mix;
use crate::world::model::Id;

/// People whom a rule names.
const NAMED: usize = 8;

impl Maker {
    /// Gives projects their rules and code owners: every third project has only the rule that any approval satisfies,
    /// without a number; every fourth has no code owners.
    pub(super) fn approval_rules(&mut self) {
        for (number, project_id) in self.projects.clone().into_iter().enumerate() {
            let any = ApprovalRule::new(RuleType::AnyApprover, "All Members", &[]);
            if number % 3 == 2 {
                self.world.add_project_rule(project_id, any, false);
                continue;
            }
            self.world.add_project_rule(project_id, ApprovalRule { approvals_required: 1, ..any }, true);
            let named = self.named(project_id, 1);
            let regular = ApprovalRule::new(RuleType::Regular, "Maintainers", &named);
            let contains_hidden_groups = number % 2 == 1;
            let regular = ApprovalRule { approvals_required: 1, contains_hidden_groups, ..regular };
            self.world.add_project_rule(project_id, regular, true);
            if number % 4 != 3 {
                let owners = self.named(project_id, 2);
                self.world.approval_rules.code_owners.insert(project_id, owners);
            }
        }
    }

    /// Some people in a row, beginning anywhere.
    fn named(&self, project_id: Id, salt: u64) -> Vec<Id> {
        let count = self.humans.len();
        let start = mix(project_id.unsigned_abs() ^ (salt << 32)) as usize % count.max(1);
        self.humans.iter().copied().cycle().skip(start).take(NAMED.min(count)).collect()
    }
}
