//! Two queries that read the complete listings of many parents at once, so that a sync with nothing to do costs one
//! request per hundred projects: labels, members and milestones of projects, members and labels of groups.

use crate::Document;

/// Labels, direct members and milestones of up to 100 projects, and how their merge requests stand.
pub static PROJECT_DETAILS: Document =
    Document { name: "projectDetails", text: include_str!("project_details.graphql") };

/// Direct members, direct projects and own labels of up to 100 groups.
pub static GROUP_DETAILS: Document =
    Document { name: "groupDetails", text: include_str!("group_details.graphql") };

/// What GitLab has of some projects: every merge request with its count of comments, and the number of pipelines.
pub static PROOF_QUERY: Document = Document { name: "proof", text: include_str!("proof.graphql") };
