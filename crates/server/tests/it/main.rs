//! The API against a real database and the fake GitLab.

mod connections;
mod credentials;
mod every_method;
mod harness;
mod hostile;
mod metrics;
mod openapi;
mod queries;
mod recorded;
mod requests;
mod schedule;
mod secrets;
mod tasks;
mod tls;
mod trouble;
mod webhooks;
mod webhooks_status;
mod wishes;
