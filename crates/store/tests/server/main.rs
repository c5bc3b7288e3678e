//! The built-in PostgreSQL, with the PostgreSQL of this machine.

mod accounts;
mod faults;
mod idle;
mod lifecycle;
mod place;
mod processes;
mod roles;
