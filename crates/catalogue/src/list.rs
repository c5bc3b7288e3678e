//! What is read on its own below one merge request, issue, pipeline or deployment: lists that did not fit into a page, and
//! everything that REST reads singly.

use crate::{
    Connector, Document, Origin, Rows, Table, approval_rules, approvals, deployment_merge_requests, issues,
    jobs, merge_request_commits, merge_requests, notes, pipelines, reviewers,
};

/// A list below a merge request, an issue, a pipeline or a deployment that has to be read on its own.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pending {
    /// What to read.
    pub list: List,
    /// GitLab's id of the project.
    pub project: i64,
    /// GitLab's id of the merge request, issue, pipeline or deployment.
    pub parent: i64,
    /// Its number within the project.
    pub iid: i64,
}

/// What is read below one merge request, issue, pipeline or deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum List {
    /// Comments and system notes.
    Notes,
    /// Labels.
    Labels,
    /// Assignees.
    Assignees,
    /// Reviewers with their states.
    Reviewers,
    /// Approvals.
    Approvals,
    /// Approval rules, with who approved under which.
    ApprovalRules,
    /// Labels of an issue.
    IssueLabels,
    /// Assignees of an issue.
    IssueAssignees,
    /// Jobs of a pipeline, bridges among them.
    Jobs,
    /// What REST's list of pipelines does not tell of one.
    Pipeline,
    /// Commits of a merge request.
    Commits,
    /// The merge requests that a deployment brought.
    DeploymentMergeRequests,
}

/// What a list hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Below {
    /// A merge request, which GitLab names by its iid.
    MergeRequest,
    /// An issue, which GitLab names by its iid.
    Issue,
    /// A pipeline, which it names by its id.
    Pipeline,
    /// A deployment, which it names by its id.
    Deployment,
}

impl List {
    /// Every list.
    pub const ALL: [List; 12] = [
        List::Notes,
        List::Labels,
        List::Assignees,
        List::Reviewers,
        List::Approvals,
        List::ApprovalRules,
        List::IssueLabels,
        List::IssueAssignees,
        List::Jobs,
        List::Pipeline,
        List::Commits,
        List::DeploymentMergeRequests,
    ];

    /// Its name, as stored.
    pub fn name(self) -> &'static str {
        match self {
            List::Notes => "notes",
            List::Labels => "labels",
            List::Assignees => "assignees",
            List::Reviewers => "reviewers",
            List::Approvals => "approvals",
            List::ApprovalRules => "approval_rules",
            List::IssueLabels => "issue_labels",
            List::IssueAssignees => "issue_assignees",
            List::Jobs => "jobs",
            List::Pipeline => "pipeline",
            List::Commits => "commits_of_merge_request",
            List::DeploymentMergeRequests => "deployment_merge_requests",
        }
    }

    /// The connector that reads it.
    pub fn connector(self) -> Connector {
        match self {
            List::Jobs | List::Pipeline => Connector::GitlabPipelines,
            List::Commits => Connector::GitlabCommits,
            List::DeploymentMergeRequests => Connector::GitlabDeployments,
            _ => Connector::Gitlab,
        }
    }

    /// The list of that name.
    pub fn named(name: &str) -> Option<List> {
        List::ALL.into_iter().find(|it| it.name() == name)
    }

    /// The table it fills.
    pub fn table(self) -> &'static Table {
        match self {
            List::Notes => &notes::TABLE,
            List::Labels => &merge_requests::LABELS_TABLE,
            List::Assignees => &merge_requests::ASSIGNEES_TABLE,
            List::Reviewers => &reviewers::TABLE,
            List::Approvals => &approvals::TABLE,
            List::ApprovalRules => &approval_rules::TABLE,
            List::IssueLabels => &issues::LABELS_TABLE,
            List::IssueAssignees => &issues::ASSIGNEES_TABLE,
            List::Jobs => &jobs::TABLE,
            List::Pipeline => &pipelines::TABLE,
            List::Commits => &merge_request_commits::TABLE,
            List::DeploymentMergeRequests => &deployment_merge_requests::TABLE,
        }
    }

    /// What it hangs on.
    pub fn below(self) -> Below {
        match self {
            List::IssueLabels | List::IssueAssignees => Below::Issue,
            List::Jobs | List::Pipeline => Below::Pipeline,
            List::DeploymentMergeRequests => Below::Deployment,
            _ => Below::MergeRequest,
        }
    }

    /// The query that reads it alone, where GraphQL is the way to read it.
    pub fn query(self) -> Option<&'static Document> {
        match self {
            List::Jobs => Some(&jobs::JOBS_QUERY),
            _ => {
                let queries = merge_requests::LIST_QUERIES.iter().chain(&issues::LIST_QUERIES);
                queries.filter(|(list, _)| *list == self).map(|(_, query)| query).next()
            }
        }
    }

    /// One node of that query becomes rows.
    pub fn read_node(self, below: &Origin, node: &str, out: &mut Rows) -> serde_json::Result<()> {
        match self {
            List::Notes => notes::from_graphql(below, node, out),
            List::Labels => merge_requests::label(below, node, out),
            List::Assignees => merge_requests::assignee(below, node, out),
            List::Reviewers => reviewers::from_graphql(below, node, out),
            List::Approvals => approvals::from_graphql(below, node, out),
            List::IssueLabels => issues::label(below, node, out),
            List::IssueAssignees => issues::assignee(below, node, out),
            List::Jobs => jobs::from_graphql(below, node, None, out),
            // REST alone brings what follows.
            List::ApprovalRules => approval_rules::read(below, node, out),
            List::Pipeline => pipelines::from_rest(below, node, out),
            List::Commits => merge_request_commits::from_rest(below, node, out),
            List::DeploymentMergeRequests => deployment_merge_requests::read(below, node, out),
        }
    }
}
