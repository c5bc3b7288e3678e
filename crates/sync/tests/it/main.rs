//! The sync against the fake GitLab and a real PostgreSQL.

mod changes;
mod equality;
mod harness;
mod import;
