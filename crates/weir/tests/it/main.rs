//! The program as its users meet it: the real binary, a fake GitLab, a database of its own for each test.

mod bench;
mod database;
mod demo;
mod html;
mod sql;
mod sync;
mod tokens;
mod usage;
mod verification;
