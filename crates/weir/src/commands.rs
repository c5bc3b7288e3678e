//! One file per command.

pub mod database;
pub mod demo;
pub mod doctor;
pub mod proof;
pub mod psql;
pub mod refresh;
pub mod schema;
pub mod sql;
pub mod status;
pub mod sync;
pub mod verify;
