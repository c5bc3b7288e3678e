#![doc = include_str!("../README.md")]

pub mod builder;
pub mod connection;
mod control;
pub mod counters;
pub mod faults;
pub mod graphql;
pub mod hooks;
pub mod limits;
pub mod replay;
pub mod rest;
pub mod rotations;
pub mod server;
pub mod settings;
pub mod state;
pub mod tokens;
pub mod truth;
pub mod world;

pub use builder::{Builder, FakeGitlab};
pub use hooks::{Hook, HookFaults, HookOwner, Hooks, Trigger};
pub use settings::{Edition, HookSettings, Settings};
pub use tokens::{TokenKind, TokenSpec, TokenState};
