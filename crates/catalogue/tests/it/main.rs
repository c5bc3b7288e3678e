//! The catalogue's queries against schemas: the recorded one of gitlab.com, and the fake's editions.

mod queries;
mod recorded_schema;
