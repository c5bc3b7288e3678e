//! The built-in PostgreSQL, with the PostgreSQL of this machine.
#![allow(clippy::unwrap_used, reason = "clippy takes the helpers of tests for ordinary code")]

mod accounts;
mod faults;
mod idle;
mod lifecycle;
mod place;
mod processes;
mod roles;
