//! The API against a real database and the fake GitLab.

mod connections;
mod credentials;
mod harness;
mod metrics;
mod openapi;
mod queries;
mod recorded;
mod requests;
mod schedule;
mod secrets;
mod tasks;
mod tls;
mod webhooks;
