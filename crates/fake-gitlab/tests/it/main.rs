//! The fake GitLab over real HTTP.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod changes;
mod ci;
mod client;
mod control;
mod faults;
mod generation;
mod graphql;
mod limits;
mod merge_requests;
mod paging;
mod program;
mod shapes;
mod sight;
mod tokens;
mod truth;
