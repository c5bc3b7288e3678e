//! The fake GitLab over real HTTP.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod approval_rules;
mod changes;
mod ci;
mod client;
mod commits;
mod control;
mod faults;
mod generation;
mod graphql;
mod hooks;
mod issues;
mod limits;
mod merge_requests;
mod paging;
mod people;
mod program;
mod pushes;
mod removals;
mod shapes;
mod sight;
mod tokens;
mod truth;
mod truth_of_code;
