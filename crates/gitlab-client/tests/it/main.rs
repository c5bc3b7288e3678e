//! The client against small servers.
