//! The client against small servers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod addresses;
mod credentials;
mod crowds;
mod failures;
mod graphql;
mod limits;
mod network;
mod reading;
mod secrets;
mod server;
mod sharing;
mod writing;
