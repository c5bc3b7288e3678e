//! The API against a real database and the fake GitLab.

mod connections;
mod credentials;
mod harness;
mod openapi;
mod queries;
mod requests;
mod schedule;
mod secrets;
