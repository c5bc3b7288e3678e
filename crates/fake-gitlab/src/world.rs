//! The world of the fake GitLab: its data, how it is made from a seed, and how it changes.

pub mod model;
