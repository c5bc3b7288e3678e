//! A deterministic GitLab over real HTTP, for tests, benchmarks and demonstrations.

pub mod graphql;
pub mod replay;
pub mod world;
