//! What Weir reads from GitLab: one file per resource, with where it is read, what it becomes and where it is stored.
//!
//! Nothing here talks to a network, a database or a clock: an element of an answer goes in, rows come out. The ways
//! to read a resource (REST and GraphQL) stand beside each other and give the same rows.
#![warn(missing_docs)]

mod action;
pub mod approval_rules;
pub mod approvals;
pub mod commits;
mod connection;
pub mod deployment_merge_requests;
pub mod deployments;
mod details;
mod document;
pub mod environments;
pub mod events;
mod gid;
pub mod group_labels;
pub mod groups;
pub mod invitations;
pub mod issues;
pub mod jobs;
mod kinds;
pub mod labels;
mod list;
pub mod members;
pub mod merge_request_commits;
pub mod merge_requests;
pub mod milestones;
pub mod notes;
mod origin;
pub mod pipelines;
pub mod projects;
mod resource;
pub mod reviewers;
mod row;
mod rows;
mod table;
pub mod users;
mod wire;

pub use connection::{Answer, Connection, PageInfo};
pub use details::{GROUP_DETAILS, PROJECT_DETAILS, PROOF_QUERY};
pub use document::Document;
pub use gid::{Gid, gid};
pub use kinds::{KINDS, Kind};
pub use list::{Below, List, Pending};
pub use origin::{Instance, Origin};
pub use resource::{Connector, Cursor, Read, Reader, Resource, Scope, Source};
pub use row::Row;
pub use rows::{Batch, CompleteList, Rows};
pub use table::Table;

/// Every resource, in the order in which a first import wants them.
pub static RESOURCES: &[&Resource] = &[
    &groups::GROUPS,
    &projects::PROJECTS,
    &members::GROUP_MEMBERS,
    &members::PROJECT_MEMBERS,
    &group_labels::GROUP_LABELS,
    &labels::LABELS,
    &milestones::MILESTONES,
    &merge_requests::MERGE_REQUESTS,
    &notes::NOTES,
    &approvals::APPROVALS,
    &approval_rules::APPROVAL_RULES,
    &reviewers::REVIEWERS,
    &issues::ISSUES,
    &pipelines::PIPELINES,
    &pipelines::CHILD_PIPELINES,
    &pipelines::PIPELINE,
    &jobs::JOBS,
    &jobs::BRIDGES,
    &environments::ENVIRONMENTS,
    &deployments::DEPLOYMENTS,
    &deployment_merge_requests::DEPLOYMENT_MERGE_REQUESTS,
    &merge_request_commits::MERGE_REQUEST_COMMITS,
    &merge_request_commits::COMMITS_OF_MERGE_REQUEST,
    &commits::COMMITS,
    &users::USERS,
    &users::ALL_USERS,
];

/// Every GraphQL query that is ever sent.
pub fn documents() -> Vec<&'static Document> {
    let mut all = vec![&PROJECT_DETAILS, &GROUP_DETAILS, &merge_requests::MERGE_REQUESTS_QUERY];
    all.extend([&PROOF_QUERY, &pipelines::COUNT_PIPELINES_QUERY, &issues::COUNT_ISSUES_QUERY]);
    all.extend([&pipelines::PIPELINES_QUERY, &pipelines::RUNNING_PIPELINES_QUERY, &jobs::JOBS_QUERY]);
    all.push(&merge_request_commits::MERGE_REQUEST_COMMITS_QUERY);
    all.push(&commits::TRUNK_HEADS_QUERY);
    all.extend([&merge_requests::OPEN_MERGE_REQUESTS_QUERY, &users::USERS_QUERY]);
    all.push(&issues::ISSUES_QUERY);
    all.extend(issues::LIST_QUERIES.iter().map(|(_, document)| document));
    all.extend(merge_requests::LIST_QUERIES.iter().map(|(_, document)| document));
    all
}
