//! One file per command.

pub mod api_key;
pub mod database;
pub mod demo;
pub mod doctor;
pub mod extract;
pub mod health;
pub mod key;
pub mod proof;
pub mod psql;
pub mod refresh;
pub mod schema;
pub mod serve;
pub mod sql;
pub mod status;
pub mod sync;
pub mod verify;
pub mod webhooks;
pub mod worker;
