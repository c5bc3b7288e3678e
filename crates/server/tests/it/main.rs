//! The API against a real database and the fake GitLab.

mod connections;
mod credentials;
mod every_method;
mod extractor;
mod garbage;
mod harness;
mod hostile;
mod long_faults;
mod metrics;
mod openapi;
mod people;
mod purges;
mod queries;
mod recorded;
mod requests;
mod schedule;
mod secrets;
mod tasks;
mod tls;
mod trouble;
mod upkeep;
mod visible;
mod webhooks;
mod webhooks_status;
mod wishes;
