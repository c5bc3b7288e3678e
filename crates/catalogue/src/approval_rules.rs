//! Approval rules of merge requests, and who approved under which: <https://docs.gitlab.com/api/merge_request_approvals/>.
//!
//! They cost a request per merge request, and GraphQL, which could bring them in bulk, takes seconds for each: so they
//! are read by REST alone, and only where they are asked for. The Community Edition has none; without a licence the
//! list is empty.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::merge_requests::PARENT;
use crate::row::row;
use crate::users::UserBasic;
use crate::{Connector, Cursor, List, Origin, Pending, Reader, Resource, Rows, Scope, Source, Table, users};

/// Approval rules.
pub static APPROVAL_RULES: Resource = Resource {
    name: "approval_rules",
    connector: Connector::Gitlab,
    scope: Scope::MergeRequest,
    cursor: Cursor::Parent,
    tables: &[&TABLE, &APPROVALS_TABLE, &users::TABLE],
    readers: &[Reader {
        name: "rest",
        source: Source::Rest { path: "projects/{project}/merge_requests/{iid}/approval_state", params: &[] },
        read,
        sample: include_str!("../samples/approval_rules.rest.json"),
    }],
    documentation: "https://docs.gitlab.com/api/merge_request_approvals/",
};

/// Where rules are stored.
pub static TABLE: Table = Table {
    name: "gitlab_merge_request_approval_rules",
    key: &["project_id", "merge_request_id", "id"],
    version: None,
    fill: &[],
};

/// Where it is stored who approved under which rule.
pub static APPROVALS_TABLE: Table = Table {
    name: "gitlab_merge_request_approval_rule_approvals",
    key: &["project_id", "merge_request_id", "rule_id", "user_id"],
    version: None,
    fill: &[],
};

row! {
    RuleRow<'a> in TABLE {
        project_id: i64, merge_request_id: i64, id: i64, source_id: Option<i64>, name: &'a str,
        rule_type: Option<&'a str>, report_type: Option<&'a str>, section: Option<&'a str>,
        approvals_required: Option<i64>, eligible_approvers: Option<usize>, approved: Option<bool>,
        code_owner: Option<bool>, overridden: Option<bool>, contains_hidden_groups: Option<bool>,
    }
}

row! {
    RuleApprovalRow in APPROVALS_TABLE { project_id: i64, merge_request_id: i64, rule_id: i64, user_id: i64 }
}

#[derive(Deserialize)]
struct State<'a> {
    #[serde(borrow)]
    rules: Vec<Rule<'a>>,
}

#[derive(Deserialize)]
struct Rule<'a> {
    #[serde(default)]
    id: Option<i64>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    rule_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    report_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    section: Option<Cow<'a, str>>,
    #[serde(default)]
    approvals_required: Option<i64>,
    /// Counted, not kept: a rule may name hundreds for each merge request.
    #[serde(default)]
    eligible_approvers: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    approved: Option<bool>,
    #[serde(borrow, default)]
    approved_by: Vec<UserBasic<'a>>,
    #[serde(default)]
    code_owner: Option<bool>,
    #[serde(default)]
    overridden: Option<bool>,
    #[serde(default)]
    contains_hidden_groups: Option<bool>,
}

impl Rule<'_> {
    /// What tells the rule from others of its merge request. GitLab numbers two kinds apart: rules that people made,
    /// which are the project's own unless the merge request overrides them, and rules that GitLab makes for each
    /// merge request from code owners and reports. One answer holds both, and their numbers may meet: so the latter
    /// are negative here.
    fn key(&self, below: &Origin) -> i64 {
        match (self.id, self.rule_type.as_deref()) {
            (Some(id), Some("code_owner" | "report_approver")) => -below.id(id),
            (Some(id), _) => below.id(id),
            (None, _) => self.unnumbered(),
        }
    }

    /// The key of a rule that GitLab does not store, such as the one that any approval satisfies: made from what it is
    /// called, and below every number of a stored one.
    fn unnumbered(&self) -> i64 {
        let parts = [self.rule_type.as_deref(), self.section.as_deref(), Some(&*self.name)];
        let texts = parts.map(Option::unwrap_or_default);
        -(1 << 62) - (digest(&texts.join("\0")) >> 3).cast_signed()
    }

    fn store(&self, below: &Origin, out: &mut Rows) {
        let (project_id, merge_request_id) = (below.project_id(), below.merge_request_id());
        let rule_id = self.key(below);
        out.push(&RuleRow {
            project_id,
            merge_request_id,
            id: rule_id,
            source_id: self.id,
            name: &self.name,
            rule_type: self.rule_type.as_deref(),
            report_type: self.report_type.as_deref(),
            section: self.section.as_deref(),
            approvals_required: self.approvals_required,
            eligible_approvers: self.eligible_approvers.as_ref().map(Vec::len),
            approved: self.approved,
            code_owner: self.code_owner,
            overridden: self.overridden,
            contains_hidden_groups: self.contains_hidden_groups,
        });
        for user in &self.approved_by {
            let user_id = user.store(below, out);
            out.push(&RuleApprovalRow { project_id, merge_request_id, rule_id, user_id });
        }
    }
}

/// FNV-1a: the same on every machine and in every version, as a stored key has to be.
fn digest(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The element is the whole answer: it holds every rule.
pub(crate) fn read(below: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let state: State = serde_json::from_str(element)?;
    for rule in &state.rules {
        rule.store(below, out);
    }
    let parent = [below.project_id(), below.merge_request_id()];
    out.complete(&TABLE, PARENT, &parent);
    out.complete(&APPROVALS_TABLE, PARENT, &parent);
    Ok(())
}

/// Leaves the rules of a merge request that was just read to a request of their own, where they are asked for.
pub(crate) fn ask(below: &Origin, iid: i64, out: &mut Rows) {
    if below.approval_rules {
        out.pending.push(Pending {
            list: List::ApprovalRules,
            project: below.project,
            merge_request: below.merge_request,
            iid,
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Instance;

    fn ids(instance: i64, rules: &Value) -> Vec<i64> {
        let below = Origin::instance(Instance(instance)).project(7).merge_request(9);
        let mut rows = Rows::default();
        read(&below, &json!({ "rules": rules }).to_string(), &mut rows).unwrap();
        let batch = rows.batches.iter().find(|it| it.table == &TABLE).unwrap();
        let stored: Vec<Value> = serde_json::from_str(&batch.json()).unwrap();
        stored.iter().map(|it| it["id"].as_i64().unwrap()).collect()
    }

    #[test]
    fn rules_of_the_two_kinds_that_share_a_number_stay_apart() {
        let rules = json!([
            { "id": 5, "name": "All Members", "rule_type": "any_approver" },
            { "id": 6, "name": "Maintainers", "rule_type": "regular" },
            { "id": 5, "name": "*.rs", "rule_type": "code_owner" },
            { "id": 6, "name": "Coverage", "rule_type": "report_approver" },
        ]);
        assert_eq!(ids(0, &rules), [5, 6, -5, -6]);
        let span = Instance::SPAN;
        assert_eq!(ids(2, &rules), [2 * span + 5, 2 * span + 6, -2 * span - 5, -2 * span - 6]);
    }

    #[test]
    fn a_rule_without_a_number_keeps_its_key() {
        let rule = |name: &str| json!({ "id": null, "name": name, "rule_type": "any_approver" });
        let keys = ids(0, &json!([rule("All Members"), rule("All eligible users")]));
        assert_eq!(keys, ids(3, &json!([rule("All Members"), rule("All eligible users")])));
        assert!(keys[0] != keys[1] && keys.iter().all(|it| *it < -(1 << 61)), "{keys:?}");
        assert_eq!(keys[0], -6_399_204_069_235_341_334);
    }

    #[test]
    fn an_answer_of_an_older_gitlab_needs_only_names() {
        let mut rows = Rows::default();
        let below = Origin::instance(Instance(0)).project(7).merge_request(9);
        read(&below, r#"{"rules":[{"id":1,"name":"Ruby","approved_by":[]}]}"#, &mut rows).unwrap();
        assert_eq!((rows.len(), rows.complete.len()), (1, 2));
    }
}
