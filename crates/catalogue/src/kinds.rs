//! Every kind of row there is: which table, and which columns it brings. What comes from another process is held against
//! this list, so that no other name ever reaches a statement.

use crate::{
    Row, Table, approval_rules, approvals, commits, deployment_merge_requests, deployments, environments,
    group_labels, groups, invitations, issues, jobs, labels, members, merge_request_commits, merge_requests,
    milestones, notes, pipelines, projects, reviewers, users,
};

/// A kind of row.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Where such rows go.
    pub table: &'static Table,
    /// What they bring.
    pub columns: &'static [&'static str],
}

/// Every kind of row that a reader makes.
pub static KINDS: [Kind; 40] = [
    of::<pipelines::PipelineRow<'static>>(),
    of::<pipelines::ListedRow<'static>>(),
    of::<environments::EnvironmentRow<'static>>(),
    of::<merge_requests::RestRow<'static>>(),
    of::<merge_requests::GraphqlRow<'static>>(),
    of::<merge_requests::LabelLinkRow<'static>>(),
    of::<merge_requests::AssigneeRow>(),
    of::<jobs::GraphqlRow<'static>>(),
    of::<jobs::RestRow<'static>>(),
    of::<approvals::ApprovalRow>(),
    of::<approvals::TimedRow<'static>>(),
    of::<milestones::MilestoneRow<'static>>(),
    of::<members::GroupMemberRow>(),
    of::<members::ProjectMemberRow>(),
    of::<group_labels::GroupLabelRow>(),
    of::<users::StubRow>(),
    of::<users::BasicRow<'static>>(),
    of::<users::FullRow<'static>>(),
    of::<approval_rules::RuleRow<'static>>(),
    of::<approval_rules::RuleApprovalRow>(),
    of::<groups::GroupRow<'static>>(),
    of::<notes::NoteRow<'static>>(),
    of::<notes::FlatRow<'static>>(),
    of::<notes::BodyRow<'static>>(),
    of::<projects::ProjectRow<'static>>(),
    of::<deployments::DeploymentRow<'static>>(),
    of::<merge_request_commits::CommitRow<'static>>(),
    of::<merge_request_commits::HeadRow<'static>>(),
    of::<reviewers::ReviewerRow<'static>>(),
    of::<commits::CommitRow<'static>>(),
    of::<commits::MeasuredRow<'static>>(),
    of::<issues::IssueRow<'static>>(),
    of::<issues::RestRow<'static>>(),
    of::<issues::TextRow<'static>>(),
    of::<issues::LabelLinkRow<'static>>(),
    of::<issues::AssigneeRow>(),
    of::<issues::LinkRow<'static>>(),
    of::<deployment_merge_requests::LinkRow>(),
    of::<invitations::InvitedGroupRow>(),
    of::<labels::LabelRow<'static>>(),
];

/// The ways in which a child list names its parent.
static PARENTS: [&[&str]; 6] = [
    &["project_id"],
    &["group_id"],
    merge_requests::PARENT,
    issues::PARENT,
    pipelines::PARENT,
    deployment_merge_requests::PARENT,
];

const fn of<R: Row>() -> Kind {
    Kind { table: R::TABLE, columns: R::COLUMNS }
}

impl Kind {
    /// The kind that brings exactly these columns to this table.
    pub fn named(table: &str, columns: &[impl AsRef<str>]) -> Option<&'static Kind> {
        let same = |it: &Kind| it.columns.iter().copied().eq(columns.iter().map(AsRef::as_ref));
        KINDS.iter().find(|it| it.table.name == table && same(it))
    }
}

impl Table {
    /// The table of that name that readers fill.
    pub fn named(name: &str) -> Option<&'static Table> {
        KINDS.iter().map(|it| it.table).find(|it| it.name == name)
    }
}

/// The columns by which a list names its parent.
pub(crate) fn parent(columns: &[String]) -> Option<&'static [&'static str]> {
    PARENTS.into_iter().find(|it| it.iter().eq(columns))
}
