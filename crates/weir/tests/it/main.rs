//! The program as its users meet it: the real binary, a fake GitLab, a database of its own for each test.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bench;
mod database;
mod demo;
mod extract;
mod html;
mod kills;
mod operation;
mod proof;
mod recipes;
mod refresh;
mod rotation;
mod secrets;
mod serve;
mod soak;
mod sql;
mod sync;
mod tokens;
mod usage;
mod verification;
mod webhook_soak;
mod webhooks;
mod workers;
