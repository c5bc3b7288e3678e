//! The sync against the fake GitLab and a real PostgreSQL.

mod alone;
mod approval_rules;
mod changes;
mod commits;
mod conditional;
mod day;
mod deployments;
mod equality;
mod faults;
mod gates;
mod harness;
mod hooks;
mod import;
mod issues;
mod members;
mod people;
mod pipelines;
mod races;
mod recorded;
mod recorded_ci;
mod shapes;
mod sweep;
mod tokens;
