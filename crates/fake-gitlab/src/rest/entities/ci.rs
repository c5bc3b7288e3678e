//! Pipelines, jobs, environments and deployments.

pub mod deployment;
pub mod environment;
pub mod job;
pub mod pipeline;
