//! The world of the fake GitLab: its data, how it is made from a seed, and how it changes.

pub mod access;
pub mod approval_rules;
pub mod change;
pub mod event;
pub mod generate;
pub mod git;
pub mod hash;
pub mod index;
pub mod issue;
pub mod members;
pub mod model;
pub mod paths;
