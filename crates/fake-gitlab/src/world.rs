//! The world of the fake GitLab: its data, how it is made from a seed, and how it changes.

pub mod access;
pub mod approval_rules;
pub mod change;
pub mod generate;
pub mod hash;
pub mod index;
pub mod model;
pub mod paths;
