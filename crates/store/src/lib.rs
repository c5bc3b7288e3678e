//!

pub mod server;
