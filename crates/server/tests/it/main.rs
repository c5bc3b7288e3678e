//! The API against a real database and the fake GitLab.

mod connections;
mod credentials;
mod extractor;
mod harness;
mod openapi;
mod queries;
mod recorded;
mod requests;
mod schedule;
mod secrets;
mod webhooks;
